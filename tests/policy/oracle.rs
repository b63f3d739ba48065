//! The policy against the linked libseccomp.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use seclint::filter::linked;

use crate::worker::{Kind, Line, MARK, work};

/// What tells a process of this program that it is a worker, and for which numbers.
const WORK: &str = "SECLINT_ORACLE_WORK";

/// Plans and sections that are compared, unless `SECLINT_ORACLE` says how many.
const CASES: u64 = 1000;

/// A plan takes a few milliseconds, or for ever.
const PATIENCE: Duration = Duration::from_secs(4);

/// What came of them.
#[derive(Debug, Default)]
struct Tally {
    agreed: u64,
    refused: u64,
    foreseen: u64,
    unfounded: u64,
    unplanned: u64,
    endless: u64,
    calls: usize,
    undecided: usize,
    by_some: usize,
    differing: Vec<String>,
    /// Refusals that nobody foresaw.
    examples: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.agreed += other.agreed;
        self.refused += other.refused;
        self.foreseen += other.foreseen;
        self.unfounded += other.unfounded;
        self.unplanned += other.unplanned;
        self.endless += other.endless;
        self.calls += other.calls;
        self.undecided += other.undecided;
        self.by_some += other.by_some;
        self.differing.extend(other.differing);
        self.examples.extend(other.examples);
    }
}

/// `seclint why`, and all rules that need to know what a profile means, would be wrong.
#[test]
fn policies_mean_what_libseccomp_makes_of_plans() {
    check(Kind::Plans, "policies_mean_what_libseccomp_makes_of_plans");
}

/// `seclint predict` and `seclint diff` would be wrong of what reaches a runtime.
#[test]
fn policies_mean_what_libseccomp_makes_of_sections() {
    check(
        Kind::Sections,
        "policies_mean_what_libseccomp_makes_of_sections",
    );
}

fn check(kind: Kind, test: &str) {
    if let Ok(numbers) = std::env::var(WORK) {
        let (first, end) = numbers.split_once(' ').expect("two numbers");
        let first = first.parse().expect("a number");
        return work(kind, first..end.parse().expect("a number"));
    }
    let all = std::env::var("SECLINT_ORACLE").map(|all| all.parse().expect("a number"));
    let all = all.unwrap_or(CASES);
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let middle = all / 2;
        let halves = [0..middle, middle..all].map(|half| scope.spawn(|| compared(test, half)));
        for half in halves {
            tally.add(half.join().expect("a tally"));
        }
    });
    let Tally {
        agreed,
        refused,
        foreseen,
        unfounded,
        unplanned,
        endless,
        calls,
        undecided,
        by_some,
        differing,
        examples,
    } = tally;
    let release = linked().expect("a libseccomp");
    let figures = format!(
        "libseccomp {release}: {all} {kind:?}: {agreed} agree, {} differ, libseccomp refused \
         {foreseen} as foreseen and {refused} others, {unfounded} not though foreseen, and came to \
         no end with {endless}; {unplanned} were refused before; of {calls} calls {undecided} are \
         undecided for some arguments, and of {by_some} the rules on these alone tell as much",
        differing.len()
    );
    println!("{figures}");
    if let Ok(most) = std::env::var("SECLINT_ORACLE_REFUSED") {
        let most = most.parse().expect("a number");
        let shown = examples.iter().take(most);
        shown.for_each(|example| println!("{example}\n"));
    }
    let examples: Vec<_> = differing.iter().take(12).map(String::as_str).collect();
    assert!(differing.is_empty(), "{figures}\n{}", examples.join("\n\n"));
    assert_eq!(
        agreed + refused + foreseen + unfounded + unplanned + endless,
        all,
        "{figures}"
    );
    assert!(
        agreed > all / 2 && calls > 0 && undecided < calls / 2 && by_some > 0,
        "{figures}"
    );
    // Else predictions would tell of containers that start, and do not.
    let is_foreseen = foreseen > all / 50 && refused < all / 100 && unfounded <= all / 5000;
    assert!(is_foreseen || matches!(kind, Kind::Plans), "{figures}");
}

/// Compares plans or sections, each of which gets a few seconds.
fn compared(test: &str, plans: Range<u64>) -> Tally {
    let mut tally = Tally::default();
    let mut next = plans.start;
    while next < plans.end {
        let stuck = until_stuck(test, next..plans.end, &mut tally);
        next = match stuck {
            Some(stuck) => {
                tally.endless += 1;
                stuck + 1
            }
            None => plans.end,
        };
    }
    tally
}

/// Compares them in another process, up to the first that does not come to an end.
fn until_stuck(test: &str, plans: Range<u64>, tally: &mut Tally) -> Option<u64> {
    let mut worker = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg(format!("oracle::{test}"))
        .env(WORK, format!("{} {}", plans.start, plans.end))
        .stdout(Stdio::piped())
        .spawn()
        .expect("a worker");
    let output = BufReader::new(worker.stdout.take().expect("its output"));
    let (sender, receiver) = channel();
    let reader = thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let line = line.strip_prefix(MARK).map(serde_json::from_str::<Line>);
            if let Some(line) = line
                && sender.send(line.expect("a worker's line")).is_err()
            {
                break;
            }
        }
    });
    let mut current = plans.start;
    let stuck = loop {
        match receiver.recv_timeout(PATIENCE) {
            Ok(Line::Next(number)) => current = number,
            Ok(Line::Agrees {
                calls,
                undecided,
                by_some,
            }) => {
                tally.agreed += 1;
                tally.calls += calls;
                tally.undecided += undecided;
                tally.by_some += usize::from(by_some);
            }
            Ok(Line::Refused(how)) => {
                tally.refused += 1;
                tally.examples.push(how);
            }
            Ok(Line::Foreseen) => tally.foreseen += 1,
            Ok(Line::Unfounded(how)) => {
                tally.unfounded += 1;
                tally.examples.push(how);
            }
            Ok(Line::Unplanned) => tally.unplanned += 1,
            Ok(Line::Differs(how)) => tally.differing.push(format!("{current}: {how}")),
            Err(RecvTimeoutError::Timeout) => {
                worker.kill().expect("killed");
                break Some(current);
            }
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    let status = worker.wait().expect("a worker");
    reader.join().expect("a reader");
    assert!(stuck.is_some() || status.success(), "{current}: {status}");
    stuck
}
