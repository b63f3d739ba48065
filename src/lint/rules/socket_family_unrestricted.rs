use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::syscalls::known;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "socket-family-unrestricted",
        category: Category::Security,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/security/socket-family-unrestricted.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.permits_by_default() != Some(false)
        || context.permission(known::SOCKET) != Some(Permission::Always)
    {
        return;
    }
    let mut uses = context.uses(known::SOCKET);
    let Some(name) = uses.find(|name| name.is_allowed() && name.entry.args.is_empty()) else {
        return;
    };
    findings.push(
        Finding::new(
            &RULE.rule,
            context.at(name.text.node),
            "`socket` is allowed for every address family, `AF_ALG` (38) and `AF_VSOCK` (40) among them",
        )
        .here("any family")
        .help("allow the families that the program uses: a rule entry for each, `SCMP_CMP_MASKED_EQ` with the mask 4294967295 on argument 0")
        .fact("syscall", "socket"),
    );
}
