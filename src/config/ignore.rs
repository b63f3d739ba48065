//! Findings that a repository has decided not to hear of.

use serde_json::Value;

use super::Pattern;
use crate::finding::{Finding, Location, Rule};

/// An `[[ignore]]`: the findings of a rule, or some of them, and why they are not reported.
#[derive(Debug)]
pub struct Ignore {
    /// The rule.
    pub rule: &'static Rule,
    /// The files; all if it does not say.
    pub path: Option<Pattern>,
    /// The syscall that the finding is about.
    pub syscall: Option<String>,
    /// JSON Pointer of the value that the finding is about, or of what it stands in.
    pub pointer: Option<String>,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub location: Location,
}

impl Ignore {
    /// Whether it is about a finding. `path` is the finding's file, relative to the directory of the
    /// `seclint.toml`; `None` for what is no file there.
    #[must_use]
    pub fn covers(&self, finding: &Finding, path: Option<&str>) -> bool {
        let is_path = |pattern: &Pattern| path.is_some_and(|path| pattern.matches(path));
        let is_syscall = |name: &String| {
            let is = |fact: &Value| fact.as_str() == Some(name);
            let facts = &finding.facts;
            let several = facts.get("syscalls").and_then(Value::as_array);
            facts.get("syscall").is_some_and(is) || several.into_iter().flatten().any(is)
        };
        let is_pointer = |pointer: &String| {
            let found = finding.location.pointer.as_deref();
            let rest = found.and_then(|found| found.strip_prefix(pointer.as_str()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.rule.id == finding.rule.id
            && self.path.as_ref().is_none_or(is_path)
            && self.syscall.as_ref().is_none_or(is_syscall)
            && self.pointer.as_ref().is_none_or(is_pointer)
    }
}
