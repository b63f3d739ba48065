//! Comments, which are no part of the tree.

use granit_parser::{Event, Parser};

use super::{as_text, offset};
use crate::text::{MAX_BYTES, Span, template};

/// The comments of a YAML stream, each from its `#` to the end of its line. Costs as much as
/// [`parse`](super::parse): it is for files that are known to have some.
#[must_use]
pub fn comments(bytes: &[u8]) -> Vec<Span> {
    if bytes.len() > MAX_BYTES {
        return Vec::new();
    }
    let (text, _) = as_text(bytes);
    let blanked = template::without_directives(&text);
    let text = blanked
        .as_ref()
        .map_or(text.as_ref(), |(text, _)| text.as_str());
    let mut options = granit_parser::options! { emit_unresolved_aliases: true };
    options.set_emit_comments(true);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut comments = Vec::new();
    while let Some(Ok((event, marked))) = parser.next_event() {
        if let Event::Comment(..) = event {
            let start = offset(marked.start, text.len());
            let rest = text.get(start as usize..).unwrap_or_default();
            let line = rest.lines().next().unwrap_or_default();
            comments.push(Span::new(start, start + line.len() as u32));
        }
    }
    comments
}
