use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Digits;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "number-out-of-range",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/number-out-of-range.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // Of the operator's profiles, operator-schema speaks.
    let profile = context.profile();
    let Some(profile) = profile.filter(|profile| !profile.is_for_operator()) else {
        return;
    };
    let mut short = |field, number: Option<Digits<'_>>| {
        let is_in_range = |number: &Digits<'_>| {
            number
                .as_u64()
                .is_some_and(|number| number <= u32::MAX.into())
        };
        if let Some(number) = number.filter(|number| !is_in_range(number)) {
            findings.extend(report(context, field, number, u32::MAX.into()));
        }
    };
    short("defaultErrnoRet", profile.default_errno_ret);
    for entry in &profile.entries {
        short("errnoRet", entry.errno_ret);
        for condition in &entry.args {
            short("index", condition.index);
        }
    }
    let conditions = profile.entries.iter().flat_map(|entry| &entry.args);
    for condition in conditions {
        for (field, number) in [
            ("value", condition.value),
            ("valueTwo", condition.value_two),
        ] {
            if let Some(number) = number.filter(|number| number.as_u64().is_none()) {
                findings.extend(report(context, field, number, u64::MAX));
            }
        }
    }
}

fn report(
    context: &Context<'_>,
    field: &'static str,
    number: Digits<'_>,
    most: u64,
) -> Option<Finding> {
    let written = number.value;
    // What is no number to JSON is said there.
    if context.is_deviant(number.node) {
        return None;
    }
    let message = format!("`{field}` must be a whole number from 0 to {most}, not `{written}`");
    let finding = Finding::new(&RULE.rule, context.at(number.node), message)
        .fact("field", field)
        .fact("value", written);
    let fix = |finding: Finding, applicability, text: &str| {
        let span = number.node.span();
        finding
            .fact("suggestion", text)
            .fix(applicability, span, text)
    };
    Some(if written == "-0" {
        let finding = finding.here("has a sign");
        fix(finding, Applicability::Safe, "0")
            .help("write `0`: crun reads it so, runc refuses the profile")
    } else if written.contains(['.', 'e', 'E']) {
        let finding = finding.here("not written as digits alone");
        match whole(written).filter(|&whole| whole <= most) {
            Some(whole) => fix(finding, Applicability::Safe, &whole.to_string()).help(format!(
                "write `{whole}`: no reader takes a fraction or an exponent"
            )),
            None => finding.help("no reader takes a fraction or an exponent"),
        }
    } else if let Some(magnitude) = written.strip_prefix('-') {
        finding.here("below 0").help(negative(magnitude, most))
    } else if most == u64::MAX {
        let finding = finding.here("more than 64 bits");
        let help =
            "crun 1.28 takes 18446744073709551615 instead; crun 1.21 and runc refuse the profile";
        if written.parse() == Ok(TWO_POW_64) {
            let help = format!(
                "{help}. Programs that keep numbers as floating point write this for 18446744073709551615"
            );
            fix(finding, Applicability::Unsafe, &u64::MAX.to_string()).help(help)
        } else {
            finding.help(help)
        }
    } else {
        let finding = finding.here("more than 32 bits");
        match number.as_u64() {
            Some(number) if field != "index" => finding.help(format!(
                "crun refuses the profile; runc keeps the low 16 bits, which are {}",
                number & 0xffff
            )),
            _ => finding.help("no runtime starts a container with it"),
        }
    })
}

/// 2^64, which is also what the numbers just below it are as floating point.
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// The whole number that a fraction or an exponent stands for, exactly.
#[expect(clippy::cast_sign_loss, reason = "it is not below 0")]
fn whole(written: &str) -> Option<u64> {
    /// Up to here every whole number is a `f64`.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = written.parse().ok()?;
    let is_whole = number.fract() == 0.0 && (0.0..EXACT).contains(&number);
    is_whole.then_some(number as u64)
}

fn negative(magnitude: &str, most: u64) -> String {
    match magnitude.parse::<u64>() {
        _ if most < u64::MAX => "no runtime starts a container with it".to_owned(),
        Ok(magnitude) if magnitude <= 1 << 63 => {
            let wrapped = magnitude.wrapping_neg();
            let help =
                format!("crun takes it for {wrapped}; runc, Docker and Podman refuse the profile");
            if magnitude > 1 << 31 {
                return help;
            }
            let low = wrapped & u64::from(u32::MAX);
            format!("{help}; an argument of 32 bits has {low} for it")
        }
        _ => "crun takes it for some large number, 1.21 and 1.28 not for the same; runc refuses the profile".to_owned(),
    }
}
