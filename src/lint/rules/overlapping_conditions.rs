use crate::filter::Diagrams;
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::architectures::seen_and_usual;
use crate::lint::rivals::{Containers, Contested, Rival, call_words, effect_words};
use crate::lint::winner::{Judge, Won};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "overlapping-conditions",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/overlapping-conditions.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut judge = Judge::default();
    let mut architectures = None;
    for contested in context.contested() {
        let rivals: Vec<_> = contested.contradicting().collect();
        let Some(first) = rivals.first() else {
            continue;
        };
        if rivals.iter().all(|it| it.effect == first.effect) {
            continue;
        }
        let architectures = architectures.get_or_insert_with(|| seen_and_usual(context));
        let mut diagrams = Diagrams::default();
        let mut with_calls = Vec::new();
        for rival in rivals {
            with_calls.extend(rival.calls(&mut diagrams).map(|calls| (rival, calls)));
        }
        for (place, &(later, later_calls)) in with_calls.iter().enumerate() {
            let mut earlier = with_calls.iter().take(place);
            let finding = earlier.find_map(|&(first, calls)| {
                let containers = first.together(later)?;
                // What is refused is spoken of as that.
                let is_refused = !(contested.refusing([first, later], architectures)).is_empty();
                if first.effect == later.effect || is_refused {
                    return None;
                }
                let both = diagrams.both(calls, later_calls).ok()?;
                let call = diagrams.first(both)?.arguments;
                let rivals = [first, later];
                let won = judge.won(context, contested, rivals, both, &mut diagrams);
                let (end, call) = End::of(rivals, won, call, &diagrams)?;
                Some(report(context, contested, rivals, &containers, call, end))
            });
            findings.extend(finding);
        }
    }
}

/// What comes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The call is allowed, though one rule entry denies it.
    DenialLost,
    /// The rule entry of this place decides, and neither allows what the other denies.
    Won(usize),
    /// Nobody can tell.
    Unknown,
}

impl End {
    /// What comes of it, and a call of which that is so; `None` if it is what everybody expects:
    /// whatever is denied is denied.
    fn of(
        rivals: [&Rival<'_>; 2],
        won: Option<Won>,
        call: [u64; 6],
        diagrams: &Diagrams,
    ) -> Option<(Self, [u64; 6])> {
        let Some(Won { sets, all }) = won else {
            return Some((Self::Unknown, call));
        };
        let permits = rivals.map(|it| it.effect.action.permits());
        let winner = sets.iter().position(|set| *set == all);
        if permits[0] == permits[1] {
            return Some((winner.map_or(Self::Unknown, Self::Won), call));
        }
        let [denied, allowed] = if permits[0] { [sets[1], sets[0]] } else { sets };
        match diagrams.first(allowed) {
            Some(lost) => Some((Self::DenialLost, lost.arguments)),
            None if denied == all => None,
            None => Some((Self::Unknown, call)),
        }
    }
}

fn report(
    context: &Context<'_>,
    contested: &Contested<'_>,
    rivals: [&Rival<'_>; 2],
    containers: &Containers<'_>,
    call: [u64; 6],
    end: End,
) -> Finding {
    let name = contested.syscall.name();
    let effects = rivals.map(|it| effect_words(it.effect));
    let [first, later] = rivals;
    let [one, other] = &effects;
    let (severity, end) = match end {
        End::DenialLost => (
            Severity::Error,
            "by libseccomp's inner order it is let through".to_owned(),
        ),
        End::Won(place) => {
            let winner = effects.get(place).unwrap_or(one);
            let words = format!("by libseccomp's inner order {winner} wins");
            (Severity::Warning, words)
        }
        End::Unknown => (
            Severity::Warning,
            "which one decides is up to libseccomp's inner order".to_owned(),
        ),
    };
    let message = format!(
        "{} meets the conditions of two rule entries, {one} and {other}{}: {end}",
        call_words(name, &rivals, &call),
        containers.phrase()
    );
    Finding::new(&RULE.rule, context.at(later.name.node), message)
        .severity(severity)
        .here(format!("{other} here"))
        .label(context.at(first.name.node), format!("{one} here"))
        .help("write conditions that no call meets in both")
        .fact("syscall", name)
        .fact("arguments", call.to_vec())
        .fact("with", containers.with.clone())
        .fact("without", containers.without.clone())
}
