//! What is said of each instruction, and of each fault.

use seclint::filter::{ByteOrder, Call, Fault, Filter, Reason};
use seclint::profile::Action;
use seclint::syscalls::Arch;

use crate::{ALLOW, ERRNO, assemble, filter, first_fault, texts};

/// Comparisons of arguments would look at the wrong half, or at another argument.
#[test]
fn loads_find_every_word_of_a_call_in_both_byte_orders() {
    let word = |offset: u64| u64::from(ERRNO) | offset;
    let pair = |high, low| word(high) << 32 | word(low);
    for order in [ByteOrder::Little, ByteOrder::Big] {
        let wide = |at| match order {
            ByteOrder::Little => pair(at + 4, at),
            ByteOrder::Big => pair(at, at + 4),
        };
        let call = Call {
            number: word(0) as u32,
            architecture: word(4) as u32,
            instruction_pointer: wide(8),
            arguments: [16, 24, 32, 40, 48, 56].map(wide),
        };
        for offset in (0..64).step_by(4) {
            let program = assemble(&[(0x20, 0, 0, offset), (0x16, 0, 0, 0)], order);
            let filter = Filter::read(&program, order).expect("a filter");
            let verdict = filter.evaluate(&call);
            assert_eq!(
                (verdict.action, u32::from(verdict.data)),
                (Action::Errno, offset)
            );
        }
    }
}

/// A fault that is named wrongly sends its reader to the wrong instruction.
#[test]
fn faults_are_told_with_their_instruction() {
    let end = (0x06, 0, 0, ALLOW);
    for (program, expected) in [
        (
            vec![(0x06, 0, 0, 0), (0x28, 0, 0, 0), end],
            "instruction 1: operation 0x0028 is none that a filter may have",
        ),
        (
            vec![(0x94, 0, 0, 2), end],
            "instruction 0 takes a remainder, which a seccomp filter may not",
        ),
        (
            vec![(0x20, 0, 0, 64), end],
            "instruction 0 loads from offset 64, and a call is 64 bytes, in words of 4",
        ),
        (
            vec![(0x20, 0, 0, 2), end],
            "instruction 0 loads from offset 2, and a call is 64 bytes, in words of 4",
        ),
        (
            vec![(0x02, 0, 0, 16), end],
            "instruction 0 uses memory cell 16, and there are 16, from 0",
        ),
        (
            vec![end, (0x60, 0, 0, 3), end],
            "instruction 1 reads memory cell 3, which was not written on every way there",
        ),
        (vec![(0x34, 0, 0, 0), end], "instruction 0 divides by 0"),
        (
            vec![(0x64, 0, 0, 32), end],
            "instruction 0 shifts by 32, and a word has 32 bits",
        ),
        (
            vec![(0x15, 0, 1, 0), end],
            "instruction 0 jumps past the last instruction",
        ),
        (
            vec![(0x05, 0, 0, u32::MAX), end],
            "instruction 0 jumps past the last instruction",
        ),
        (
            vec![end, (0x84, 0, 0, 0)],
            "instruction 1 is the last, and no return",
        ),
        (
            vec![],
            "0 bytes are no filter: a filter has 1 to 4096 instructions of 8 bytes",
        ),
    ] {
        assert_eq!(first_fault(&program).to_string(), expected);
    }
    let bytes = assemble(&[(0x34, 0, 0, 0), (0x64, 0, 0, 40)], ByteOrder::Little);
    let refused = Filter::read(&bytes, ByteOrder::Little).expect_err("no filter");
    let faults: Vec<_> = refused.faults().collect();
    let at = |instruction, reason| Fault {
        instruction: Some(instruction),
        reason,
    };
    assert_eq!(
        faults,
        [at(0, Reason::DivisionByZero), at(1, Reason::Shift(40))]
    );
    assert_eq!(
        refused.to_string(),
        "instruction 0 divides by 0 (and another fault)"
    );
}

