//! The syscall table.
