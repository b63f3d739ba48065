use crate::engine::Engine;
use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "invalid-min-kernel",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/invalid-min-kernel.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_docker = |engine: Engine| engine == Engine::Docker;
    let is_read = Readers::engines(context, is_docker).is_some();
    let Some(profile) = context.profile().filter(|_| is_read) else {
        return;
    };
    let versions = profile
        .filters()
        .filter_map(|(_, filter)| filter.min_kernel);
    for version in versions {
        let written = version.value;
        if written.is_empty() || is_version(written) {
            continue;
        }
        let message =
            format!("`{written}` is no kernel version to Docker, which refuses the profile");
        let finding = Finding::new(&RULE.rule, context.at(version.node), message)
            .here("must be two numbers, as in \"4.8\"")
            .fact("minKernel", written);
        findings.push(match shortened(written) {
            Some(short) => finding
                .help(format!(
                    "write `{short}`: Docker compares the first two numbers only"
                ))
                .fact("suggestion", short)
                .fix(Applicability::Safe, version.node.text_span(), short),
            None => finding.help("write the two first numbers of the kernel's version"),
        });
    }
}

/// Two numbers up to 255, not both 0, as moby's `KernelVersion` is read.
fn is_version(written: &str) -> bool {
    let number = |digits: &str| {
        let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_digits.then(|| digits.parse::<u8>().ok()).flatten()
    };
    let numbers = written
        .split_once('.')
        .and_then(|(kernel, major)| Some((number(kernel)?, number(major)?)));
    numbers.is_some_and(|numbers| numbers != (0, 0))
}

/// The version without what stands behind its first two numbers.
fn shortened(written: &str) -> Option<&str> {
    let written = written.trim().trim_start_matches('v');
    let (kernel, rest) = written.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let short = written.get(..kernel.len() + 1 + digits)?;
    is_version(short).then_some(short)
}
