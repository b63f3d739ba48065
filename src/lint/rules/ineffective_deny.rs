use crate::filter::Diagrams;
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::rivals::{Containers, Contested, Rival, call_words};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "ineffective-deny",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/ineffective-deny.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for contested in context.contested() {
        if contested.default.action.permits() {
            continue;
        }
        let denials = contested.rivals.iter();
        for denial in denials.filter(|it| it.effect == contested.default) {
            let permits = |it: &&Rival<'_>| it.effect.action.permits();
            let mut permissions = contested.rivals.iter().filter(permits);
            let beaten = permissions.find_map(|it| {
                let containers = it.together(denial)?;
                Some((it, containers, carved(denial, it)?))
            });
            if let Some((permission, containers, call)) = beaten {
                let rivals = [permission, denial];
                findings.push(report(context, contested, rivals, &containers, call));
            }
        }
    }
}

/// A call that was to be denied, and is allowed; `None` if there is none, or if what is denied is
/// only what the permission leaves over.
fn carved(denial: &Rival<'_>, permission: &Rival<'_>) -> Option<[u64; 6]> {
    if denial.is_unconditional() && !permission.is_unconditional() {
        return None;
    }
    let mut diagrams = Diagrams::default();
    let [denied, allowed] = [denial, permission].map(|it| it.calls(&mut diagrams));
    let (denied, allowed) = (denied?, allowed?);
    let both = diagrams.both(denied, allowed).ok()?;
    if both == allowed && denied != allowed {
        return None;
    }
    Some(diagrams.first(both)?.arguments)
}

fn report(
    context: &Context<'_>,
    contested: &Contested<'_>,
    [permission, denial]: [&Rival<'_>; 2],
    containers: &Containers<'_>,
    call: [u64; 6],
) -> Finding {
    let name = contested.syscall.name();
    // Another errno, which runtimes do add, would help in none of the cases: of two without conditions
    // the first counts, any without conditions beats one with, and two with the same are refused.
    let help = if denial.is_unconditional() {
        format!("take `{name}` out of the rule entry that allows it")
    } else if permission.shares_rule(denial) {
        "keep the one of the two that is meant".to_owned()
    } else {
        "give the rule entry that allows it conditions that leave these calls out".to_owned()
    };
    let message = format!(
        "this rule entry denies `{name}` as the default does, and runtimes leave it out: {} is allowed{}",
        call_words(name, &[denial], &call),
        containers.phrase()
    );
    Finding::new(&RULE.rule, context.at(denial.name.node), message)
        .here("denies nothing")
        .label(context.at(permission.name.node), "allowed here")
        .help(help)
        .fact("syscall", name)
        .fact("arguments", call.to_vec())
        .fact("with", containers.with.clone())
        .fact("without", containers.without.clone())
}
