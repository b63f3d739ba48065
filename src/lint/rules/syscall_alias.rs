use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, NameUse};
use crate::syscalls::{self, Alias, AliasKind, Arch, Spelling, Syscall};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "syscall-alias",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/syscall-alias.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in context.odd_names() {
        match &name.spelling {
            Spelling::Alias(_) if !findings.has_room() => findings.leave_out(),
            Spelling::Alias(alias) => findings.push(report(context, name, alias)),
            _ => {}
        }
    }
}

fn report(context: &Context<'_>, name: &NameUse<'_>, alias: &Alias) -> Finding {
    let written = name.text.value;
    let candidates = match alias.kind {
        AliasKind::Number(number) => numbered(context, number),
        _ => alias.candidates.clone(),
    };
    let names: Vec<_> = candidates.iter().map(|syscall| syscall.name()).collect();
    let effect = name.effect();
    let message = format!("no syscall is called `{written}`, so this {effect} by that name");
    let mut finding = Finding::new(&RULE.rule, context.at(name.text.node), message)
        .here("not a syscall's name")
        .fact("syscall", written);
    let why = format!("`{written}` is {}", alias.why);
    let stands_beside_it = |meant: &str| name.entry.names.iter().any(|text| text.value == meant);
    finding = match names.as_slice() {
        [] => finding.help(format!("write the name of the syscall: {why}")),
        all if all.iter().all(|meant| stands_beside_it(meant)) => {
            finding.message = format!(
                "no syscall is called `{written}`; {} stands beside it",
                quoted(all)
            );
            finding
                .severity(Severity::Info)
                .help(format!("remove it: {why}"))
        }
        [meant] => finding.help(format!("write `{meant}`: {why}")).fix(
            Applicability::Unsafe,
            name.text.node.text_span(),
            meant,
        ),
        all => finding.help(format!("write {}: {why}", quoted(all))),
    };
    match names.first() {
        Some(meant) => finding
            .fact("suggestion", *meant)
            .fact("suggestions", names),
        None => finding,
    }
}

/// The calls of a number on the targets' architectures; without any, on the two
/// that most containers run on.
fn numbered(context: &Context<'_>, number: u32) -> Vec<&'static Syscall> {
    let mut arches = context.active_architectures();
    if arches.is_empty() {
        arches.extend([Arch::X86_64, Arch::Aarch64]);
    }
    let mut calls: Vec<_> = (arches.iter())
        .filter_map(|&arch| syscalls::with_number(arch, number))
        .collect();
    calls.dedup_by_key(|syscall| syscall.name());
    calls
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}
