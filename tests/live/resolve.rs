//! What `seclint resolve` prints, held against what an engine made of the same profile.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::buildah::Step;
use crate::engine_records::Outcome;

/// An engine's outcomes that have been compared.
pub(crate) struct Comparison<'a> {
    seclint: &'a Path,
    /// As `seclint resolve --engine` calls it.
    engine: &'a str,
    /// `podman 5.4.2`.
    version: &'a str,
    start: Instant,
    equal: usize,
    refused: usize,
    differ: usize,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(seclint: &'a Path, engine: &'a str, version: &'a str) -> Self {
        Self {
            seclint,
            engine,
            version,
            start: Instant::now(),
            equal: 0,
            refused: 0,
            differ: 0,
        }
    }

    /// Has seclint resolve a profile with the options that the engine was given, and prints what
    /// differs.
    pub(crate) fn add(
        &mut self,
        name: &str,
        profile: &Path,
        options: &[String],
        outcome: &Outcome,
    ) -> io::Result<()> {
        let mut seclint = Command::new(self.seclint);
        seclint.args(["resolve", "--engine", self.engine]);
        let printed = seclint.args(options).arg(profile);
        let printed = printed.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&printed.stderr);
        let said = said.trim_end();
        let ours: Result<Value, &str> = match printed.status.code() {
            Some(0) => Ok(serde_json::from_slice(&printed.stdout)?),
            Some(1) => Err("refused"),
            code => {
                self.differ += 1;
                let version = self.version;
                println!("{version}: {name} {options:?}: seclint ends with {code:?}: {said}");
                return Ok(());
            }
        };
        match (outcome, &ours) {
            (Ok(section), Ok(ours)) if section == ours => self.equal += 1,
            (Err(_), Err(_)) => self.refused += 1,
            _ => {
                self.differ += 1;
                let version = self.version;
                println!("{version}: {name} {options:?}: {outcome:?} instead of {ours:?} ({said})");
            }
        }
        Ok(())
    }

    /// What it came to, if so many profiles were compared.
    pub(crate) fn step(self, profiles: usize) -> Step {
        let Self {
            equal,
            refused,
            differ,
            ..
        } = self;
        Step {
            // The rule book alone has more.
            passed: differ == 0 && equal >= 100 && refused >= 10,
            said: format!(
                "{}: {profiles} profiles resolved {} times: {equal} as seclint does, {refused} refused as seclint does, {differ} otherwise, {} s",
                self.version,
                equal + refused + differ,
                self.start.elapsed().as_secs()
            ),
        }
    }
}
