//! The `i_` cases: texts that a parser may take or refuse, and what ours says of them.

/// Name, bytes, and the kind that every deviation must have; `None`: there must be none.
type Case<Bytes> = (&'static str, Bytes, Option<&'static str>);

/// 500 arrays in each other, of which the parser may say nothing or `too-deep`.
pub(crate) fn nested() -> (&'static str, Vec<u8>) {
    let bytes = [b"[".repeat(500), b"]".repeat(500)].concat();
    ("i_structure_500_nested_arrays", bytes)
}

/// The other cases.
#[rustfmt::skip] // a table: one line a case where it fits
pub(crate) const CASES: &[Case<&[u8]>] = &[
    // Numbers are kept as they are written, so none is out of range.
    ("i_number_double_huge_neg_exp", b"[123.456e-789]", None),
    (
        "i_number_huge_exp",
        b"[0.4e0066999999999999999999999999999999999999999999999999999999999999\
          9999999999999999999999999999999999999999999999999999999969999999006]",
        None,
    ),
    ("i_number_neg_int_huge_exp", b"[-1e+9999]", None),
    ("i_number_pos_double_huge_exp", b"[1.5e+9999]", None),
    ("i_number_real_neg_overflow", b"[-123123e100000]", None),
    ("i_number_real_pos_overflow", b"[123123e100000]", None),
    ("i_number_real_underflow", b"[123e-10000000]", None),
    ("i_number_too_big_neg_int", b"[-123123123123123123123123123123]", None),
    ("i_number_too_big_pos_int", b"[100000000000000000000]", None),
    (
        "i_number_very_big_negative_int",
        b"[-237462374673276894279832749832423479823246327846]",
        None,
    ),
    ("i_object_key_lone_2nd_surrogate", br#"{"\uDFAA":0}"#, Some("lone-surrogate")),
    ("i_string_1st_surrogate_but_2nd_missing", br#"["\uDADA"]"#, Some("lone-surrogate")),
    ("i_string_1st_valid_surrogate_2nd_invalid", br#"["\uD888\u1234"]"#, Some("lone-surrogate")),
    ("i_string_UTF-16LE_with_BOM", b"\xff\xfe[\0\"\0\xe9\0\"\0]\0", Some("utf16")),
    ("i_string_UTF-8_invalid_sequence", b"[\"\xe6\x97\xa5\xd1\x88\xfa\"]", Some("bad-utf8")),
    ("i_string_UTF8_surrogate_U+D800", b"[\"\xed\xa0\x80\"]", Some("bad-utf8")),
    (
        "i_string_incomplete_surrogate_and_escape_valid",
        br#"["\uD800\n"]"#,
        Some("lone-surrogate"),
    ),
    ("i_string_incomplete_surrogate_pair", br#"["\uDd1ea"]"#, Some("lone-surrogate")),
    (
        "i_string_incomplete_surrogates_escape_valid",
        br#"["\uD800\uD800\n"]"#,
        Some("lone-surrogate"),
    ),
    ("i_string_invalid_lonely_surrogate", br#"["\ud800"]"#, Some("lone-surrogate")),
    ("i_string_invalid_surrogate", br#"["\ud800abc"]"#, Some("lone-surrogate")),
    ("i_string_invalid_utf-8", b"[\"\xff\"]", Some("bad-utf8")),
    ("i_string_inverted_surrogates_U+1D11E", br#"["\uDd1e\uD834"]"#, Some("lone-surrogate")),
    ("i_string_iso_latin_1", b"[\"\xe9\"]", Some("bad-utf8")),
    ("i_string_lone_second_surrogate", br#"["\uDFAA"]"#, Some("lone-surrogate")),
    ("i_string_lone_utf8_continuation_byte", b"[\"\x81\"]", Some("bad-utf8")),
    ("i_string_not_in_unicode_range", b"[\"\xf4\xbf\xbf\xbf\"]", Some("bad-utf8")),
    ("i_string_overlong_sequence_2_bytes", b"[\"\xc0\xaf\"]", Some("bad-utf8")),
    ("i_string_overlong_sequence_6_bytes", b"[\"\xfc\x83\xbf\xbf\xbf\xbf\"]", Some("bad-utf8")),
    (
        "i_string_overlong_sequence_6_bytes_null",
        b"[\"\xfc\x80\x80\x80\x80\x80\"]",
        Some("bad-utf8"),
    ),
    ("i_string_truncated-utf-8", b"[\"\xe0\xff\"]", Some("bad-utf8")),
    ("i_string_utf16BE_no_BOM", b"\0[\0\"\0\xe9\0\"\0]", Some("utf16")),
    ("i_string_utf16LE_no_BOM", b"[\0\"\0\xe9\0\"\0]\0", Some("utf16")),
    ("i_structure_UTF-8_BOM_empty_object", b"\xef\xbb\xbf{}", Some("byte-order-mark")),
];
