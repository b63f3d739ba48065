use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, target_use};
use crate::syscalls::{KernelVersion, Spelling, Syscall};
use crate::target::{Libseccomp, Platform, Target};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "syscall-newer-than-target",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/syscall-newer-than-target.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut targets = context.targets().iter().map(|it| it.target);
    if !targets.any(|it| it.libseccomp.is_some() || it.kernel.is_some()) {
        return;
    }
    for name in context.names() {
        let Spelling::Known(syscall) = name.spelling else {
            continue;
        };
        // What is on none of a target's architectures has no effect there at any release.
        let targets = context.targets_where(|target| {
            lack(target.target, syscall).is_some()
                && target.may_have(syscall)
                && target.may_apply(name.entry)
        });
        if targets.is_empty() {
            continue;
        }
        let mut finding = describe(context.at(name.text.node), &targets, syscall)
            .here("newer than the target")
            .fact("syscall", name.text.value)
            .fact("first_libseccomp", syscall.first_release().to_string());
        if let Some(first) = syscall.first_kernel() {
            finding = finding.fact("first_kernel", first.to_string());
        }
        findings.push(target_use::fact(finding, &targets));
    }
}

/// What a target has that is from before a call.
enum Lack {
    Libseccomp(Libseccomp),
    Linux(KernelVersion),
}

/// Where libseccomp does not know the name, the kernel is not asked.
fn lack(target: &Target, syscall: &Syscall) -> Option<Lack> {
    if let Some(libseccomp) = target.libseccomp.filter(|it| it.lacks(syscall)) {
        return Some(Lack::Libseccomp(libseccomp));
    }
    let first = syscall.first_kernel()?;
    let kernel = target.kernel.filter(|kernel| kernel.lacks(first))?;
    Some(Lack::Linux(kernel.version))
}

const NOT_KNOWN: &str =
    "the name is left out of the filter: the default action applies to the call";
const NOT_THERE: &str = "the call fails, whatever the profile says of it";

/// What a target has, and who says so: an option may have said otherwise than the platform.
fn has(target: &'static str, fact: &str, option: &str, is_own: bool) -> String {
    if is_own {
        format!("{target} has {fact}")
    } else {
        format!("{option} says {fact}")
    }
}

/// Message and help.
fn describe(place: Location, targets: &[&Target], syscall: &Syscall) -> Finding {
    let name = syscall.name();
    let release = syscall.first_release();
    let kernel = (syscall.first_kernel()).map_or_else(String::new, |first| first.to_string());
    let (mut libraries, mut kernels, mut unsure) = (Vec::new(), Vec::new(), Vec::new());
    let (mut not_known, mut not_there) = (Vec::new(), Vec::new());
    for target in targets {
        let platform = target.name.and_then(Platform::named);
        match (lack(target, syscall), target.name) {
            (Some(Lack::Libseccomp(libseccomp)), None) => {
                let has = libseccomp.release;
                let message =
                    format!("libseccomp {has} does not know `{name}`, which came with {release}");
                return Finding::new(&RULE.rule, place, message).help(format!("there {NOT_KNOWN}"));
            }
            (Some(Lack::Linux(has)), None) => {
                let message =
                    format!("Linux {has} does not have `{name}`, which came with {kernel}");
                return Finding::new(&RULE.rule, place, message).help(format!("there {NOT_THERE}"));
            }
            (Some(Lack::Libseccomp(libseccomp)), Some(target)) => {
                let is_own = platform.is_none_or(|own| own.libseccomp == Some(libseccomp));
                let release = libseccomp.release.to_string();
                libraries.push(has(target, &release, "--libseccomp", is_own));
                unsure.extend(libseccomp.backported.is_none().then_some(target));
                not_known.push(target);
            }
            (Some(Lack::Linux(version)), Some(name)) => {
                let is_own = platform.is_none_or(|own| own.kernel == target.kernel);
                kernels.push(has(name, &version.to_string(), "--kernel", is_own));
                not_there.push(name);
            }
            (None, _) => {}
        }
    }
    let mut came_with = Vec::new();
    let mut help = Vec::new();
    // What an option says is the same for all.
    libraries.dedup();
    kernels.dedup();
    if !libraries.is_empty() {
        came_with.push(format!("libseccomp {release}: {}", libraries.join(", ")));
        help.push(format!("on {} {NOT_KNOWN}", not_known.join(" and ")));
    }
    if !kernels.is_empty() {
        came_with.push(format!("Linux {kernel}: {}", kernels.join(", ")));
        help.push(format!("on {} {NOT_THERE}", not_there.join(" and ")));
    }
    if !unsure.is_empty() {
        let unsure = unsure.join(", ");
        help.push(format!(
            "which names were added to the libseccomp of {unsure} is not known here"
        ));
    }
    let message = format!("`{name}` came with {}", came_with.join(", and with "));
    Finding::new(&RULE.rule, place, message).help(help.join("; "))
}
