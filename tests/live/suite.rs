//! All that is done with one root.
//!
//! [`run`] is outside: it starts this program again for the work that is done with
//! namespaces around it, [`inside`], and judges what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::observe::Runtime;
use crate::runtimes::{Case, Observation, Record};
use crate::{
    LiveError, compare, golang, inside, namespaces, predictions, profiles, repository, roots,
};

/// Where the sections are, and beside them the records.
const RUNTIMES: &str = "tests/runtimes";

/// What is done with what is observed.
pub(crate) enum Mode {
    /// It is compared with the records and with the predictions.
    Compare,
    /// It is the record from now on.
    Record,
    /// The sections in a file are run, and records of them written to a directory.
    Observe(PathBuf, PathBuf),
}

/// How many comparisons and steps came out as they should.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    pub(crate) fn count(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            passed: sum.passed + tally.passed,
            failed: sum.failed + tally.failed,
        })
    }
}

/// The versions that builds, caches and engines were seen with.
const KNOWN: [(&str, &[&str]); 3] = [
    ("crun", &["1.21", "1.28"]),
    ("podman", &["5.4.2", "5.8.6"]),
    ("buildah", &["1.39.3", "1.43.2"]),
];

/// The same of engines' code.
const KNOWN_CODE: [(&str, &[&str]); 3] = [
    ("golang-github-containerd-containerd-dev", &["1.7.24"]),
    ("golang-github-containers-common-dev", &["0.62.2"]),
    ("golang-github-docker-docker-dev", &["26.1.5"]),
];

/// How often what does not agree with the record is run again, and everything for a
/// new record: filters that hit threads of a runtime that race come to different ends.
const AGAIN: usize = 2;

/// Makes the suite's root if there is none, and does what the mode says.
pub(crate) fn run(suite: &str, mode: &Mode) -> Result<Tally, LiveError> {
    let suite = Suite::new(suite)?;
    if suite.name == roots::GO {
        return suite.ask_engines(mode);
    }
    let sections = match mode {
        Mode::Observe(sections, _) => sections.clone(),
        Mode::Compare | Mode::Record => repository(RUNTIMES).join("sections.jsonl"),
    };
    let cases = Case::all(&sections);
    let is_compared = matches!(mode, Mode::Compare);
    let mut records = suite.observe(&cases, is_compared)?;
    let mut tally = Tally::default();
    match mode {
        Mode::Observe(_, directory) => {
            fs::create_dir_all(directory)?;
            for record in &records {
                record.write(directory)?;
            }
            return Ok(tally);
        }
        Mode::Record => {
            for _ in 0..AGAIN {
                let again = suite.observe(&cases, false)?;
                for (record, again) in records.iter_mut().zip(again) {
                    mark_varying(record, &again);
                }
            }
            for record in &mut records {
                // What varies does so seldom; once seen, it is known.
                if let Some(before) = Record::read(&repository(RUNTIMES), &record.header.name()) {
                    for observation in &mut record.observations {
                        let before = before.of(&observation.case);
                        observation.varies |= before.is_some_and(|it| it.varies);
                    }
                }
                record.write(&repository(RUNTIMES))?;
                let varying = record.observations.iter().filter(|it| it.varies);
                for observation in varying {
                    println!("{}: {:?} varies", record.header.name(), observation.case);
                }
                tally.passed += record.observations.len();
                let count = record.observations.len();
                println!("{}: {count} cases recorded", record.header.name());
            }
        }
        Mode::Compare => {
            for record in &mut records {
                tally = [tally, suite.judge(record, &cases)?].into_iter().sum();
            }
            tally = [tally, suite.judge_profiles()?].into_iter().sum();
        }
    }
    let others = [
        suite.compare_filters()?,
        suite.reproduce_the_bug()?,
        suite.audit_caches()?,
        suite.ask_engines(mode)?,
        suite.audit_entries_of_engines()?,
    ];
    Ok([tally].into_iter().chain(others).sum())
}

