//! Values of a TOML document, with what is wrong with them.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::text::{Source, Span};

/// What mistakes are reported under. It is no rule of the book: they are shown as findings are, and
/// are none.
static MISTAKE: Rule = Rule {
    id: "seclint.toml",
    category: Category::Correctness,
    severity: Severity::Error,
    set: RuleSet::Default,
    page: "",
};

/// Reads values, and goes on after each mistake.
pub(super) struct Reader<'s> {
    pub(super) source: &'s Arc<Source>,
    pub(super) mistakes: Vec<Finding>,
}

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

impl<'t> Reader<'_> {
    pub(super) fn place(&self, range: Range<usize>) -> Location {
        let span = Span::new(range.start as u32, range.end.max(range.start) as u32);
        Location::text(self.source, span)
    }

    pub(super) fn mistake(&mut self, range: Range<usize>, message: String, help: Option<String>) {
        let mut finding = Finding::new(&MISTAKE, self.place(range), message);
        finding.help = help;
        self.mistakes.push(finding);
    }

    fn wrong_type(&mut self, value: &Value<'_>, expected: &str, help: Option<&str>) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.mistake(
            value.span(),
            format!("{expected} must stand here, not {found}"),
            help.map(str::to_owned),
        );
    }

    /// The values of a table's known keys, in the order of `known`; every other is a mistake.
    pub(super) fn members<'v, const N: usize>(
        &mut self,
        table: &'v DeTable<'t>,
        known: [&'static str; N],
    ) -> [Option<&'v Value<'t>>; N] {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let help = did_you_mean(known, name)
                    .unwrap_or_else(|| format!("the keys are {}", known.join(", ")));
                let message = format!("there is no key `{name}` here");
                self.mistake(key.span(), message, Some(help));
            }
        }
        known.map(|name| table.get(name))
    }

    pub(super) fn table<'v>(&mut self, value: Option<&'v Value<'t>>) -> Option<&'v DeTable<'t>> {
        let value = value?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, "a table", None);
        }
        table
    }

    /// The tables of an array of tables, each with its place. `example` is how one is written.
    pub(super) fn tables<'v>(
        &mut self,
        value: Option<&'v Value<'t>>,
        example: &str,
    ) -> Vec<(&'v DeTable<'t>, Range<usize>)> {
        let Some(value) = value else {
            return Vec::new();
        };
        let table = |it: &'v Value<'t>| Some((it.get_ref().as_table()?, it.span()));
        let values = value.get_ref().as_array();
        let tables = values.and_then(|values| values.iter().map(table).collect::<Option<Vec<_>>>());
        tables.unwrap_or_else(|| {
            let help = format!("write {example}");
            self.wrong_type(value, "an array of tables", Some(&help));
            Vec::new()
        })
    }

    fn array<'v>(&mut self, value: Option<&'v Value<'t>>, expected: &str) -> Vec<&'v Value<'t>> {
        let Some(value) = value else {
            return Vec::new();
        };
        if let Some(array) = value.get_ref().as_array() {
            return array.iter().collect();
        }
        self.wrong_type(value, expected, None);
        Vec::new()
    }

    pub(super) fn bool(&mut self, value: Option<&Value<'t>>) -> Option<bool> {
        let value = value?;
        let is = value.get_ref().as_bool();
        if is.is_none() {
            self.wrong_type(value, "`true` or `false`", None);
        }
        is
    }

    pub(super) fn string<'v>(&mut self, value: Option<&'v Value<'t>>) -> Option<&'v str> {
        let value = value?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, "a string", None);
        }
        text
    }

    /// A string that must be there and say something: `what` it is, for the message.
    pub(super) fn needed<'v>(
        &mut self,
        value: Option<&'v Value<'t>>,
        owner: Range<usize>,
        what: &str,
    ) -> Option<&'v str> {
        let Some(given) = value else {
            self.mistake(owner, format!("the {what} is missing"), None);
            return None;
        };
        let text = self.string(value)?;
        if text.trim().is_empty() {
            self.mistake(given.span(), format!("the {what} is empty"), None);
            return None;
        }
        Some(text)
    }

    /// What a string stands for.
    pub(super) fn parsed<T>(
        &mut self,
        value: Option<&Value<'t>>,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = self.string(value)?;
        match parse(text) {
            Ok(parsed) => Some(parsed),
            Err(Problem { message, help }) => {
                self.mistake(value?.span(), message, help);
                None
            }
        }
    }

    /// The same of every string in an array.
    pub(super) fn list<T>(
        &mut self,
        value: Option<&Value<'t>>,
        parse: impl Fn(&str) -> Result<T, Problem>,
    ) -> Vec<T> {
        let values = self.array(value, "an array of strings").into_iter();
        values
            .filter_map(|value| self.parsed(Some(value), &parse))
            .collect()
    }
}

/// Why a string stands for nothing.
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(message: &impl ToString) -> Self {
        Self {
            message: message.to_string(),
            help: None,
        }
    }
}

/// What a word of a short list stands for.
pub(super) fn one_of<T, const N: usize>(
    what: &str,
    words: [(&'static str, T); N],
    written: &str,
) -> Result<T, Problem> {
    let names = words.each_ref().map(|(name, _)| *name);
    let mut words = words.into_iter();
    let found = words.find(|(name, _)| *name == written);
    found
        .map(|(_, value)| value)
        .ok_or_else(|| unknown(what, names, written))
}

/// A word that is not in a list.
pub(super) fn unknown(
    what: &str,
    known: impl IntoIterator<Item = &'static str> + Clone,
    written: &str,
) -> Problem {
    let help = did_you_mean(known.clone(), written).unwrap_or_else(|| {
        let known: Vec<_> = known.into_iter().collect();
        format!("write one of {}", known.join(", "))
    });
    Problem {
        message: format!("there is no {what} `{written}`"),
        help: Some(help),
    }
}

fn did_you_mean(known: impl IntoIterator<Item = &'static str>, written: &str) -> Option<String> {
    let near = known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(name, written), name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    near.map(|(_, name)| format!("did you mean `{name}`?"))
}
