//! Where a name's place in the syscall table is kept: shared with `build.rs`, which fills the slots.
//!
//! A file has hundreds of names, and looking them up was a tenth of what linting it costs when it
//! was done by `phf`, whose hash is made for keys that an attacker may choose. The keys here are
//! those of the table, and a slot that is empty ends every search.

/// How many slots there are: some eight for each name.
pub(super) const COUNT: usize = 4096;

/// What an empty slot holds. No name has that place.
pub(super) const EMPTY: u16 = u16::MAX;

/// The slots in which a name may be, in the order in which they are filled: up to the first that is
/// empty.
pub(super) fn of(name: &str) -> impl Iterator<Item = usize> {
    /// Odd, and its bits are as good as random: 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let bytes = name.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    // The last eight, some of them for the second time, cost less than those that are left.
    let last = match bytes.last_chunk::<8>() {
        Some(&last) => u64::from_le_bytes(last),
        None => rest
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    let words = words.iter().map(|&word| u64::from_le_bytes(word));
    let hash = words.chain([last]).fold(name.len() as u64, |hash, word| {
        let mixed = (hash ^ word).wrapping_mul(FACTOR);
        mixed ^ (mixed >> 32)
    });
    let first = hash as usize % COUNT;
    (first..first + COUNT).map(|slot| slot % COUNT)
}
