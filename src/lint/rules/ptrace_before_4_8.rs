use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, NameUse, Permission};
use crate::profile::{Filter, RuleEntry};
use crate::syscalls::{KernelVersion, known};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "ptrace-before-4-8",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/ptrace-before-4-8.md"),
    },
    check,
};

/// The first kernel that has the filter look again at what a tracer made of a call.
const SAFE: KernelVersion = KernelVersion::new(4, 8);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let kernel_is_old = |kernel: crate::target::Kernel| kernel.lacks(SAFE);
    let old = context.targets_where(|it| it.target.kernel.is_some_and(kernel_is_old));
    if old.is_empty() {
        return;
    }
    let mut uses = context.uses(known::PTRACE);
    let place = match context.permission(known::PTRACE) {
        Some(Permission::Always) => {
            let allowing = uses.find(|name| name.is_allowed());
            let default = || context.profile()?.default_action;
            allowing.map(|name| *name.text).or_else(default)
        }
        Some(Permission::Sometimes) => {
            let kernels = || old.iter().filter_map(|target| target.kernel);
            let holds = |name: &NameUse<'_>| kernels().any(|it| holds_on(name.entry, it.version));
            uses.find(|name| name.is_free() && holds(name))
                .map(|name| *name.text)
        }
        _ => None,
    };
    let Some(place) = place else {
        return;
    };
    let finding = Finding::new(
        &RULE.rule,
        context.at(place.node),
        "`ptrace` is allowed: before Linux 4.8 a tracer can change a call after the filter let it through",
    )
    .here("a way around the filter")
    .help("leave it out on such hosts; for Docker, `includes.minKernel` can say that it takes 4.8")
    .fact("syscall", "ptrace");
    findings.push(context.on(finding, &old));
}

/// Whether a rule entry may hold on a kernel, as far as Docker asks for that.
fn holds_on(entry: &RuleEntry<'_>, kernel: KernelVersion) -> bool {
    let is_reached = |filter: &Filter<'_>| {
        let least = filter.min_kernel?.value.parse::<KernelVersion>().ok()?;
        Some(least <= kernel)
    };
    let [included, excluded] =
        [&entry.includes, &entry.excludes].map(|filter| filter.as_ref().and_then(is_reached));
    included != Some(false) && excluded != Some(true)
}
