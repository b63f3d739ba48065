use crate::engine::Engine;
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Dialects, Text};
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "podman-validate-gap",
        category: Category::Portability,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/portability/podman-validate-gap.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let reads = |engine: Engine| engine.dialect() == Dialects::PODMAN;
    if Readers::engines(context, reads).is_none() {
        return;
    }
    let entries = profile.entries.iter().filter_map(|entry| entry.action);
    let default = profile.default_action.into_iter();
    let unknown = |text: &Text<'_>| {
        let name = text.value;
        matches!(name, "SCMP_ACT_KILL_PROCESS" | "SCMP_ACT_KILL_THREAD")
    };
    let notifies = |text: &Text<'_>| Action::of_name(text.value) == Some(Action::Notify);
    let default = default.filter(|text| unknown(text) || notifies(text));
    let architectures = profile.architectures.iter().copied().filter(|text| {
        let arch = Arch::from_token(text.value);
        arch.is_some_and(|arch| !is_converted(arch))
    });
    for text in default.chain(entries.filter(unknown)).chain(architectures) {
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let written = text.value;
        let message = format!(
            "containers/common's own check of profiles refuses `{written}`, which Podman, Buildah and CRI-O hand to the runtime"
        );
        findings.push(
            Finding::new(&RULE.rule, context.at(text.node), message)
                .here("unknown to the check")
                .help("nothing needs to be changed for containers; a program that calls `ValidateProfile` or `BuildFilter` refuses the profile")
                .fact("word", written),
        );
    }
}

/// The architectures that the check knows.
const fn is_converted(arch: Arch) -> bool {
    !matches!(
        arch,
        Arch::Loongarch64
            | Arch::M68k
            | Arch::Parisc
            | Arch::Parisc64
            | Arch::Riscv64
            | Arch::Sh
            | Arch::Sheb
    )
}
