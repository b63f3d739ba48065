use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Action;
use crate::syscalls::{Arch, Release};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "native-architecture-missing",
        category: Category::Portability,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/portability/native-architecture-missing.md"),
    },
    check,
};

/// The errno of a call that the kernel does not have.
const ENOSYS: u32 = 38;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let Some(list) = profile.node.get("architectures") else {
        return;
    };
    // Where newer calls run, or fail with ENOSYS anyway, the stub that is lost changes nothing.
    let default = profile.default_decision().filter(|default| {
        let is_enosys = default
            .errno(context.readers())
            .is_some_and(|errno| errno.number == Some(ENOSYS));
        !default.action.permits() && default.action != Action::Trace && !is_enosys
    });
    if default.is_none() {
        return;
    }
    let named = || {
        let names = profile.architectures.iter();
        names.filter_map(|name| Arch::from_token(name.value))
    };
    let may_lose_stub = |host: Arch| {
        context.targets().iter().map(|it| it.target).any(|target| {
            let runc = target.runc.as_deref();
            target.architectures.contains(&host) && runc.is_none_or(loses_stub)
        })
    };
    for host in context.hosts() {
        if !may_lose_stub(host) {
            continue;
        }
        // With one of another byte order the profile is refused there, which is said elsewhere.
        let is_foreign = |arch: Arch| arch.is_little_endian() != host.is_little_endian();
        if named().next().is_none() || named().any(|arch| arch == host || is_foreign(arch)) {
            continue;
        }
        let token = host.token();
        let message = format!(
            "`{token}` is not named: {host} hosts add it all the same, but runc up to 1.1.14 answers calls that are newer than the profile with the default action there"
        );
        findings.push(
            Finding::new(&RULE.rule, context.bracket(list), message)
                .here("without the host's own")
                .help(format!("add `{token}`"))
                .fact("architecture", token),
        );
    }
}

/// Whether a version of runc makes its stub for the named architectures only, as those before 1.1.15
/// do; or is none.
fn loses_stub(version: &str) -> bool {
    let upstream = version.split(['+', '~', '-']).next().unwrap_or_default();
    upstream
        .parse::<Release>()
        .is_ok_and(|it| it < Release::new(1, 1, 15))
}
