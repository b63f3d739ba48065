use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::rivals::{holds_where, together};
use crate::lint::{Context, Findings, LintRule, NameUse, Permission};
use crate::profile::Filter;
use crate::syscalls::known;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "clone3-unfilterable",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/clone3-unfilterable.md"),
    },
    check,
};

/// `CLONE_NEWNS`, `CLONE_NEWCGROUP`, `CLONE_NEWUTS`, `CLONE_NEWIPC`, `CLONE_NEWUSER`,
/// `CLONE_NEWPID` and `CLONE_NEWNET`.
const NAMESPACES: [u64; 7] = [
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];

/// Who has it makes namespaces anyway.
const ANYWAY: &str = "CAP_SYS_ADMIN";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let clone3 = context.permission(known::CLONE3);
    if context.permission(known::CLONE) != Some(Permission::Sometimes)
        || !matches!(clone3, Some(Permission::Always | Permission::Sometimes))
        || !context.may_let_run(known::CLONE3)
    {
        return;
    }
    let restricted = || {
        context
            .uses(known::CLONE)
            .filter(|it| keeps_from_namespaces(it))
    };
    let mut open = context.uses(known::CLONE3).filter(|it| opens(context, it));
    let both = open.find_map(|open| {
        restricted().find_map(|clone| {
            let containers = together(clone.entry, open.entry)?;
            let hosts = hosts(open.entry.includes.as_ref());
            Some((clone, Some(open), format!("{hosts}{}", containers.phrase())))
        })
    });
    // By default, then.
    let by_default = || {
        let clone = restricted().next()?;
        (clone3 == Some(Permission::Always)).then_some((clone, None, String::new()))
    };
    let Some((clone, open, place)) = both.or_else(by_default) else {
        return;
    };
    let message = format!(
        "`clone` is allowed only without some flags for namespaces, and `clone3`, whose flags no filter sees, is allowed with all{place}"
    );
    let node = open.unwrap_or(clone).text.node;
    let finding = Finding::new(&RULE.rule, context.at(node), message)
        .here("makes any namespace all the same")
        .help("answer `clone3` with ENOSYS (`errnoRet` 38): programs then use `clone`")
        .fact("syscall", "clone3");
    findings.push(match open {
        Some(_) => finding.label(context.at(clone.text.node), "restricted here"),
        None => finding,
    });
}

/// Whether a rule entry lets `clone3` run where `clone` is not let run with all flags, and not only
/// for those who may make namespaces anyway.
fn opens(context: &Context<'_>, name: &NameUse<'_>) -> bool {
    let default = context.profile().and_then(|it| it.default_effect);
    // Those without conditions that the runtime adds.
    let decides = |it: &NameUse<'_>| it.entry.args.is_empty() && it.entry.effect != default;
    let includes = name.entry.includes.as_ref();
    let is_gated = includes.is_some_and(|it| it.caps.iter().any(|cap| cap.value == ANYWAY));
    let earlier = context.uses(known::CLONE3);
    let mut earlier = earlier.take_while(|it| !std::ptr::eq(*it, name));
    let mut clones = context.uses(known::CLONE);
    name.is_allowed()
        && name.entry.args.is_empty()
        && !is_gated
        && !earlier.any(|it| decides(it) && holds_where(it.entry, name.entry))
        && !clones.any(|it| decides(it) && holds_where(it.entry, name.entry))
}

/// ` on amd64, x86 from Linux 5.3 on`; nothing for all hosts.
fn hosts(includes: Option<&Filter<'_>>) -> String {
    let Some(includes) = includes else {
        return String::new();
    };
    let arches: Vec<_> = includes.arches.iter().map(|it| it.value).collect();
    let arches = match arches.as_slice() {
        [] => String::new(),
        arches => format!(" on {}", arches.join(", ")),
    };
    let kernel = includes.min_kernel.map(|it| it.value);
    let kernel = kernel.map_or_else(String::new, |it| format!(" from Linux {it} on"));
    arches + &kernel
}

/// Whether a rule entry tells calls with a flag for a namespace from those without it, and lets run
/// the latter: by argument 0, on s390x 1.
fn keeps_from_namespaces(name: &NameUse<'_>) -> bool {
    let Some(permits) = name.entry.permits() else {
        return false;
    };
    let mut comparisons = name.entry.args.iter().filter_map(|it| it.comparison);
    comparisons.any(|it| {
        let runs = |flags: u64| it.holds(flags) == permits;
        let mut others = [0, it.example(), it.counterexample()].into_iter();
        let is_about_flags = match it.index {
            0 => true,
            1 => NAMESPACES
                .iter()
                .any(|flag| (it.value | it.value_two) & flag != 0),
            _ => false,
        };
        is_about_flags
            && others.any(|other| runs(other) && NAMESPACES.iter().any(|it| !runs(other | it)))
    })
}
