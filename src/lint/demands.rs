//! What an organisation wants of every profile, whatever is in it.

use crate::finding::Location;
use crate::syscalls::Syscall;

/// Syscalls that profiles must not permit, or must. Empty if nothing was said.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// What must not be permitted.
    pub forbid: Vec<Demand>,
    /// What must be.
    pub require: Vec<Demand>,
}

impl Demands {
    /// Nothing is forbidden, and nothing required.
    pub(super) const NONE: &'static Self = &Self {
        forbid: Vec::new(),
        require: Vec::new(),
    };
}

/// Syscalls of which the same is demanded.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The syscalls.
    pub syscalls: Vec<&'static Syscall>,
    /// Why.
    pub reason: String,
    /// Where it is demanded.
    pub location: Location,
}
