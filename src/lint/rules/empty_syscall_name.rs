use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::{Defect, Spelling};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "empty-syscall-name",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/empty-syscall-name.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in context.odd_names() {
        let Spelling::Malformed(malformed) = &name.spelling else {
            continue;
        };
        if context.is_deviant(name.text.node) {
            // That its bytes are no UTF-8, or no JSON, has been said.
            continue;
        }
        let written = name.text.value;
        let (message, here) = match malformed.defect {
            Defect::Empty => (
                "an empty syscall name: crun passes over it, runc refuses the profile".to_owned(),
                "empty",
            ),
            Defect::SurroundingSpace => (
                format!(
                    "white space around `{}` makes it another name, which no syscall has",
                    written.trim()
                ),
                "white space is part of the name",
            ),
            Defect::Character('\0') => (
                "a NUL in a syscall name: crun and runc read what stands before it".to_owned(),
                "the name ends at the NUL",
            ),
            Defect::Character(character) => (
                format!("`{written}` cannot be a syscall's name: it has a {character:?} in it"),
                "not a syscall's name",
            ),
            Defect::UpperCase => (
                format!("syscall names are lower case; no runtime knows `{written}`"),
                "not in lower case",
            ),
        };
        let finding = Finding::new(&RULE.rule, context.at(name.text.node), message)
            .here(here)
            .fact("syscall", written);
        findings.push(match malformed.correction {
            Some(meant) => finding
                .help(format!("write `{}`", meant.name()))
                .fact("suggestion", meant.name())
                .fix(
                    Applicability::Unsafe,
                    name.text.node.text_span(),
                    meant.name(),
                ),
            None => finding.help("remove it, or write the name of the syscall"),
        });
    }
}