/// Does only what is done with caches or engines.
pub(crate) fn run_only(suite: &str, work: &str, mode: &Mode) -> Result<Tally, LiveError> {
    if suite == roots::GO && work != "engines" {
        return Ok(Tally::default());
    }
    let suite = Suite::new(suite)?;
    match work {
        "engines" => suite.ask_engines(mode),
        "filters" => suite.compare_filters(),
        "storage" => suite.audit_entries_of_engines(),
        _ => suite.audit_caches(),
    }
}

fn mark_varying(record: &mut Record, again: &Record) {
    for (observation, again) in record.observations.iter_mut().zip(&again.observations) {
        let varies = observation.varies;
        observation.varies = false;
        observation.varies = varies || *observation != *again;
    }
}

struct Suite<'a> {
    name: &'a str,
    root: PathBuf,
}

impl<'a> Suite<'a> {
    /// Makes the root if there is none.
    fn new(name: &'a str) -> Result<Self, LiveError> {
        let root = roots::root(name)?;
        roots::tell_age(name, &root)?;
        Ok(Self { name, root })
    }

    /// Runs cases under the root's runtimes; with the record it takes less time.
    fn observe(&self, cases: &[Case], with_record: bool) -> Result<Vec<Record>, LiveError> {
        let directory = tempfile::tempdir()?;
        let sections = directory.path().join("sections.jsonl");
        let mut file = fs::File::create(&sections)?;
        for case in cases {
            writeln!(
                file,
                "{}",
                serde_json::to_string(case).expect("a case is JSON")
            )?;
        }
        let records = if with_record {
            repository(RUNTIMES)
        } else {
            directory.path().join("none")
        };
        let arguments = [sections.as_path(), &records, directory.path()];
        self.enter("observe", &arguments)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(directory.path())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        let read = |runtime: Runtime| {
            let mut names = names.iter().filter_map(|name| name.strip_suffix(".jsonl"));
            let name = names.find(|name| name.starts_with(runtime.name()));
            let record = name.and_then(|name| Record::read(directory.path(), name));
            record.expect("each runtime leaves a record")
        };
        Ok(Runtime::ALL.map(read).into())
    }

    /// Compares a runtime with its record, if it has one, and with the predictions.
    fn judge(&self, record: &mut Record, cases: &[Case]) -> Result<Tally, LiveError> {
        let name = record.header.name();
        let mut tally = Tally::default();
        let recorded = Record::read(&repository(RUNTIMES), &name);
        if let Some(recorded) = &recorded {
            self.run_again(record, recorded, cases)?;
            for observation in &mut record.observations {
                let recorded = recorded.of(&observation.case);
                observation.varies |= recorded.is_some_and(|it| it.varies);
            }
            for observation in &record.observations {
                let differences = differences(record, recorded, observation);
                tally.count(differences.is_empty());
                for difference in differences {
                    println!("{name}: {:?}: {difference}", observation.case);
                }
            }
            let count = record.observations.len();
            println!(
                "{name}: {count} compared with the record, {} agree",
                tally.passed
            );
        } else {
            println!("{name}: NEWS: a version that is not on record");
        }
        let wrong = predicted_otherwise(record, cases)?;
        for (case, differences) in &wrong {
            println!("{name}: {case:?}: predicted otherwise: {differences}");
        }
        let (count, wrong) = (record.observations.len(), wrong.len());
        println!(
            "{name}: {count} compared with the predictions, {} agree",
            count - wrong
        );
        // Of a version that nobody has recorded yet, it is news and no failure.
        if recorded.is_some() {
            tally.passed += count - wrong;
            tally.failed += wrong;
        }
        Ok(tally)
    }

