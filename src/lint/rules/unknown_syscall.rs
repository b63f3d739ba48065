use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::{self, Spelling, TABLE_RELEASE};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unknown-syscall",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/unknown-syscall.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in context.odd_names() {
        let written = name.text.value;
        let finding = |why: &str| {
            let message = format!("{why}, so this {} by that name", name.effect());
            Finding::new(&RULE.rule, context.at(name.text.node), message).fact("syscall", written)
        };
        match name.spelling {
            Spelling::Unknown => {
                let finding = finding(&format!("no architecture has a syscall `{written}`"))
                    .here("no such syscall");
                let meant = findings
                    .has_room()
                    .then(|| syscalls::suggest(written))
                    .flatten();
                findings.push(match meant {
                    Some(meant) => finding
                        .help(format!("did you mean `{meant}`?"))
                        .fact("suggestion", meant)
                        .fix(Applicability::Unsafe, name.text.node.text_span(), meant),
                    None => finding.help(format!(
                        "libseccomp {TABLE_RELEASE} knows no name like it; correct it or remove it"
                    )),
                });
            }
            Spelling::NotACall(why) => findings.push(
                finding(&format!("`{written}` is {why}"))
                    .here("in no filter")
                    .help("remove it"),
            ),
            // Names that libseccomp dropped: unknown, unless the target is older.
            Spelling::Known(syscall) => {
                let Some(last) = syscall.last_release() else {
                    continue;
                };
                let lacking = context.targets_where(|target| {
                    let libseccomp = target.target.libseccomp;
                    last < libseccomp.map_or(TABLE_RELEASE, |libseccomp| libseccomp.release)
                });
                if !lacking.is_empty() {
                    let finding = finding(&format!("libseccomp dropped `{written}` after {last}"))
                        .here("no longer a syscall")
                        .help("remove it");
                    findings.push(context.on(finding, &lacking));
                }
            }
            Spelling::Alias(_) | Spelling::Malformed(_) => {}
        }
    }
}
