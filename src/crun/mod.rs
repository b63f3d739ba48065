//! crun's cache of compiled filters: the names of its entries, what stands in a
//! state root, and what an audit says of it.
//!
//! crun compiles a seccomp section once, stores the filter as
//! `<state root>/.cache/seccomp/<key>`, and loads it unseen ever after. It warns
//! of unknown names only while it compiles.

mod audit;
mod host;
mod key;
mod root;
mod rules;

pub use audit::{
    Attribution, Audit, AuditSummary, By, Candidate, Entry, Hidden, SchemeState, Status, audit,
    fails_on_unknown,
};
pub use host::{Host, HostError};
pub use key::{KeyError, KeyScheme, Passage, cache_key};
pub use root::{RootError, StateRoot};
pub use rules::RULES;
