//! crun's cache of compiled filters: the names of its entries, what stands in a
//! state root, and what an audit says of it.
//!
//! crun compiles a seccomp section once, stores the filter as
//! `<state root>/.cache/seccomp/<key>`, and loads it unseen ever after. It warns
//! of unknown names only while it compiles.

mod audit;
mod candidate;
mod entry;
mod host;
mod key;
mod root;
mod rules;

pub use audit::{Audit, AuditSummary, Container, Crun, FilterOrigin, Scheme, SchemeState, audit};
pub use entry::{Attribution, By, Entry, Hidden, Pruned, Status};
pub use host::{Host, HostError};
pub use key::{KeyError, KeyScheme, Passage, cache_key, section};
pub use root::{RootError, StateRoot};
pub use rules::RULES;
