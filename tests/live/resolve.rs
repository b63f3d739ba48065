//! What `seclint resolve` prints, held against what an engine made of the same profile.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use seclint::engine::Engine;
use serde_json::json;

use crate::buildah::Step;
use crate::engine_records::{Observed, Outcome};

/// An engine's outcomes that have been compared.
pub(crate) struct Comparison<'a> {
    seclint: &'a Path,
    engine: Engine,
    /// `podman 5.4.2`.
    version: &'a str,
    start: Instant,
    equal: usize,
    refused: usize,
    differ: usize,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(seclint: &'a Path, engine: Engine, version: &'a str) -> Self {
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

    /// Compares an engine's outcome of a profile with that of seclint, and prints what differs. The
    /// options are the engine's, and `--arch` and `--kernel` of the host. Without any, the binary
    /// is asked, as a user does, and otherwise the library, which takes a tenth of the time.
    pub(crate) fn add(
        &mut self,
        name: &str,
        profile: &Path,
        options: &[String],
        outcome: &Outcome,
    ) -> io::Result<()> {
        let ours = if options.is_empty() {
            self.printed(profile)?
        } else {
            self.resolved(&fs::read(profile)?, options)?
        };
        match (outcome, &ours) {
            (Ok(section), Ok(ours)) if section == ours => self.equal += 1,
            (Err(_), Err(_)) => self.refused += 1,
            _ => {
                self.differ += 1;
                let version = self.version;
                println!("{version}: {name} {options:?}: {outcome:?} instead of {ours:?}");
            }
        }
        Ok(())
    }

    fn printed(&self, profile: &Path) -> io::Result<Outcome> {
        let mut seclint = Command::new(self.seclint);
        seclint.args(["resolve", "--engine", self.engine.name()]);
        let printed = seclint.arg(profile).stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&printed.stderr).into_owned();
        match printed.status.code() {
            Some(0) => Ok(Ok(serde_json::from_slice(&printed.stdout)?)),
            Some(1) => Ok(Err(said)),
            code => Ok(Ok(json!({"seclint ended with": code, "and said": said}))),
        }
    }

    fn resolved(&self, bytes: &[u8], options: &[String]) -> io::Result<Outcome> {
        let this = ["--arch", std::env::consts::ARCH].map(str::to_owned);
        let options = [&this, options].concat();
        let circumstances = Observed::new("", "", options).circumstances(self.engine);
        let document = seclint::text::json::parse(bytes);
        match seclint::engine::resolve(bytes, &document, self.engine, &circumstances) {
            Ok(resolved) => Ok(Ok(serde_json::from_slice(&resolved.to_json()?)?)),
            Err(refusal) => Ok(Err(refusal.to_string())),
        }
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
