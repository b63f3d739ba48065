use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::denial::{Denial, largest_named};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::{self, Arch};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "runc-enosys-stub",
        category: Category::RuntimeCompat,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/runtime-compat/runc-enosys-stub.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(default) = Denial::by_default(context).filter(|it| !it.is_enosys()) else {
        return;
    };
    let mut hosts = context.hosts();
    if hosts.is_empty() {
        hosts.push(Arch::X86_64);
    }
    for host in hosts {
        let Some((largest, last)) = largest_named(context, host) else {
            continue;
        };
        let newer = syscalls::above(host, largest).map(syscalls::Syscall::name);
        let newer: Vec<_> = newer.collect();
        if newer.is_empty() {
            continue;
        }
        let message = format!(
            "`{}` has the largest number that is named for {host}, {largest}: under runc calls above it, {} among them, fail with ENOSYS; under crun they {}",
            last.text.value,
            listed(&newer),
            default.words(2)
        );
        findings.push(
            Finding::new(&RULE.rule, context.at(last.text.node), message)
                .here("the last call that runc asks the filter about")
                .help("to have the same everywhere, take ENOSYS as the default errno")
                .fact("architecture", host.name())
                .fact("number", largest)
                .fact("syscalls", newer),
        );
    }
}