    /// Compares what the runtimes do with profiles that are in use with the predictions. What does
    /// not agree is run again, since it may vary.
    fn judge_profiles(&self) -> Result<Tally, LiveError> {
        let cases = profiles::cases(&self.root)?;
        let mut tally = Tally::default();
        for mut record in self.observe(&cases, false)? {
            let name = record.header.name();
            let mut wrong = predicted_otherwise(&record, &cases)?;
            for _ in 0..AGAIN {
                let is_wrong = |case: &&Case| wrong.contains_key(&case.case);
                let again: Vec<_> = cases.iter().filter(is_wrong).cloned().collect();
                if again.is_empty() {
                    break;
                }
                let records = self.observe(&again, false)?;
                let of_it = |it: &Record| it.header == record.header;
                record = records.into_iter().find(of_it).unwrap_or(record);
                let still = predicted_otherwise(&record, &again)?;
                for case in wrong.keys().filter(|case| !still.contains_key(*case)) {
                    println!("{name}: {case:?} varies");
                }
                wrong = still;
            }
            for (case, differences) in &wrong {
                println!("{name}: {case:?}: predicted otherwise: {differences}");
            }
            let (count, wrong) = (cases.len(), wrong.len());
            println!(
                "{name}: {count} profiles in use compared with the predictions, {} agree",
                count - wrong
            );
            let is_recorded = Record::read(&repository(RUNTIMES), &name).is_some();
            if is_recorded {
                tally.passed += count - wrong;
                tally.failed += wrong;
            }
        }
        Ok(tally)
    }

    /// Runs what does not agree with the record again, and puts what does agree then
    /// into its place.
    fn run_again(
        &self,
        record: &mut Record,
        recorded: &Record,
        cases: &[Case],
    ) -> Result<(), LiveError> {
        for _ in 0..AGAIN {
            let wrong = |case: &&Case| {
                let observation = record.of(&case.case);
                let observation = observation.filter(|_| recorded.of(&case.case).is_some());
                observation.is_some_and(|it| !differences(record, recorded, it).is_empty())
            };
            let wrong: Vec<Case> = cases.iter().filter(wrong).cloned().collect();
            if wrong.is_empty() {
                break;
            }
            for again in self.observe(&wrong, true)? {
                if again.header != record.header {
                    continue;
                }
                for again in again.observations {
                    let agrees = differences(record, recorded, &again).is_empty();
                    let mut observations = record.observations.iter_mut();
                    let first = observations.find(|it| it.case == again.case);
                    if let Some(first) = first.filter(|_| agrees) {
                        println!(
                            "{}: {:?} varies, which is not on record",
                            record.header.name(),
                            again.case
                        );
                        *first = Observation {
                            varies: true,
                            ..again
                        };
                    }
                }
            }
        }
        Ok(())
    }

    /// Has the root's runtimes load filters, and seclint make them.
    fn compare_filters(&self) -> Result<Tally, LiveError> {
        self.take_steps("filters", &[&repository(RUNTIMES)])
    }

    /// Reproduces the bug in the root.
    fn reproduce_the_bug(&self) -> Result<Tally, LiveError> {
        self.take_steps("buildah", &[])
    }

    /// Makes caches of every kind in the root. A later release's crun is also what the
    /// first one's is updated to.
    fn audit_caches(&self) -> Result<Tally, LiveError> {
        if self.name == roots::SUITES[0] {
            return self.take_steps("caches", &[]);
        }
        let older = roots::root(roots::SUITES[0])?;
        self.take_steps("caches", &[&older])
    }

    /// Has the root's Podman resolve profiles, or engines' code.
    fn ask_engines(&self, mode: &Mode) -> Result<Tally, LiveError> {
        let records = repository("tests/engines");
        let mode = Path::new(match mode {
            Mode::Record => inside::RECORD,
            Mode::Compare | Mode::Observe(..) => inside::COMPARE,
        });
        if self.name == roots::GO && cfg!(not(target_arch = "x86_64")) {
            println!(
                "go: SKIPPED: half of the engines' code is compiled for x86, and does not run here"
            );
            return Ok(Tally::default());
        }
        if self.name == roots::GO {
            return self.take_steps("golang", &[&records, mode]);
        }
        let docker = golang::docker_default(&roots::root(roots::GO)?);
        self.take_steps("engines", &[&records, mode, &docker])
    }

