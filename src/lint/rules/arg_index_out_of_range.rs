use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{about, listed};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::{self, Parameter, Syscall};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "arg-index-out-of-range",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/arg-index-out-of-range.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let Some(written) = condition.condition.index else {
            continue;
        };
        let index = condition.comparison.index;
        let location = || context.at(written.node);
        if index > 5 {
            let message = format!("a condition on argument {index}, but arguments end with 5");
            findings.push(
                Finding::new(&RULE.rule, location(), message)
                    .here("no such argument")
                    .help("count from 0: a system call has six arguments, and runtimes refuse a rule about any other")
                    .fact("index", index),
            );
            continue;
        }
        let names = condition.syscalls(|syscall| syscall.lacks_parameter(index.into()));
        if names.is_empty() {
            continue;
        }
        let has = if names.len() == 1 { "has" } else { "have" };
        let message = format!(
            "{} {has} no argument {index}: the condition compares what happens to be in the register",
            listed(&names)
        );
        let finding = Finding::new(&RULE.rule, location(), message)
            .severity(Severity::Warning)
            .here("not an argument of it")
            .help(advice(&names))
            .fact("index", index);
        findings.push(about(finding, &names));
    }
}

fn advice(names: &[&str]) -> String {
    let [name] = names else {
        return "give them a rule entry without the condition".to_owned();
    };
    let parameters = syscalls::lookup(name).and_then(Syscall::parameters);
    match parameters.unwrap_or_default() {
        [] => format!("`{name}` takes no arguments: give it a rule entry without conditions"),
        list => {
            let numbered = |(index, it): (usize, &Parameter)| format!("{index} is `{}`", it.name);
            let list: Vec<_> = list.iter().enumerate().map(numbered).collect();
            format!("the arguments of `{name}`: {}", list.join(", "))
        }
    }
}
