use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Decision, GivenErrno};
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "errno-out-of-range",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/errno-out-of-range.md"),
    },
    check,
};

/// The largest errno that libseccomp takes.
const LARGEST: u32 = 4094;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let given = context.errnos();
    for (decision, errno) in given.filter(|(decision, _)| decision.action.takes_errno()) {
        // What does not fit into 32 bits is no number to crun, and what is 0 has a rule of its own.
        if let Some(number) = errno.number
            && let Some((message, severity)) = what_is_wrong(context, &decision, &errno, number)
        {
            findings.push(
                Finding::new(&RULE.rule, context.at(errno.node), message)
                    .severity(severity)
                    .here("out of range")
                    .help("write the number that you mean: 1 is EPERM, 13 EACCES, 38 ENOSYS")
                    .fact("errno", number),
            );
        }
    }
}

fn what_is_wrong(
    context: &Context<'_>,
    decision: &Decision<'_>,
    errno: &GivenErrno<'_>,
    number: u32,
) -> Option<(String, Severity)> {
    let field = errno.field;
    let kept = number & 0xffff;
    if decision.action == Action::Trace {
        let message =
            format!("only 16 bits of `{field}` are kept: the tracer gets {kept}, not {number}");
        return (number != kept).then_some((message, Severity::Error));
    }
    let is_used = decision.entry.is_none_or(|entry| !entry.names.is_empty());
    match kept {
        0 => None,
        _ if kept > LARGEST && is_used => {
            let cut = if kept == number {
                String::new()
            } else {
                format!(", of which the lowest 16 bits are {kept}")
            };
            let message = format!(
                "no runtime starts a container with `{field}` {number}{cut}: libseccomp takes no errno above {LARGEST}"
            );
            Some((message, Severity::Error))
        }
        _ if kept != number => Some((
            format!(
                "only 16 bits of `{field}` are kept: the calls fail with errno {kept}, not {number}"
            ),
            Severity::Error,
        )),
        _ => {
            let which = match kept {
                0..=134 => return None,
                // ENOTRECOVERABLE and its like on MIPS and PA-RISC, and EDQUOT on MIPS.
                135..=258 | 1133 if are_all_others(context) => return None,
                135..=258 | 1133 => "except on MIPS and PA-RISC, no errno has",
                _ => "no errno has",
            };
            Some((
                format!("{which} the number {number}: programs take it for an unknown error"),
                Severity::Warning,
            ))
        }
    }
}

/// Whether all hosts are of those that have more errnos.
fn are_all_others(context: &Context<'_>) -> bool {
    let hosts = context.hosts();
    let is_other = |host: &Arch| {
        use Arch::{Mips, Mips64, Mips64N32, Mipsel, Mipsel64, Mipsel64N32, Parisc, Parisc64};
        matches!(
            host,
            Mips | Mips64 | Mips64N32 | Mipsel | Mipsel64 | Mipsel64N32 | Parisc | Parisc64
        )
    };
    !hosts.is_empty() && hosts.iter().all(is_other)
}
