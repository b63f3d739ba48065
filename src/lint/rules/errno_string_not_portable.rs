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
        let Self {
            by_name, by_number, ..
        } = self;
        let name = self.name.value;
        let finding = |message: String| {
            Finding::new(&RULE.rule, context.at(self.name.node), message).fact("errno", name)
        };
        let ignorant = Readers::without_field(context, Dialects::PODMAN);
        // The numbers of an x86-64 host, which all but those of MIPS have.
        let Some(meant) = podman_errno(name, Arch::X86_64) else {
            let message = match ignorant {
                Some(readers) => format!("{} `{by_name}`", readers.before("ignores", "ignore")),
                None => format!(
                    "Podman and CRI-O know no errno `{name}`: they refuse the profile where this holds"
                ),
            };
            let finding = finding(message).severity(Severity::Error);
            return Some(finding.here("no errno of theirs").help(format!(
                "write `{by_number}` and the number instead, which everything reads"
            )));
        };
        // Another number than one of 32 bits is told of as that.
        let written = match self.number {
            Some(number) => Some(number.as_u64()?),
            None => None,
        };
        if let Some(number) = written.filter(|&number| number != meant) {
            let message = format!(
                "`{by_name}` is `{name}`, which is {meant}, and `{by_number}` beside it is {number}: Podman and CRI-O take the first, everything else the second"
            );
            let finding = finding(message).here("two errnos");
            let number = self.number?.node;
            return Some(
                finding
                    .label(context.at(number), "another one")
                    .help(format!("write {meant} here, or the other number's name"))
                    .fix(
                        Applicability::Unsafe,
                        number.text_span(),
                        &meant.to_string(),
                    ),
            );
        }
        let readers = ignorant.filter(|_| written.is_none() && meant != EPERM)?;
        let message = format!(
            "{} `{by_name}`, so the errno is EPERM there, not `{name}`",
            readers.before("ignores", "ignore")
        );
        let mut members = self.object.members();
        let (key, _) = members.find(|&(_, value)| value == self.name.node)?;
        let added = format!("\"{by_number}\": {meant}, {:?}", key.as_str()?);
        Some(
            finding(message)
                .here("only Podman, Buildah and CRI-O read it")
                .help(format!("add `\"{by_number}\": {meant}`"))
                .fact("number", meant)
                .fix(Applicability::Unsafe, key.span(), &added),
        )
    }
}
