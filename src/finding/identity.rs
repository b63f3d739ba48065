//! What makes a finding the same in another version of its file.

use serde_json::{Map, Value};

/// Facts that say what a finding is about. The others may change without it:
/// suggestions with seclint, containers with the host.
const ABOUT: &[&str] = &["action", "deviation", "entry", "field", "key", "syscall"];

/// What a finding is about, in parts: the way to its value without places in arrays, and facts.
/// Lines, columns and places in arrays are left out, since edits elsewhere in the file move them.
#[must_use]
pub fn identity(pointer: Option<&str>, facts: &Map<String, Value>) -> Vec<String> {
    let tokens = pointer.unwrap_or_default().split('/');
    let token = |token: &str| if is_index(token) { "*" } else { token }.to_owned();
    let facts = ABOUT.iter().filter_map(|name| {
        let fact = facts.get(*name)?;
        Some([(*name).to_owned(), fact.to_string()])
    });
    tokens.map(token).chain(facts.flatten()).collect()
}

fn is_index(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit())
}
