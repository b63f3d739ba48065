use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::{FORMATS, Readers};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Dialects, Side, Text};
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "arches-filter-never-matches",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/arches-filter-never-matches.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(profile), Some(_)) = (context.profile(), Readers::of_formats(context)) else {
        return;
    };
    let dialects = context.readers() & FORMATS;
    for (side, filter) in profile.filters() {
        let names = filter.arches.iter();
        let uses: Vec<_> = names
            .map(|&name| (name, Use::of(name.value, dialects)))
            .collect();
        let is_live = uses.iter().any(|&(_, name)| name == Use::Host);
        for &(name, _) in uses.iter().filter(|(_, name)| *name == Use::Wrong) {
            if !findings.has_room() {
                findings.leave_out();
                continue;
            }
            let effect = match side {
                Side::Includes if !is_live => ", so this rule entry never applies",
                Side::Includes => ", so this rule entry does not apply there",
                Side::Excludes => ", so it excludes nothing",
            };
            findings.push(report(context, name, &filter.arches, effect, dialects));
        }
        let is_idle = !is_live && uses.iter().all(|&(_, name)| name == Use::Idle);
        if let (true, Some(name)) = (is_idle, filter.arches.first()) {
            let message = format!("no container engine runs on `{}`", name.value);
            findings.push(
                Finding::new(&RULE.rule, context.at(name.node), message)
                    .severity(Severity::Info)
                    .here("no host is this")
                    .help(
                        "name the host's own architecture, not the one that a program is built for",
                    )
                    .fact("architecture", name.value),
            );
        }
    }
}

/// What a name in `arches` is to the engines of some dialects.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    /// A host's, to one of them at least.
    Host,
    /// An architecture's that no engine runs on.
    Idle,
    /// Nothing.
    Wrong,
}

impl Use {
    fn of(name: &str, dialects: Dialects) -> Self {
        match Arch::ALL
            .into_iter()
            .find(|&arch| names(arch, dialects).any(|own| own == name))
        {
            Some(arch) if arch.runs_engines() => Use::Host,
            Some(_) => Use::Idle,
            // Docker's own profile has `x32`, beside `amd64`.
            None if name == Arch::X32.name() => Use::Idle,
            None => Use::Wrong,
        }
    }
}

/// What the engines of some dialects call a host.
fn names(arch: Arch, dialects: Dialects) -> impl Iterator<Item = &'static str> {
    let docker = arch
        .docker_name()
        .filter(|_| dialects.contains(Dialects::DOCKER));
    let podman = dialects
        .contains(Dialects::PODMAN)
        .then(|| arch.podman_name());
    docker.into_iter().chain(podman)
}

fn report(
    context: &Context<'_>,
    name: Text<'_>,
    beside: &[Text<'_>],
    effect: &str,
    dialects: Dialects,
) -> Finding {
    let written = name.value;
    let engines = dialects.go_readers();
    let verb = if dialects.is_one() { "calls" } else { "call" };
    let message = format!("{engines} {verb} no host `{written}`{effect}");
    let finding = Finding::new(&RULE.rule, context.at(name.node), message)
        .here("no host's name")
        .fact("architecture", written);
    let lower = written.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("scmp_arch_").unwrap_or(&lower);
    let meant = Arch::from_name(bare).filter(|arch| arch.runs_engines());
    let mut meant: Vec<_> = meant
        .into_iter()
        .flat_map(|arch| names(arch, dialects))
        .collect();
    meant.dedup();
    let stands = |meant: &&str| beside.iter().any(|other| other.value == *meant);
    match meant.as_slice() {
        [] => finding.help("remove it, or write the host's architecture as the engine calls it"),
        all if all.iter().all(stands) => finding.severity(Severity::Info).help(format!(
            "remove it: `{}` stands beside it",
            all.join("` and `")
        )),
        [one] => finding
            .help(format!("write `{one}`"))
            .fact("suggestion", *one)
            .fix(Applicability::Unsafe, name.node.text_span(), one),
        all => finding.help(format!(
            "write `{}`, the first for Docker, the other for Podman",
            all.join("` and `")
        )),
    }
}
