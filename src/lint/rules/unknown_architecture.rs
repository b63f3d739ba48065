use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::word::{nearest, unlisted};
use crate::lint::{Context, Findings, LintRule, removal};
use crate::profile::Text;
use crate::runtime::runc_knows_architecture;
use crate::syscalls::Arch;
use crate::target::Target;
use crate::text::Node;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unknown-architecture",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/unknown-architecture.md"),
    },
    check,
};

const PREFIX: &str = "SCMP_ARCH_";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let list = profile.node.get("architectures");
    for name in &profile.architectures {
        if findings.has_room() {
            findings.extend(added(context, *name, list));
        } else if Arch::from_token(name.value).is_none_or(|arch| !runc_knows_architecture(arch)) {
            findings.leave_out();
        }
    }
    // What is wrong with a field that the dialect does not have is said there.
    let is_map_read = Readers::of_formats(context).is_some();
    for entry in profile.arch_map.iter().filter(|_| is_map_read) {
        for name in &entry.sub_architectures {
            findings.extend(added(context, *name, None));
        }
        let host = entry
            .architecture
            .filter(|name| Arch::from_token(name.value).is_none());
        if let Some(name) = host {
            let written = name.value;
            let message = format!(
                "no host's architecture is `{written}`, so this part of `archMap` is never used"
            );
            let finding = Finding::new(&RULE.rule, context.at(name.node), message)
                .here("no such architecture");
            findings.push(suggest(finding, name, Applicability::Unsafe));
        }
    }
}

/// What is wrong with an architecture that is added to the filter. `list` is the
/// array that it can be taken out of.
fn added(context: &Context<'_>, name: Text<'_>, list: Option<Node<'_>>) -> Option<Finding> {
    let written = name.value;
    let finding = |message: String| Finding::new(&RULE.rule, context.at(name.node), message);
    let cruns_only = || format!("of the runtimes only crun knows the architecture `{written}`");
    if let Some(arch) = Arch::from_token(written) {
        if !runc_knows_architecture(arch) {
            let finding = finding(cruns_only()).here("known to crun only");
            let finding = finding.help("remove it, unless the containers run with crun only");
            return Some(finding.fact("architecture", written));
        }
        let first = arch.first_release();
        let release = |target: &Target| Some(target.libseccomp?.release);
        let is_older = |target: &Target| release(target).is_some_and(|release| release < first);
        let lacking = context.targets_where(|target| is_older(target.target));
        let oldest = lacking.iter().filter_map(|target| release(target)).min()?;
        list?;
        let finding = finding(format!(
            "libseccomp {oldest} does not know `{written}`: runtimes refuse the profile"
        ))
        .here("not on the target")
        .help(format!("libseccomp {first} is the first that does"))
        .fact("architecture", written)
        .fact("first_release", first.to_string());
        return Some(context.on(finding, &lacking));
    }
    if written == "SCMP_ARCH_NATIVE" {
        let finding = finding("crun and runc refuse `SCMP_ARCH_NATIVE`".to_owned())
            .here("known to libseccomp, not to them")
            .help("remove it: the host's own architecture is in every filter")
            .fact("architecture", written);
        let gone = list.and_then(|list| removal::of_element(context.source, list, name.node));
        return Some(finding.removal(Applicability::Safe, gone));
    }
    let bare = written.strip_prefix(PREFIX).unwrap_or(written);
    let is_cruns = |arch: &Arch| arch.name().eq_ignore_ascii_case(bare);
    let (message, here) = if Arch::ALL.iter().any(is_cruns) {
        (cruns_only(), "known to crun only")
    } else {
        (
            format!("no runtime knows {}", unlisted("architecture", written)),
            "no such architecture",
        )
    };
    Some(suggest(
        finding(message).here(here),
        name,
        Applicability::Safe,
    ))
}

/// Adds what was most likely meant. A guess by distance is never a safe one.
fn suggest(finding: Finding, name: Text<'_>, applicability: Applicability) -> Finding {
    let finding = finding.fact("architecture", name.value);
    let lower = name.value.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("scmp_arch_").unwrap_or(&lower);
    let guess = || {
        let names = Arch::ALL.iter().map(|arch| arch.name());
        let near = nearest(names, bare, if bare.len() > 4 { 2 } else { 1 })?;
        Some((Arch::from_name(near)?, Applicability::Unsafe))
    };
    match Arch::from_name(bare)
        .map(|arch| (arch, applicability))
        .or_else(guess)
    {
        Some((arch, applicability)) => finding
            .help(format!("write `{}`", arch.token()))
            .fact("suggestion", arch.token())
            .fix(applicability, name.node.text_span(), arch.token()),
        None => {
            finding.help("correct it or remove it; the host's own architecture need not be named")
        }
    }
}
