use crate::engine::podman_errno;
use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Dialects, Digits, Text};
use crate::syscalls::Arch;
use crate::text::Node;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "errno-string-not-portable",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/errno-string-not-portable.md"),
    },
    check,
};

/// What runtimes make of an errno that is not given.
const EPERM: u64 = 1;

/// An errno by name, and what stands beside it.
struct Named<'c> {
    name: Text<'c>,
    object: Node<'c>,
    by_name: &'static str,
    by_number: &'static str,
    number: Option<Digits<'c>>,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let default = profile.default_errno.map(|name| {
        let named = Named {
            name,
            object: profile.node,
            by_name: "defaultErrno",
            by_number: "defaultErrnoRet",
            number: profile.default_errno_ret,
        };
        (named, profile.default_effect)
    });
    let entries = profile.entries.iter().filter_map(|entry| {
        let named = Named {
            name: entry.errno?,
            object: entry.node,
            by_name: "errno",
            by_number: "errnoRet",
            number: entry.errno_ret,
        };
        Some((named, entry.effect))
    });
    for (named, effect) in default.into_iter().chain(entries) {
        if named.name.value.is_empty() {
            continue;
        }
        // An errno where none is taken is a mistake of its own.
        if effect.is_some_and(|it| !it.action.takes_errno()) {
            continue;
        }
        if findings.has_room() {
            findings.extend(named.finding(context));
        } else {
            findings.leave_out();
        }
    }
}

impl Named<'_> {
    fn finding(&self, context: &Context<'_>) -> Option<Finding> {
        let name = self.name.value;
        let hosts = context.hosts();
        let on = |host: Arch| podman_errno(name, host);
        // The numbers of an x86-64 host, which all but those of MIPS have.
        let meant = on(hosts.first().copied().unwrap_or(Arch::X86_64));
        let takers = Readers::engines(context, |engine| engine.dialect() == Dialects::PODMAN);
        if let (None, Some(takers)) = (meant, takers) {
            return Some(self.unknown(context, &takers));
        }
        // Another number than one of 32 bits is told of as that.
        let written = match self.number {
            Some(number) => Some(number.as_u64()?),
            None => None,
        };
        if let (Some(number), Some(meant)) = (written, meant) {
            let is_right = number == meant || hosts.iter().any(|&it| on(it) == Some(number));
            return (!is_right).then(|| self.contradicted(context, meant));
        }
        let ignorant = Readers::without_field(context, Dialects::PODMAN);
        let ignorant = ignorant.filter(|_| written.is_none() && meant != Some(EPERM))?;
        Some(self.ignored(context, &ignorant, meant))
    }

    fn told(&self, context: &Context<'_>, message: String) -> Finding {
        let finding = Finding::new(&RULE.rule, context.at(self.name.node), message);
        finding.fact("errno", self.name.value)
    }

    fn unknown(&self, context: &Context<'_>, takers: &Readers) -> Finding {
        let message = format!(
            "containers/common knows no errno `{}`: {} the profile where this holds",
            self.name.value,
            takers.before("refuses", "refuse")
        );
        self.told(context, message)
            .severity(Severity::Error)
            .here("no errno of theirs")
            .help(match self.number {
                Some(_) => format!("remove it: `{}` beside it is enough", self.by_number),
                None => format!(
                    "write `{}` and the number instead, which everything reads",
                    self.by_number
                ),
            })
    }

    fn contradicted(&self, context: &Context<'_>, meant: u64) -> Finding {
        let (name, number) = (self.name.value, self.number.map_or("", |it| it.value));
        let message = format!(
            "`{}` is `{name}`, which is {meant}, and `{}` beside it is {number}: Podman and CRI-O take the first, everything else the second",
            self.by_name, self.by_number
        );
        let finding = self.told(context, message).here("two errnos");
        match self.number {
            Some(number) if !is_success(meant) => finding
                .label(context.at(number.node), "another one")
                .help(format!("write {meant} here, or the other number's name"))
                .fix(
                    Applicability::Unsafe,
                    number.node.text_span(),
                    &meant.to_string(),
                ),
            _ => finding.help("write the same errno in both"),
        }
    }

    fn ignored(&self, context: &Context<'_>, ignorant: &Readers, meant: Option<u64>) -> Finding {
        let (by_name, by_number) = (self.by_name, self.by_number);
        let message = format!(
            "{} `{by_name}`, so the errno is EPERM there, not `{}`",
            ignorant.before("ignores", "ignore"),
            self.name.value
        );
        let finding = self.told(context, message);
        let finding = finding.here("only Podman, Buildah and CRI-O read it");
        let Some(meant) = meant.filter(|&meant| !is_success(meant)) else {
            return finding.help(format!("write `{by_number}` and the number that is meant"));
        };
        let finding = finding
            .help(format!("add `\"{by_number}\": {meant}`"))
            .fact("number", meant);
        let mut members = self.object.members();
        let Some((key, _)) = members.find(|&(_, value)| value == self.name.node) else {
            return finding;
        };
        let added = format!("\"{by_number}\": {meant}, \"{by_name}\"");
        finding.fix(Applicability::Unsafe, key.span(), &added)
    }
}

/// Whether a call with that errno returns 0, which `errno-zero` is about.
fn is_success(errno: u64) -> bool {
    errno as u16 == 0
}
