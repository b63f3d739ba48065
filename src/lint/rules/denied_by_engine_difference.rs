use crate::engine::{Circumstances, Decision, Difference, Engine, differences, resolve};
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Effect};
use crate::syscalls::{Arch, KernelVersion};
use crate::text::Syntax;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "denied-by-engine-difference",
        category: Category::Portability,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/portability/denied-by-engine-difference.md"),
    },
    check,
};

/// Newer than any kernel that a profile can name.
const NEWEST: KernelVersion = KernelVersion::new(256, 0);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let engines = context.engines();
    if engines.len() < 2 || context.profile().is_none() || !is_whole_file(context) {
        return;
    }
    let mut hosts = context.hosts();
    if hosts.is_empty() {
        hosts.push(Arch::X86_64);
    }
    hosts.retain(|host| host.runs_engines());
    for &host in &hosts {
        let suffix = if hosts.len() > 1 {
            format!(", on {host}")
        } else {
            String::new()
        };
        compare(context, host, &suffix, findings);
    }
}

/// Whether an engine can be given the file as it is.
fn is_whole_file(context: &Context<'_>) -> bool {
    let document = context.document;
    document.syntax() == Syntax::Json
        && !document.is_embedded()
        && document.blanks().is_empty()
        && context.profile().map(|profile| profile.node) == document.root()
}

fn compare(context: &Context<'_>, host: Arch, suffix: &str, findings: &mut Findings) {
    let circumstances = Circumstances {
        arch: host,
        kernel: context
            .kernels()
            .and_then(|all| all.into_iter().min())
            .unwrap_or(NEWEST),
        capabilities: common_capabilities(context.engines()),
        is_privileged: false,
    };
    let mut sections = Vec::new();
    for &engine in context.engines() {
        let bytes = context.source.bytes();
        // What an engine refuses, or takes for no filter, has rules of its own.
        if let Ok(resolved) = resolve(bytes, context.document, engine, &circumstances)
            && let Ok(section) = resolved.section
        {
            sections.push((engine, section));
        }
    }
    let (engines, sections): (Vec<_>, Vec<_>) = sections.into_iter().unzip();
    for difference in differences(&sections, host).unwrap_or_default() {
        let first = difference.syscalls.first().copied();
        let name = context.names().find(|name| Some(name.text.value) == first);
        let Some(name) = name.filter(|_| findings.has_room()) else {
            findings.leave_out();
            continue;
        };
        let message = format!(
            "{}: {}{suffix}",
            listed(&difference.syscalls),
            told(&engines, &difference)
        );
        findings.push(
            Finding::new(&RULE.rule, context.at(name.text.node), message)
                .here("not the same everywhere")
                .help("`seclint resolve --engine` prints the section of each and why a rule entry is in it or not")
                .fact("syscalls", difference.syscalls.clone()),
        );
    }
}

/// The capabilities that containers have by default with every engine: what differs by capabilities
/// is no difference of the profile.
fn common_capabilities(engines: &[Engine]) -> Vec<&'static str> {
    let mut engines = engines.iter().map(|engine| engine.default_capabilities());
    let first = engines.next().unwrap_or_default().iter().copied();
    let mut common: Vec<_> = first.collect();
    for others in engines {
        common.retain(|capability| others.contains(capability));
    }
    common
}

/// What each engine makes of the calls, those together that make the same.
fn told(engines: &[Engine], difference: &Difference<'_>) -> String {
    let mut told: Vec<(&Decision<'_>, Vec<&str>)> = Vec::new();
    for (engine, decision) in engines.iter().zip(&difference.decisions) {
        match told.iter_mut().find(|(other, _)| *other == decision) {
            Some((_, titles)) => titles.push(engine.title()),
            None => told.push((decision, vec![engine.title()])),
        }
    }
    let mut depends = 0;
    let parts = told.iter().map(|(decision, titles)| {
        let words = match decision {
            Decision::Always(effect) => words(*effect),
            Decision::Depends(_) => {
                depends += 1;
                let which = if depends == 1 { "" } else { "other " };
                format!("decided by {which}conditions")
            }
        };
        format!("{words} with {}", titles.join(" and "))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn words(effect: Effect) -> String {
    match effect.action {
        Action::Allow => "allowed".to_owned(),
        Action::Errno => format!("fails with errno {}", effect.errno),
        Action::KillProcess | Action::KillThread => "killed".to_owned(),
        Action::Log => "logged".to_owned(),
        Action::Notify => "sent to a listener".to_owned(),
        Action::Trace => "sent to a tracer".to_owned(),
        Action::Trap => "trapped".to_owned(),
    }
}
