use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::word::{nearest, unlisted};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unknown-flag",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/unknown-flag.md"),
    },
    check,
};

/// The flags of the runtime specification.
const FLAGS: [&str; 4] = [
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];
const PREFIX: &str = "SECCOMP_FILTER_FLAG_";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let flags = context.profile().and_then(|profile| profile.flags.as_ref());
    for flag in flags.into_iter().flatten() {
        let written = flag.value;
        if FLAGS.contains(&written) {
            continue;
        }
        let message = format!("no runtime knows {}", unlisted("flag", written));
        let finding = Finding::new(&RULE.rule, context.at(flag.node), message)
            .here("no such flag")
            .fact("flag", written);
        findings.push(match meant(written) {
            Some(meant) => finding
                .help(format!("did you mean `{meant}`?"))
                .fact("suggestion", meant)
                .fix(Applicability::Unsafe, flag.node.text_span(), meant),
            None => finding.help(format!("the flags are {}", FLAGS.join(", "))),
        });
    }
}

/// The flag that someone who wrote `written` most likely means.
fn meant(written: &str) -> Option<&'static str> {
    let upper = written.trim().to_ascii_uppercase().replace('-', "_");
    let bare = upper.strip_prefix(PREFIX).unwrap_or(&upper);
    let begins = |flag: &&str| flag[PREFIX.len()..].starts_with(bare);
    if bare.len() > 2
        && let Some(flag) = FLAGS.into_iter().find(begins)
    {
        return Some(flag);
    }
    let names = FLAGS.map(|flag| &flag[PREFIX.len()..]);
    let near = nearest(names, bare, if bare.len() > 4 { 2 } else { 1 })?;
    FLAGS.into_iter().find(|flag| flag.ends_with(near))
}
