//! Further cases: what people write in the configuration files that they call JSON.
//!
//! Each case lists the kinds of all its deviations, in their order: one deviation a mistake, and
//! the parser goes on behind it. It lists several such lists where a mistake can be told in more
//! than one way, or where the order hangs on whether a deviation points at the start or the end.

/// Name, bytes, and the lists of kinds of which the document's own list must be one.
type Case = (
    &'static str,
    &'static [u8],
    &'static [&'static [&'static str]],
);

/// The text is JSON.
const NOTHING: &[&[&str]] = &[&[]];

/// The cases.
#[rustfmt::skip] // a table: one line a case where it fits
pub(crate) const CASES: &[Case] = &[
    // Comments.
    ("line_comment_at_the_very_end", br#"{"a": 1} // x"#, &[&["comment"]]),
    ("line_comment_ended_by_crlf", b"{ // x\r\n\"a\": 1 }\r\n", &[&["comment"]]),
    ("line_comment_with_quotes_and_brackets", b"{ // don't ] \"x\n\"a\": 1}", &[&["comment"]]),
    ("block_comment_at_the_very_end", b"{\"a\": 1}\n/* x */", &[&["comment"]]),
    ("block_comments_with_stars", b"/***/ [1 /* a * b ** / */]", &[&["comment", "comment"]]),
    ("hash_comment_at_the_very_end", br#"{"a": 1} # x"#, &[&["comment"]]),
    (
        "comments_inside_array",
        b"[1, // one\n 2 # two\n, /* three */ 3]",
        &[&["comment", "comment", "comment"]],
    ),
    ("comment_signs_inside_string", br#"{"url": "https://x/#y/*z*/"}"#, NOTHING),
    ("unterminated_comment_after", br#"{"a": 1} /* x *"#, &[&["unterminated-comment"]]),
    // The comment has swallowed the closing brace: one mistake, or two.
    (
        "unterminated_comment_inside_object",
        br#"{"a": 1 /* x }"#,
        &[
            &["unterminated-comment"],
            &["unterminated-comment", "unclosed"],
            &["unclosed", "unterminated-comment"],
        ],
    ),
    (
        "only_a_comment",
        b"// nothing yet\n",
        &[&["comment", "empty-document"], &["empty-document", "comment"]],
    ),
    // Commas and colons.
    (
        "trailing_commas_at_every_level",
        br#"{"a": [1, 2,], "b": {"c": 3,},}"#,
        &[&["trailing-comma", "trailing-comma", "trailing-comma"]],
    ),
    // The comma stands before the comment, but is known to be the last one only behind it.
    (
        "trailing_comma_before_comment",
        b"[1, // last\n]",
        &[&["trailing-comma", "comment"], &["comment", "trailing-comma"]],
    ),
    ("double_comma_in_array", b"[1,, 2]", &[&["extra-comma"]]),
    ("missing_comma_between_objects", b"[\n  {\"a\": 1}\n  {\"a\": 2}\n]", &[&["missing-comma"]]),
    ("missing_colon", br#"{"a" 1, "b": 2}"#, &[&["missing-colon"]]),
    ("missing_value_before_comma", br#"{"a": , "b": 2}"#, &[&["missing-value"]]),
    // Quotes.
    ("single_quoted_key_and_value", b"{'a': 'b'}", &[&["single-quotes", "single-quotes"]]),
    ("double_quotes_in_single_quotes", br#"['say "hi"', 1]"#, &[&["single-quotes"]]),
    ("unquoted_keys", b"{a: 1, b_2: 2}", &[&["unquoted-key", "unquoted-key"]]),
    ("unquoted_value", br#"{"action": SCMP_ACT_ALLOW}"#, &[&["bad-literal"]]),
    // Numbers and literals.
    ("hex_numbers", b"[0x1F, -0XFF]", &[&["bad-number", "bad-number"]]),
    ("octal_as_in_c", br#"{"mode": 0644}"#, &[&["leading-zero"]]),
    // Found by the fuzzer.
    (
        "leading_zeros_before_a_fraction_or_an_exponent",
        b"[00.5, 00e1, -00, 000]",
        &[&["leading-zero", "leading-zero", "leading-zero", "leading-zero"]],
    ),
    ("leading_plus", b"[+1, 2]", &[&["bad-number"]]),
    ("underscores_in_number", b"[1_000_000]", &[&["bad-number"]]),
    ("big_numbers", b"[18446744073709551615, 18446744073709551616, 1e400]", NOTHING),
    ("minus_zero", b"[-0, -0.0, -0e-0]", NOTHING),
    (
        "literals_of_other_languages",
        br#"{"a": True, "b": None, "c": undefined, "d": TRUE}"#,
        &[&["bad-literal", "bad-literal", "bad-literal", "bad-literal"]],
    ),
    // Strings.
    ("tab_inside_string", b"[\"a\tb\"]", &[&["control-character"]]),
    ("newline_inside_string", b"{\"a\": \"two\nlines\", \"b\": 1}", &[&["control-character"]]),
    ("nul_inside_string", b"[\"a\0b\"]", &[&["control-character"]]),
    ("backslash_of_a_windows_path", br#"["C:\Users"]"#, &[&["bad-escape"]]),
    // Encodings, line ends and whitespace.
    ("byte_order_mark", b"\xef\xbb\xbf{\"a\": 1}", &[&["byte-order-mark"]]),
    ("crlf_line_ends", b"{\r\n  \"a\": 1\r\n}\r\n", NOTHING),
    ("lone_cr_line_ends", b"{\r  \"a\": 1\r}\r", NOTHING),
    ("form_feed_between_tokens", b"{\"a\":\x0c1}", &[&["non-json-whitespace"]]),
    ("no_break_space_between_tokens", b"{\"a\":\xc2\xa01}", &[&["non-json-whitespace"]]),
    // One deviation for the whole padding, or one for each byte.
    (
        "nul_padding_after",
        b"{}\0\0",
        &[
            &["trailing-data"],
            &["unexpected-byte"],
            &["trailing-data", "trailing-data"],
            &["unexpected-byte", "unexpected-byte"],
        ],
    ),
    // Whole documents.
    ("empty_file", b"", &[&["empty-document"]]),
    ("only_whitespace", b" \t\r\n", &[&["empty-document"]]),
    ("two_documents", br#"{"a": 1}{"a": 2}"#, &[&["trailing-data"]]),
    // One deviation for all that follows the first document, or one for each further document.
    (
        "json_lines",
        b"{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3}\n",
        &[&["trailing-data"], &["trailing-data", "trailing-data"]],
    ),
    ("last_brace_missing", br#"{"a": [1, 2]"#, &[&["unclosed"]]),
    // The brace closes the object in spite of the array, or stands for the array's bracket.
    (
        "bracket_missing_before_brace",
        br#"{"a": [1, 2}"#,
        &[
            &["mismatched-close"],
            &["mismatched-close", "unclosed"],
            &["unclosed", "mismatched-close"],
            &["unclosed"],
        ],
    ),
    // The brace stands for the array's bracket, or is passed over.
    (
        "wrong_bracket",
        b"[1}",
        &[
            &["mismatched-close"],
            &["mismatched-close", "unclosed"],
            &["unclosed", "mismatched-close"],
        ],
    ),
    ("extra_brace_at_the_end", br#"{"a": 1}}"#, &[&["mismatched-close"], &["trailing-data"]]),
    ("extra_bracket_inside", br#"{"a": [1]], "b": 2}"#, &[&["mismatched-close"]]),
    ("duplicate_keys", br#"{"a": 1, "a": 2, "\u0061": 3}"#, NOTHING),
    ("empty_keys", br#"{"": 1, "b": {"": []}}"#, NOTHING),
    (
        "a_profile_with_a_mistake_on_every_line",
        br#"{ // the default
            "defaultAction": 'SCMP_ACT_ERRNO',
            architectures: ["SCMP_ARCH_X86_64"]
            "syscalls": [
                {"names": ["read" "write"], "action": SCMP_ACT_ALLOW},
                {"names": ["clone",], "args": [{"index": 0x0}]}
            ],
        }
        "#,
        &[&[
            "comment",
            "single-quotes",
            "unquoted-key",
            "missing-comma",
            "missing-comma",
            "bad-literal",
            "trailing-comma",
            "bad-number",
            "trailing-comma",
        ]],
    ),
];

/// What the parser says of a long document.
#[derive(Debug)]
pub(crate) enum Expected {
    /// Deviations of this kind.
    Only(&'static str),
    /// This kind at last.
    Last(&'static str),
    /// Whatever it likes, but something.
    Something,
}

/// Documents that a parser that recurses, or that looks ahead to the end again and again, cannot
/// stand: the first two are JSON.
pub(crate) fn long() -> Vec<(&'static str, Vec<u8>, Expected)> {
    const TIMES: usize = 100_000;
    let repeated = |before: &[u8], times: usize, after: &[u8]| {
        let mut bytes = before.repeat(times);
        bytes.extend(after);
        bytes
    };
    vec![
        (
            "arrays_in_arrays",
            repeated(b"[", TIMES, &b"]".repeat(TIMES)),
            Expected::Last("far-too-deep"),
        ),
        (
            "objects_in_objects",
            repeated(br#"{"a":"#, TIMES, &repeated(b"0", 1, &b"}".repeat(TIMES))),
            Expected::Last("far-too-deep"),
        ),
        (
            "open_braces",
            repeated(b"{", TIMES, b""),
            Expected::Something,
        ),
        (
            "mismatched_brackets",
            repeated(b"[}", TIMES, b""),
            Expected::Something,
        ),
        (
            "missing_commas",
            repeated(b"[0", 1, &repeated(b" 0", TIMES, b"]")),
            Expected::Only("missing-comma"),
        ),
        (
            "line_comments",
            repeated(b"//\n", TIMES, b"0"),
            Expected::Only("comment"),
        ),
        (
            "comment_starts",
            repeated(b"/*", TIMES, b""),
            Expected::Something,
        ),
        (
            "apostrophes",
            repeated(b"['", TIMES, b""),
            Expected::Something,
        ),
        (
            "bad_utf8",
            repeated(b"\xff", TIMES, b""),
            Expected::Something,
        ),
    ]
}
