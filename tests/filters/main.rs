//! Filters: what the kernel takes, what it does with calls, and how `seclint disasm` tells of it.
//! If one of these fails, a user is told that a filter does what it does not do, or that the kernel
//! takes what it refuses.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "../support/mod.rs"]
mod support;

mod any_program;
mod command;
mod comparison;
mod kernel;
#[cfg(feature = "libseccomp")]
mod libseccomp_filters;
mod words;

use std::fs;
use std::path::PathBuf;

use seclint::filter::{ByteOrder, Fault, Filter};
use support::repository;

const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;

/// An instruction: operation, jumps, constant.
type Code = (u16, u8, u8, u32);

fn assemble(program: &[Code], order: ByteOrder) -> Vec<u8> {
    let bytes = program.iter().flat_map(|&(code, jt, jf, k)| {
        let (code, k) = match order {
            ByteOrder::Little => (code.to_le_bytes(), k.to_le_bytes()),
            ByteOrder::Big => (code.to_be_bytes(), k.to_be_bytes()),
        };
        [code[0], code[1], jt, jf, k[0], k[1], k[2], k[3]]
    });
    bytes.collect()
}

fn filter(program: &[Code]) -> Filter {
    Filter::read(&assemble(program, ByteOrder::Little), ByteOrder::Little).expect("a filter")
}

fn texts(program: &[Code]) -> Vec<String> {
    let lines = filter(program).list();
    lines.into_iter().map(|line| line.text).collect()
}

fn first_fault(program: &[Code]) -> Fault {
    let bytes = assemble(program, ByteOrder::Little);
    let refused = Filter::read(&bytes, ByteOrder::Little).expect_err("no filter");
    refused.first
}

/// The entries that crun left in the fixtures.
fn entries() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in fs::read_dir(repository("tests/fixtures/cache")).expect("fixtures") {
        let root = root.expect("a fixture");
        let entries = root.path().join("root/.cache/seccomp");
        let is_by_hand = ["malformed", "planted", "weak"]
            .iter()
            .any(|it| root.file_name() == *it);
        if is_by_hand || !entries.is_dir() {
            continue;
        }
        for entry in fs::read_dir(entries).expect("a cache") {
            let entry = entry.expect("an entry");
            if entry.file_name().len() == 64 {
                found.push(entry.path());
            }
        }
    }
    found
}