/// An instruction that is told wrongly makes a reviewer see another filter.
#[test]
fn every_operation_has_words() {
    let program = [
        (0x00, 0, 0, 7),
        (0x01, 0, 0, 70_000),
        (0x80, 0, 0, 0),
        (0x81, 0, 0, 0),
        (0x02, 0, 0, 3),
        (0x03, 0, 0, 4),
        (0x60, 0, 0, 3),
        (0x61, 0, 0, 4),
        (0x07, 0, 0, 0),
        (0x87, 0, 0, 0),
        (0x04, 0, 0, 1),
        (0x0c, 0, 0, 0),
        (0x14, 0, 0, 1),
        (0x24, 0, 0, 2),
        (0x34, 0, 0, 2),
        (0x44, 0, 0, 16),
        (0x54, 0, 0, 16),
        (0xa4, 0, 0, 16),
        (0x64, 0, 0, 2),
        (0x74, 0, 0, 2),
        (0x84, 0, 0, 0),
        (0x20, 0, 0, 8),
        (0x20, 0, 0, 12),
        (0x20, 0, 0, 60),
        (0x05, 0, 0, 0),
        (0x25, 0, 1, 5),
        (0x35, 0, 1, 5),
        (0x45, 0, 1, 5),
        (0x4d, 1, 0, 0),
        (0x1d, 1, 1, 0),
        (0x15, 1, 2, 5),
        (0x06, 0, 0, 0x0006_0001),
        (0x06, 0, 0, 0x7ff0_0005),
        (0x06, 0, 0, 0x0003_0000),
        (0x06, 0, 0, ERRNO),
        (0x06, 0, 0, ERRNO | 0xffff),
        (0x16, 0, 0, 0),
    ];
    let texts = texts(&program);
    assert_eq!(
        texts.join("\n"),
        "\
A = 7
X = 0x11170
A = 64
X = 64
M[3] = A
M[4] = X
A = M[3]
X = M[4]
X = A
A = X
A += 1
A += X
A -= 1
A *= 2
A /= 2
A |= 0x10
A &= 0x10
A ^= 0x10
A <<= 2
A >>= 2
A = -A
A = instruction_pointer.low
A = instruction_pointer.high
A = args[5].high
goto 25
if args[5].high <= 5 goto 27
if args[5].high < 5 goto 28
if !(args[5].high & 0x5) goto 29
if args[5].high & X goto 30
if args[5].high == X goto 31 else 31
if args[5].high == 5 goto 32 else 33
return 0x00060001 (no action: KILL_PROCESS)
return TRACE(5)
return TRAP
return ERRNO(0)
return ERRNO(4095)
return A"
    );
}

/// A number would be named after the call that has it on another architecture.
#[test]
fn numbers_are_named_by_the_architecture_that_the_way_there_has_found() {
    let arch = |arch: Arch| arch.audit_arch();
    let program = [
        (0x20, 0, 0, 4),
        (0x15, 0, 4, arch(Arch::X86_64)),
        (0x20, 0, 0, 0),
        (0x35, 1, 0, 0x4000_0000),
        (0x15, 3, 4, 83),
        (0x15, 2, 3, 0x4000_0053),
        (0x15, 0, 2, arch(Arch::Aarch64)),
        (0x20, 0, 0, 0),
        // Both lead here: which architecture it is is open again.
        (0x15, 0, 0, 34),
        (0x06, 0, 0, ALLOW),
    ];
    let lines = filter(&program).list();
    let names: Vec<_> = lines.iter().map(|line| line.syscall).collect();
    let mut expected = [None; 10];
    expected[4] = Some("mkdir");
    expected[5] = Some("mkdir");
    assert_eq!(names, expected);
    let architectures = |index: usize| lines[index].architectures.clone();
    assert_eq!(architectures(3), [Arch::X86_64, Arch::X32]);
    assert_eq!(architectures(4), [Arch::X86_64]);
    assert_eq!(architectures(5), [Arch::X32]);
    assert_eq!(architectures(7), [Arch::Aarch64]);
    assert_eq!(architectures(8), []);
    assert_eq!(lines[1].text, "if arch != x86_64 goto 6");
    assert_eq!(lines[8].text, "if nr == 34 goto 9 else 9");
    assert_eq!(lines[8].sources, [4, 5]);
}

/// What calculation has taken from a number, its name goes with; x32's bit is the exception.
#[test]
fn a_number_without_the_bit_of_x32_still_has_a_name() {
    let with_mask = |mask| {
        let program = [
            (0x20, 0, 0, 4),
            (0x15, 0, 3, Arch::X86_64.audit_arch()),
            (0x20, 0, 0, 0),
            (0x54, 0, 0, mask),
            (0x15, 0, 0, 83),
            (0x06, 0, 0, ALLOW),
        ];
        texts(&program)[4].clone()
    };
    assert_eq!(
        with_mask(0xbfff_ffff),
        "if (nr & 0xbfffffff) == 83 (mkdir) goto 5 else 5"
    );
    assert_eq!(with_mask(0xff), "if (nr & 0xff) == 83 goto 5 else 5");
}

/// `ENOSYS`, which most filters end with, would be a mere number; or it would be named where it is
/// another errno.
#[test]
fn errnos_are_named_where_they_are_the_same_on_every_architecture_asked_for() {
    let with_arch = |arch: Arch, errno| {
        let program = [
            (0x20, 0, 0, 4),
            (0x15, 0, 2, arch.audit_arch()),
            (0x20, 0, 0, 0),
            // No architecture, though `AUDIT_ARCH_MIPS` is the same number.
            (0x15, 0, 0, Arch::Mips.audit_arch()),
            (0x06, 0, 0, ERRNO | errno),
        ];
        texts(&program)[4].clone()
    };
    assert_eq!(with_arch(Arch::X86_64, 38), "return ERRNO(ENOSYS)");
    assert_eq!(with_arch(Arch::Mipsel, 38), "return ERRNO(38)");
    assert_eq!(with_arch(Arch::Mipsel, 1), "return ERRNO(EPERM)");
}
