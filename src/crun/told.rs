//! Findings about entries, in words.

use serde_json::{Value, json};

use super::candidate::Candidate;
use super::content::{MergeBug, Witness};
use super::deciding::Told;
use super::entry::{By, Entry, Hidden};
use super::examine::Mismatch;
use super::weak::Weakness;
use super::{merge_bug as bug, rules};
use crate::filter::{ByteOrder, Call, Refused, Verdict};
use crate::finding::{Finding, Location};
use crate::syscalls::{self, Syscall};

pub(super) fn malformed(
    entry: &Entry,
    refused: &Refused,
    orders: Option<(ByteOrder, ByteOrder)>,
    location: Location,
) -> Finding {
    let instruction = refused.first.instruction;
    let message = match (orders, instruction) {
        (Some((its, the_hosts)), _) => {
            let (its, the_hosts) = (its.word(), the_hosts.word());
            format!("the kernel refuses this filter: it is {its}, and the host is {the_hosts}")
        }
        (None, Some(_)) => format!("the kernel refuses this filter: {refused}"),
        (None, None) => refused.to_string(),
    };
    let finding = Finding::new(&rules::MALFORMED_BPF, location, message)
        .help("remove the entry; crun makes it anew")
        .fact("bytes", entry.bytes);
    match instruction.filter(|_| orders.is_none()) {
        Some(instruction) => finding.fact("instruction", instruction),
        None => finding,
    }
}

