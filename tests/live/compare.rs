//! Compares what was observed with the record, and with what seclint predicts.

use crate::runtimes::{Header, Observation, Outcome};

/// The fields in which an observation is not what is on record.
pub(crate) fn with_record(
    observed: &Observation,
    header: &Header,
    recorded: &Observation,
    recorded_header: &Header,
) -> Vec<String> {
    let mut differences = Differences::default();
    // A key has the kernel and the library in it.
    let is_same_host =
        header.uname == recorded_header.uname && header.libseccomp == recorded_header.libseccomp;
    if is_same_host {
        differences.field("key", &recorded.key, &observed.key);
    } else {
        let is_there = (recorded.key.is_some(), observed.key.is_some());
        differences.field("key is there", &is_there.0, &is_there.1);
    }
    if !recorded.varies {
        differences.field("outcome", &recorded.outcome, &observed.outcome);
        // What is said of a container whose filter ended it depends on which of runc's processes
        // sees it first; that it ended is what counts.
        if recorded.outcome != Outcome::Dies || header.runtime != "runc" {
            differences.field("error", &recorded.error, &observed.error);
        }
        differences.field("warned", &recorded.warned, &observed.warned);
        differences.field("dropped", &recorded.dropped, &observed.dropped);
        differences.field("hung", &recorded.hung, &observed.hung);
    }
    differences.0
}

/// The fields in which an observation is not what was predicted.
pub(crate) fn with_prediction(
    observed: &Observation,
    header: &Header,
    predicted: &Observation,
) -> Vec<String> {
    let mut differences = Differences::default();
    differences.field("key", &predicted.key, &observed.key);
    if !observed.varies {
        differences.field("outcome", &predicted.outcome, &observed.outcome);
        differences.field("warned", &predicted.warned, &observed.warned);
        // What crun drops without a message cannot be seen.
        if header.runtime == "runc" {
            differences.field("dropped", &predicted.dropped, &observed.dropped);
        }
        // A prediction is of the message, and not of what the runtime puts around it.
        let is_told = predicted.outcome != Outcome::Refuses
            || predicted.error.is_empty() == observed.error.is_empty();
        if !is_told || !observed.error.contains(&predicted.error) {
            differences.field("error", &predicted.error, &observed.error);
        }
    }
    differences.0
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn field<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, expected: &T, observed: &T) {
        if expected != observed {
            self.0.push(format!(
                "{name}: {expected:?} expected, {observed:?} observed"
            ));
        }
    }
}
