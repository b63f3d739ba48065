//! seclint finds what is wrong with seccomp profiles, and what crun's cache of
//! compiled filters hides.
//!
//! A value goes one way through the rooms, and keeps its place in the source on
//! the way:
//!
//! ```text
//! bytes -> text -> profile -> engine -> runtime
//!        (spans)  (typed)  (section)  (plan)
//!                      \________\________\___ lint rules, crun's cache -> findings -> report
//! ```
//!
//! - [`text`] reads bytes into a tree in which every node has its span.
//! - [`finding`] is what everything above it reports with.
//! - [`syscalls`] is the table of names, architectures and numbers.
//! - [`capabilities`] are the kernel's, by name.
//! - [`profile`] finds the profile in a tree and types it.
//! - [`target`] is what the profile will run on.
//! - [`go`] is JSON as engines and runc read it.
//! - [`engine`] makes of it what the runtime gets: the section.
//! - [`runtime`] is what crun and runc make of a section.
//! - [`filter`] is what the kernel runs: made of plans, read, checked, run and put into words.
//! - [`policy`] is what a plan means, without libseccomp.
//! - [`crun`] knows the cache: its keys, its entries, and what they hide.
//! - [`lint`] holds the rules and runs them.
//! - [`config`] reads `seclint.toml`, which says what to check for a repository.
//! - [`report`] writes findings, and nothing else writes them.
//! - [`cli`] is the command line.
//!
//! A room uses only those above it in this list.

pub mod capabilities;
pub mod cli;
pub mod config;
pub mod crun;
pub mod engine;
pub mod filter;
pub mod finding;
pub mod go;
pub mod lint;
pub mod policy;
pub mod profile;
pub mod report;
pub mod runtime;
pub mod syscalls;
pub mod target;
pub mod text;
