//! seclint

pub mod syscalls;