    /// Has the root's Podman and Buildah leave entries in crun's cache.
    fn audit_entries_of_engines(&self) -> Result<Tally, LiveError> {
        self.take_steps("storage", &[])
    }

    /// Has steps taken inside, and tells what they came to.
    fn take_steps(&self, work: &str, more: &[&Path]) -> Result<Tally, LiveError> {
        let mut tally = Tally::default();
        let is_known = self.is_known()?;
        let steps = match self.steps(work, more) {
            Err(error) if !is_known => {
                println!("{}: NEWS: {error}", self.name);
                return Ok(tally);
            }
            steps => steps?,
        };
        for (passed, said) in steps {
            let verdict = match (passed, is_known) {
                (true, _) => "ok",
                (false, true) => "NOT AS IT SHOULD BE",
                (false, false) => "NEWS: otherwise than with known versions",
            };
            println!("{}: {verdict}: {said}", self.name);
            if passed || is_known {
                tally.count(passed);
            }
        }
        Ok(tally)
    }

    fn steps(&self, work: &str, more: &[&Path]) -> Result<Vec<(bool, String)>, LiveError> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("steps.json");
        let seclint = Path::new(env!("CARGO_BIN_EXE_seclint"));
        self.enter(work, &[&[seclint, file.as_path()], more].concat())?;
        Ok(serde_json::from_slice(&fs::read(file)?).expect("the steps are JSON"))
    }

    /// Whether the root has only versions that the steps were seen with: sid's move.
    fn is_known(&self) -> Result<bool, LiveError> {
        let mut query = Command::new("dpkg-query");
        let directory = self.root.join("var/lib/dpkg");
        query.arg(format!("--admindir={}", directory.display()));
        query.args(["--show", "--showformat=${Package} ${Version}\n"]);
        let known = match self.name {
            roots::GO => KNOWN_CODE,
            _ => KNOWN,
        };
        let printed = query.args(known.map(|(package, _)| package)).output()?;
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        Ok(known.iter().all(|(package, versions)| {
            let mut lines = printed.lines().filter_map(|line| line.split_once(' '));
            let version = lines.find(|(name, _)| name == package).map(|(_, it)| it);
            let upstream = version.and_then(|version| version.split(['-', '+', '~']).next());
            upstream.is_some_and(|upstream| versions.contains(&upstream))
        }))
    }

    /// Starts this program with namespaces around it and the root mounted.
    fn enter(&self, work: &str, arguments: &[&Path]) -> Result<(), LiveError> {
        let mut command = namespaces::enter()?;
        command
            .arg("inside")
            .arg(&self.root)
            .arg(work)
            .args(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        // Open as long as this program lives: see `namespaces::end_with_the_outside`.
        let outside = child.stdin.take();
        let status = child.wait()?;
        drop(outside);
        if status.success() {
            Ok(())
        } else {
            Err(LiveError::Inside(self.name.to_owned()))
        }
    }
}

/// The cases of a record that were predicted otherwise, and how.
fn predicted_otherwise(
    record: &Record,
    cases: &[Case],
) -> Result<BTreeMap<String, String>, LiveError> {
    let predictions = predictions::of(cases, &record.header)?;
    let mut wrong = BTreeMap::new();
    for observation in &record.observations {
        let differences = match predictions.get(&observation.case) {
            Some(predicted) => compare::with_prediction(observation, &record.header, predicted),
            None => vec!["no prediction".to_owned()],
        };
        if !differences.is_empty() {
            wrong.insert(observation.case.clone(), differences.join("; "));
        }
    }
    Ok(wrong)
}

fn differences(record: &Record, recorded: &Record, observation: &Observation) -> Vec<String> {
    match recorded.of(&observation.case) {
        Some(it) => compare::with_record(observation, &record.header, it, &recorded.header),
        None => vec!["not on record: SECLINT_LIVE=record records it".to_owned()],
    }
}
