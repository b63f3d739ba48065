//! The table against the `syscalls` crate, which is made from the kernel's headers and tables.
//!
//! The crate has nothing for x32, MIPS n32, PA-RISC, m68k, `SuperH` and 31 bit S/390, so those are
//! compared with libseccomp alone; and libseccomp has nothing for the crate's SPARC and 32 bit
//! RISC-V.

use std::collections::BTreeSet;

use seclint::syscalls::{self, Arch};

/// A name, where, and its number there.
type Call = (String, Arch, u32);

/// The calls of one of the crate's architectures, as calls of one or more of ours. `Sysno::iter` is
/// no help: it leaves the last call out.
macro_rules! calls {
    ($module:ident: $($arch:expr),+) => {{
        use ::syscalls::$module::Sysno;
        let last = usize::try_from(Sysno::last().id()).unwrap();
        let calls: Vec<Call> = (0..=last)
            .filter_map(|number| Sysno::new(number).map(|call| (number, call)))
            .flat_map(|(number, call)| [$($arch),+].map(|arch| (name(call.name()), arch, u32::try_from(number).unwrap())))
            .collect();
        calls
    }};
}

/// The crate's name without the mark that makes `break` an identifier.
fn name(name: &str) -> String {
    name.trim_start_matches("r#").to_owned()
}

/// Everything that the crate has on architectures that libseccomp has too.
fn of_the_crate() -> BTreeSet<Call> {
    [
        calls!(aarch64: Arch::Aarch64),
        calls!(arm: Arch::Arm),
        calls!(loongarch64: Arch::Loongarch64),
        calls!(mips: Arch::Mips, Arch::Mipsel),
        calls!(mips64: Arch::Mips64, Arch::Mipsel64),
        calls!(powerpc: Arch::Ppc),
        calls!(powerpc64: Arch::Ppc64, Arch::Ppc64Le),
        calls!(riscv64: Arch::Riscv64),
        calls!(s390x: Arch::S390X),
        calls!(x86: Arch::X86),
        calls!(x86_64: Arch::X86_64),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn arches(calls: &BTreeSet<Call>) -> BTreeSet<Arch> {
    calls.iter().map(|&(_, arch, _)| arch).collect()
}

/// A call that only one side has.
type Difference = (Side, String, Arch);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Crate,
    Table,
}

/// `data/syscalls_crate_differences.tsv`: names, architectures (`*`: all that both have), side and
/// reason.
fn reasons(compared: &BTreeSet<Arch>) -> BTreeSet<Difference> {
    let mut reasons = BTreeSet::new();
    for row in include_str!("../../data/syscalls_crate_differences.tsv")
        .lines()
        .skip(1)
    {
        let &[names, arches, side, reason] = row.split('\t').collect::<Vec<_>>().as_slice() else {
            panic!("not four columns: {row}")
        };
        assert!(!reason.is_empty(), "no reason: {row}");
        let side = match side {
            "crate" => Side::Crate,
            "table" => Side::Table,
            _ => panic!("no side: {row}"),
        };
        let arches: Vec<Arch> = match arches {
            "*" => compared.iter().copied().collect(),
            names => names
                .split(' ')
                .map(|name| Arch::from_name(name).expect(name))
                .collect(),
        };
        for name in names.split(' ') {
            for &arch in &arches {
                assert!(
                    reasons.insert((side, name.to_owned(), arch)),
                    "{name} on {arch} has two reasons"
                );
            }
        }
    }
    reasons
}

// When this fails a number is wrong, or a new kernel has calls that the table lacks: profiles for
// one architecture would be judged by another's calls.
#[test]
fn calls_are_those_of_the_syscalls_crate() {
    let theirs = of_the_crate();
    let compared = arches(&theirs);
    let ours: BTreeSet<Call> = syscalls::all()
        .iter()
        .flat_map(|syscall| Arch::ALL.map(|arch| (syscall, arch)))
        .filter(|(_, arch)| compared.contains(arch))
        .filter_map(|(syscall, arch)| {
            Some((
                syscall.name().to_owned(),
                arch,
                syscall.direct_number(arch)?,
            ))
        })
        .collect();
    let differences: BTreeSet<Difference> = theirs
        .difference(&ours)
        .map(|(name, arch, _)| (Side::Crate, name.clone(), *arch))
        .chain(
            ours.difference(&theirs)
                .map(|(name, arch, _)| (Side::Table, name.clone(), *arch)),
        )
        .collect();
    println!(
        "{} architectures, {} calls of ours, {} of the crate's, {} differences",
        compared.len(),
        ours.len(),
        theirs.len(),
        differences.len()
    );
    let reasons = reasons(&compared);
    let unexplained: Vec<_> = differences.difference(&reasons).collect();
    let unneeded: Vec<_> = reasons.difference(&differences).collect();
    assert!(unexplained.is_empty(), "without a reason: {unexplained:#?}");
    assert!(unneeded.is_empty(), "reasons for nothing: {unneeded:#?}");
}
