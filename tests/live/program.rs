//! The program in the containers: a static executable that is nothing but an
//! instruction that does not exist.
//!
//! It makes no system call, so that no filter can stop it, and it ends at once with
//! SIGILL, which no runtime dies of. A container that ends with [`STATUS`] has
//! therefore run its program, and any other has not.

/// The exit status of a container whose program ran: 128 + SIGILL.
pub(crate) const STATUS: i32 = 128 + 4;

/// The bytes of the executable; `None` on a machine whose instructions are not known.
pub(crate) fn executable() -> Option<Vec<u8>> {
    const ADDRESS: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let (machine, code): (u16, &[u8]) = match std::env::consts::ARCH {
        "x86_64" => (62, &[0x0f, 0x0b]),               // ud2
        "aarch64" => (183, &[0x00, 0x00, 0x00, 0x00]), // udf #0
        _ => return None,
    };
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec(); // 64 bit, little-endian, version 1
    elf.resize(16, 0);
    let u16s = |elf: &mut Vec<u8>, values: &[u16]| {
        elf.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    let u32s = |elf: &mut Vec<u8>, values: &[u32]| {
        elf.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    let u64s = |elf: &mut Vec<u8>, values: &[u64]| {
        elf.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    let size = HEADERS + code.len() as u64;
    u16s(&mut elf, &[2, machine]); // an executable
    u32s(&mut elf, &[1]);
    u64s(&mut elf, &[ADDRESS + HEADERS, 64, 0]); // entry, program headers, sections
    u32s(&mut elf, &[0]);
    u16s(&mut elf, &[64, 56, 1, 0, 0, 0]); // sizes and counts of the headers
    u32s(&mut elf, &[1, 5]); // load, to read and execute
    u64s(&mut elf, &[0, ADDRESS, ADDRESS, size, size, 0x1_0000]);
    elf.extend_from_slice(code);
    Some(elf)
}