pub(super) fn hides_warnings(entry: &Entry, location: Location) -> Finding {
    /// How many places are shown; the facts hold all names.
    const MOST_LABELS: usize = 20;
    let mut names: Vec<&str> = Vec::new();
    for hidden in entry.hidden() {
        if !names.contains(&hidden.syscall.as_str()) {
            names.push(&hidden.syscall);
        }
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let mut message = format!(
        "crun left {} out when it made this entry, {}",
        quoted.join(", "),
        entry.modified
    );
    let is_used = |by| by != By::Content;
    if entry.stale != Some(true) && entry.attributed.iter().any(|it| is_used(it.by)) {
        message.push_str(", and does not warn of it while the entry is here");
    }
    let help = match entry {
        Entry {
            stale: Some(true), ..
        } => "correct the name, and make the containers anew: until then they keep this filter",
        Entry { pinned: true, .. } => {
            "correct the name, and remove this entry: it is pinned (sticky bit), so that crun never does"
        }
        _ => "correct the name, and remove this entry",
    };
    let mut finding = Finding::new(&rules::HIDES_WARNINGS, location, message)
        .help(help)
        .fact("entry", entry.name.as_str())
        .fact("modified", entry.modified.as_str())
        .fact("syscalls", names.clone())
        .fact("containers", entry.containers());
    if let [name] = names.as_slice() {
        finding = finding.fact("syscall", *name);
        if let Some(meant) = syscalls::suggest(name) {
            finding = finding.fact("suggestion", meant);
        }
    }
    for hidden in entry.hidden().take(MOST_LABELS) {
        finding = finding.label(hidden.location.clone(), label(entry, hidden));
    }
    finding
}

fn label(entry: &Entry, hidden: &Hidden) -> String {
    let path = hidden.location.source.name();
    let used = entry.attributed.iter().find(|used| used.path == path);
    let container = used.and_then(|used| used.container.as_deref());
    let resolved = used.and_then(|used| used.resolved.as_ref());
    let whose = match (container, resolved) {
        (Some(container), _) => format!("container {container} asks for it"),
        (None, Some(resolved)) => {
            let engine = resolved.engine.title();
            format!("this profile asks for it, as {engine} resolves it")
        }
        (None, None) => "this profile asks for it".to_owned(),
    };
    match syscalls::suggest(&hidden.syscall) {
        Some(meant) => format!("{whose}; did it mean `{meant}`?"),
        None => whose,
    }
}

/// The one who asks for a filter.
fn whose(candidate: &Candidate) -> String {
    let name = candidate.source.name();
    match (&candidate.container, &candidate.resolved) {
        (Some(container), _) => format!("container {container}"),
        (None, Some(resolved)) => {
            let engine = resolved.engine.title();
            format!("the profile {name}, as {engine} resolves it,")
        }
        (None, None) => format!("the profile {name}"),
    }
}

pub(super) fn mismatch(entry: &Entry, mismatch: &Mismatch<'_>, location: Location) -> Finding {
    let who = whose(mismatch.candidate);
    let message = match &mismatch.shown {
        Ok(witness) => format!("this filter is not what {who} asks for: {}", both(witness)),
        Err(reason) => format!("this filter is not what {who} asks for: {reason}"),
    };
    let mut help = match mismatch.other {
        Some(other) => format!(
            "remove this entry, and make the containers anew that have it; {} asks for this filter, and crun gives both the same key",
            whose(other)
        ),
        None => "remove this entry, and make the containers anew that have it; either what was run before has the same key, or somebody put this filter here".to_owned(),
    };
    if let MergeBug::Unknown(reason) = &mismatch.bug {
        help = format!("{help}; {}", bug::not_known(reason));
    }
    let mut finding = Finding::new(&rules::CONTENT_MISMATCH, location, message)
        .help(help)
        .fact("entry", entry.name.as_str())
        .fact("modified", entry.modified.as_str())
        .fact("path", mismatch.candidate.source.name())
        .fact("container", mismatch.candidate.container.clone());
    if let Ok(witness) = &mismatch.shown {
        finding = about(finding, witness.call);
    }
    finding
}

/// Adds where a configuration asks for something else.
pub(super) fn asked_at(finding: Finding, places: Vec<Told>) -> Finding {
    let places = places.into_iter();
    places.fold(finding, |finding, (location, message)| {
        finding.label(location, message)
    })
}

/// A witness as a sentence.
fn both(witness: &Witness) -> String {
    let at = |verdict: Verdict| verdict.words(witness.call.architecture);
    let asked = match witness.configuration {
        Some(asked) => at(asked),
        None => "something else".to_owned(),
    };
    format!(
        "{} gets {} instead of {asked}",
        witness.call.words(),
        at(witness.entry)
    )
}

/// Adds the facts about a call.
fn about(mut finding: Finding, call: Call) -> Finding {
    if let Some(syscall) = call.syscall() {
        finding = finding.fact("syscall", syscall.name());
    }
    finding.fact("call", fact(&call))
}

/// A call for programs. Its arguments are text, since not all that read JSON have 64 bits.
#[must_use]
pub fn fact(call: &Call) -> Value {
    let architecture = match call.arch() {
        Some(arch) => arch.name().to_owned(),
        None => format!("{:#x}", call.architecture),
    };
    json!({
        "architecture": architecture,
        "number": call.number,
        "syscall": call.syscall().map(Syscall::name),
        "arguments": call.arguments.map(|argument| format!("{argument:#x}")),
    })
}

pub(super) fn vulnerable(
    entry: &Entry,
    candidate: &Candidate,
    witness: &Witness,
    is_old: bool,
    location: Location,
) -> Finding {
    let message = format!(
        "libseccomp made this filter otherwise than {} asks, by a bug of releases before {} ({}): {}",
        whose(candidate),
        bug::FIXED,
        bug::NAME,
        both(witness)
    );
    let help = if is_old {
        "make the containers anew that have it: crun does not use this entry any more"
    } else if entry.is_vulnerable {
        "remove this entry, and make the containers anew that have it; a libseccomp that was mended without a new release does not make crun drop it"
    } else {
        "update libseccomp, then remove this entry, and make the containers anew that have it; if the update keeps the release, crun keeps the entry"
    };
    let finding = Finding::new(&rules::VULNERABLE_BUILD, location, message)
        .help(help)
        .fact("entry", entry.name.as_str())
        .fact("modified", entry.modified.as_str())
        .fact("path", candidate.source.name())
        .fact("container", candidate.container.clone());
    about(finding, witness.call)
}

pub(super) fn weakness(entry: &Entry, weakness: &Weakness, location: Location) -> Finding {
    let (message, call) = match weakness {
        Weakness::Foreign(reason) => (format!("libseccomp makes no such filter: {reason}"), None),
        Weakness::PermitsAll => ("this filter lets every call run".to_owned(), None),
        // An example of an architecture that there is not would help nobody.
        Weakness::Architecture(call) if call.arch().is_none() => (
            "this filter lets calls run of architectures that it does not ask for, on which its numbers are other calls"
                .to_owned(),
            Some(call),
        ),
        Weakness::Architecture(call) => (
            format!(
                "this filter lets calls run of an architecture that it is not for, such as {}",
                call.words()
            ),
            Some(call),
        ),
        Weakness::X32(call) => (
            format!(
                "this filter lets calls run that come by x32's numbers, such as {}",
                call.words()
            ),
            Some(call),
        ),
        Weakness::Success(call) => (
            format!(
                "this filter tells programs that calls succeeded which were not made, such as {}",
                call.words()
            ),
            Some(call),
        ),
    };
    let finding = Finding::new(&rules::WEAK_FILTER, location, message)
        .help("find out what it was made from; what was not made by crun is to be removed")
        .fact("entry", entry.name.as_str())
        .fact("modified", entry.modified.as_str());
    match call {
        Some(call) => about(finding, *call),
        None => finding,
    }
}

pub(super) fn collision(
    [first, second]: [&Candidate; 2],
    call: &Call,
    asked: [Verdict; 2],
    key: &str,
) -> Finding {
    let [one, other] = asked.map(|verdict| verdict.words(call.architecture));
    let (former, latter) = (whose(first), whose(second));
    let message = format!(
        "{latter} and {former} have the same key, and get the filter of whichever is run first: {} is to get {other} for the one, {one} for the other",
        call.words()
    );
    let finding = Finding::new(&rules::KEY_COLLISION, Location::file(&second.source), message)
        .help("change something that is in the key, such as the order of names, or make the errnos equal and correct the names")
        .fact("key", key)
        .fact("paths", vec![first.source.name(), second.source.name()]);
    about(finding, *call)
}
