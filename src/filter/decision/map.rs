//! A map for what is looked up at every step.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are indexes, which the standard hash would take longer to mix than all else.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Mixes words by multiplication, as `rustc` does for its own tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> u32::BITS
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(byte.into());
        }
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u32(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        const ODD: u64 = 0xf135_7aea_2e62_a9c5;
        self.0 = (self.0.rotate_left(23) ^ u64::from(word)).wrapping_mul(ODD);
    }
}
