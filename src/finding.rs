//! What seclint reports: a [`Finding`] of a [`Rule`], at a [`Location`].
//!
//! Every command that reports speaks in findings, and every writer of reports
//! reads them; what else an audit knows is in `crun::Audit`.

mod identity;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

pub use identity::identity;

use crate::text::{Node, Source, Span};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Works somewhere, or in part, but probably not as meant.
    Warning,
    /// Does not do what it says.
    Error,
}

impl Severity {
    /// The severity as one lower-case word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a rule is about. Each has a folder of its own in `rules/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The profile does not say what its writer means.
    Correctness,
    /// The profile means different things in different places.
    Portability,
    /// The filter lets through what it seems to stop.
    Security,
    /// A runtime refuses the profile, or cannot work under it.
    RuntimeCompat,
    /// What crun's cache holds.
    Cache,
    /// Works, and could be written better.
    Style,
}

impl Category {
    /// The category's name, as its folder is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Category::Correctness => "correctness",
            Category::Portability => "portability",
            Category::Security => "security",
            Category::RuntimeCompat => "runtime-compat",
            Category::Cache => "cache",
            Category::Style => "style",
        }
    }
}

/// When a rule is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSet {
    /// Always: what it finds is a mistake, or worth everybody's while.
    Default,
    /// With `--strict`, or by name: true, and often meant that way.
    Strict,
}

/// What is known of a rule: its page in the rule book, and how it is reported.
#[derive(Debug)]
pub struct Rule {
    /// The rule's name, in kebab case.
    pub id: &'static str,
    /// What it is about.
    pub category: Category,
    /// Its severity, unless a finding says otherwise.
    pub severity: Severity,
    /// Whether it is checked when nobody asks for it.
    pub set: RuleSet,
    /// Its page, in Markdown: a heading, a line of metadata, a summary, and the rest.
    pub page: &'static str,
}

impl Rule {
    /// The first paragraph after the page's heading and metadata: what the rule
    /// finds, in a sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let paragraphs = self.page.split("\n\n");
        let summary = paragraphs
            .skip(2)
            .map(str::trim)
            .find(|text| !text.is_empty());
        summary.unwrap_or_default().replace('\n', " ")
    }

    /// What stands on the page under a heading of the second level, without the
    /// space around it; empty if there is no such heading.
    #[must_use]
    pub fn section(&self, heading: &str) -> &'static str {
        let mut sections = self.page.split("\n## ").skip(1);
        let section =
            sections.find_map(|section| section.strip_prefix(heading)?.strip_prefix('\n'));
        section.unwrap_or_default().trim()
    }
}

/// Where something is: in the text of a source, or the source as a whole.
#[derive(Clone, Debug)]
pub struct Location {
    /// The file.
    pub source: Arc<Source>,
    /// The bytes in it; `None` for the file as such.
    pub span: Option<Span>,
    /// JSON Pointer (RFC 6901) of the value there, if it is one.
    pub pointer: Option<String>,
}

impl Location {
    /// The whole of a node.
    #[must_use]
    pub fn node(source: &Arc<Source>, node: Node<'_>) -> Self {
        Self::part(source, node, node.text_span())
    }

    /// A part of the source that belongs to a node.
    #[must_use]
    pub fn part(source: &Arc<Source>, node: Node<'_>, span: Span) -> Self {
        Self {
            source: Arc::clone(source),
            span: Some(span),
            pointer: Some(node.pointer()),
        }
    }

    /// A part of the source that is no value.
    #[must_use]
    pub fn text(source: &Arc<Source>, span: Span) -> Self {
        Self {
            source: Arc::clone(source),
            span: Some(span),
            pointer: None,
        }
    }

    /// A file whose contents do not matter, or cannot be shown.
    #[must_use]
    pub fn file(source: &Arc<Source>) -> Self {
        Self {
            source: Arc::clone(source),
            span: None,
            pointer: None,
        }
    }
}

/// A further place that belongs to a finding.
#[derive(Clone, Debug)]
pub struct Label {
    /// Where it is.
    pub location: Location,
    /// What it has to do with the finding.
    pub message: String,
}

/// Whether a fix may be made without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Every runtime makes the same filter of the profile before and after,
    /// or made none of it before.
    Safe,
    /// The filter changes, or a comment is lost; a person should look.
    Unsafe,
}

/// One replacement in the source that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace.
    pub span: Span,
    /// What to put there.
    pub text: String,
}

/// What to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be made without asking.
    pub applicability: Applicability,
    /// The replacements; they do not overlap.
    pub edits: Vec<Edit>,
}

/// Where it is said that a finding is not to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the file that it is about.
    InSource,
    /// Elsewhere.
    External,
}

/// Why a finding is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Where that is said.
    pub origin: Origin,
    /// Why.
    pub reason: String,
}

/// One thing that is wrong, or worth knowing.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// Where it is.
    pub location: Location,
    /// A few words to stand at the place itself.
    pub here: Option<String>,
    /// Further places that belong to it.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// What a program wants to know without reading the message.
    pub facts: Map<String, Value>,
    /// What to write instead.
    pub fix: Option<Fix>,
    /// Why it is not reported; `None` if it is.
    pub suppression: Option<Suppression>,
}

impl Finding {
    /// A finding with the rule's own severity, and nothing but a message.
    #[must_use]
    pub fn new(rule: &'static Rule, location: Location, message: impl Into<String>) -> Self {
        // A name can be as long as a file.
        const LONGEST: usize = 1_000;
        let mut message = message.into();
        if message.len() > LONGEST {
            message.truncate(message.floor_char_boundary(LONGEST));
            message.push('…');
        }
        Self {
            rule,
            severity: rule.severity,
            message,
            location,
            here: None,
            labels: Vec::new(),
            help: None,
            facts: Map::new(),
            fix: None,
            suppression: None,
        }
    }

    /// Sets a severity other than the rule's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets the words that stand at the place itself.
    #[must_use]
    pub fn here(mut self, words: impl Into<String>) -> Self {
        self.here = Some(words.into());
        self
    }

    /// Adds a further place.
    #[must_use]
    pub fn label(mut self, location: Location, message: impl Into<String>) -> Self {
        let message = message.into();
        self.labels.push(Label { location, message });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Says what to take out, if anything can be.
    #[must_use]
    pub fn removal(self, applicability: Applicability, span: Option<Span>) -> Self {
        match span {
            Some(span) => self.fix(applicability, span, ""),
            None => self,
        }
    }

    /// Says what to write instead: one replacement.
    #[must_use]
    pub fn fix(self, applicability: Applicability, span: Span, text: &str) -> Self {
        let text = text.to_owned();
        self.edits(applicability, vec![Edit { span, text }])
    }

    /// Says what to write instead: replacements that belong together, and do not
    /// overlap.
    #[must_use]
    pub fn edits(mut self, applicability: Applicability, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix {
            applicability,
            edits,
        });
        self
    }
}
