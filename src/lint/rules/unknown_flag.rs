use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::word::{nearest, unlisted};
use crate::lint::{Context, Findings, LintRule, target_use};
use crate::profile::Text;
use crate::runtime::runc_knows_flags;
use crate::target::Target;

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
    let flags = flags.map(Vec::as_slice).unwrap_or_default();
    let is_known = |flag: &&Text<'_>| FLAGS.contains(&flag.value);
    if let Some(first) = flags.iter().find(is_known) {
        findings.extend(too_young(context, first));
    }
    for flag in flags.iter().filter(|flag| !is_known(flag)) {
        let written = flag.value;
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

/// What comes of a right flag on the targets whose runc knows none.
fn too_young(context: &Context<'_>, flag: &Text<'_>) -> Option<Finding> {
    let knows_none = |target: &&Target| {
        let version = target.runc.as_deref();
        version.and_then(runc_knows_flags) == Some(false)
    };
    let targets = context.targets();
    let targets: Vec<_> = targets
        .iter()
        .map(|it| it.target)
        .filter(knows_none)
        .collect();
    let version = targets.first()?.runc.as_deref()?;
    let message = format!("runc {version} knows no flags, and refuses a profile that has some");
    let finding = Finding::new(&RULE.rule, context.at(flag.node), message)
        .severity(Severity::Warning)
        .here("known to crun, and to runc from 1.2 on")
        .help("leave `flags` out where containers are started by such a runc")
        .fact("flag", flag.value);
    Some(target_use::on(finding, &targets, context.targets()))
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
