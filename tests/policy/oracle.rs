//! The policy against the linked libseccomp.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use seclint::filter::linked;

use crate::worker::{Line, MARK, work};

/// What tells a process of this program that it is a worker, and for which plans.
const WORK: &str = "SECLINT_ORACLE_WORK";

/// Plans that are compared, unless `SECLINT_ORACLE` says how many.
const PLANS: u64 = 1000;

/// A plan takes a few milliseconds, or for ever.
const PATIENCE: Duration = Duration::from_secs(4);

/// What came of the plans.
#[derive(Debug, Default)]
struct Tally {
    agreed: u64,
    refused: u64,
    endless: u64,
    calls: usize,
    undecided: usize,
    by_some: usize,
    differing: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.agreed += other.agreed;
        self.refused += other.refused;
        self.endless += other.endless;
        self.calls += other.calls;
        self.undecided += other.undecided;
        self.by_some += other.by_some;
        self.differing.extend(other.differing);
    }
}

/// `seclint why`, and all rules that need to know what a profile means, would be wrong.
#[test]
fn policies_mean_what_libseccomp_makes_of_plans() {
    if let Ok(numbers) = std::env::var(WORK) {
        let (first, end) = numbers.split_once(' ').expect("two numbers");
        return work(first.parse().expect("a number")..end.parse().expect("a number"));
    }
    let plans = std::env::var("SECLINT_ORACLE").map(|plans| plans.parse().expect("a number"));
    let plans = plans.unwrap_or(PLANS);
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let middle = plans / 2;
        let halves = [0..middle, middle..plans].map(|half| scope.spawn(|| compared(half)));
        for half in halves {
            tally.add(half.join().expect("a tally"));
        }
    });
    let Tally {
        agreed,
        refused,
        endless,
        calls,
        undecided,
        by_some,
        differing,
    } = tally;
    let release = linked().expect("a libseccomp");
    let figures = format!(
        "libseccomp {release}: {plans} plans: {agreed} agree, {} differ, libseccomp refused \
         {refused} and came to no end with {endless}; of {calls} calls {undecided} are undecided \
         for some arguments, and of {by_some} plans the rules on these alone tell as much",
        differing.len()
    );
    println!("{figures}");
    let examples: Vec<_> = differing.iter().take(12).map(String::as_str).collect();
    assert!(differing.is_empty(), "{figures}\n{}", examples.join("\n\n"));
    assert_eq!(agreed + refused + endless, plans, "{figures}");
    assert!(
        agreed > plans / 2 && calls > 0 && undecided < calls / 2 && by_some > 0,
        "{figures}"
    );
}

/// Compares plans, each of which gets a few seconds.
fn compared(plans: Range<u64>) -> Tally {
    let mut tally = Tally::default();
    let mut next = plans.start;
    while next < plans.end {
        let stuck = until_stuck(next..plans.end, &mut tally);
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

/// Compares plans in another process, up to the first that does not come to an end.
fn until_stuck(plans: Range<u64>, tally: &mut Tally) -> Option<u64> {
    let mut worker = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("oracle::policies_mean_what_libseccomp_makes_of_plans")
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
            Ok(Line::Refused(_)) => tally.refused += 1,
            Ok(Line::Differs(how)) => tally.differing.push(format!("plan {current}: {how}")),
            Err(RecvTimeoutError::Timeout) => {
                worker.kill().expect("killed");
                break Some(current);
            }
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    let status = worker.wait().expect("a worker");
    reader.join().expect("a reader");
    assert!(
        stuck.is_some() || status.success(),
        "plan {current}: {status}"
    );
    stuck
}
