//! crun's cache of compiled filters: the names of its entries, what stands in a
//! state root, and what an audit says of it.
//!
//! crun compiles a seccomp section once, stores the filter as
//! `<state root>/.cache/seccomp/<key>`, and loads it unseen ever after. It warns
//! of unknown names only while it compiles.

mod audit;
mod candidate;
mod collision;
mod content;
mod deciding;
mod entry;
mod examine;
mod host;
mod key;
mod merge_bug;
mod resolution;
mod root;
mod rules;
mod sections;
mod storage;
mod told;
mod weak;

pub use audit::{
    Audit, AuditSummary, Container, Crun, FilterOrigin, Scheme, SchemeState, Sources, audit,
};
pub use content::{Compared, Content, Witness};
pub use entry::{Attribution, By, Entry, Hidden, Pruned, Status};
pub use host::{Host, HostError};
pub use key::{KeyError, KeyScheme, cache_key, section};
pub use resolution::{CapabilitySet, Resolution};
pub use root::{RootError, StateRoot};
pub use rules::RULES;
pub use storage::Storage;
pub use told::fact;
