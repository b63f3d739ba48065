//! Templates: YAML that a program such as Helm has yet to fill in.

use super::Span;

/// The same text, of the same length, with white space where directives stand
/// (`{{ ... }}`), and where they stood. `None` if there is none.
pub(super) fn without_directives(text: &str) -> Option<(String, Vec<Span>)> {
    let mut blanks = Vec::new();
    let mut at = 0;
    while let Some(start) = find(text, "{{", at) {
        let is_comment = text[start + 2..]
            .trim_start_matches(['-', ' '])
            .starts_with("/*");
        // A comment may speak of directives.
        let inside = if is_comment {
            find(text, "*/", start)
        } else {
            Some(start)
        };
        let Some(end) = inside.and_then(|inside| find(text, "}}", inside)) else {
            break;
        };
        at = end + 2;
        blanks.push(Span::new(start as u32, at as u32));
    }
    if blanks.is_empty() {
        return None;
    }
    let mut blanked = String::with_capacity(text.len());
    let mut at = 0;
    for blank in &blanks {
        blanked.push_str(&text[at..blank.start as usize]);
        let directive = text[blank.range()].bytes();
        blanked.extend(directive.map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        at = blank.end as usize;
    }
    blanked.push_str(&text[at..]);
    Some((blanked, blanks))
}

fn find(text: &str, what: &str, from: usize) -> Option<usize> {
    let found = memchr::memmem::find(&text.as_bytes()[from..], what.as_bytes());
    found.map(|found| from + found)
}
