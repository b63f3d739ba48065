//! What holds of any program.

use proptest::prelude::*;
use seclint::filter::{ByteOrder, Call, Filter};

use crate::{Code, ERRNO, assemble};

fn instructions() -> impl Strategy<Value = Vec<Code>> {
    let code = prop_oneof![
        4 => prop::sample::select(vec![
            0x20_u16, 0x00, 0x01, 0x60, 0x61, 0x02, 0x03, 0x07, 0x87, 0x06, 0x84, 0x05, 0x15, 0x1d, 0x25,
            0x35, 0x45, 0x4d, 0x04, 0x0c, 0x14, 0x24, 0x34, 0x3c, 0x44, 0x54, 0x64, 0x6c, 0x74, 0xa4,
        ]),
        1 => any::<u16>(),
    ];
    let constant = prop_oneof![4 => 0_u32..6, 1 => any::<u32>()];
    prop::collection::vec((code, 0_u8..4, 0_u8..4, constant), 0..24)
}

proptest! {
    /// A file that an attacker left would stop the audit of everything else.
    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let little = Filter::read(&bytes, ByteOrder::Little);
        let big = Filter::read(&bytes, ByteOrder::Big);
        prop_assert!(little.is_err() || big.is_err(), "no program is a filter in both orders");
        prop_assert_eq!(Filter::detect(&bytes).is_ok(), little.is_ok() || big.is_ok());
    }

    /// The same, of a program that the kernel takes: its loops and holes would be ours.
    #[test]
    fn every_filter_ends_and_has_words(
        mut program in instructions(),
        number: u32, architecture: u32, arguments: [u64; 6],
    ) {
        program.extend([(0x06, 0, 0, ERRNO); 4]);
        let bytes = assemble(&program, ByteOrder::Big);
        if let Ok(filter) = Filter::read(&bytes, ByteOrder::Big) {
            let call = Call { number, architecture, arguments, instruction_pointer: 0 };
            prop_assert_eq!(filter.evaluate(&call), filter.evaluate(&call));
            prop_assert_eq!(filter.list().len(), program.len());
        }
    }
}
