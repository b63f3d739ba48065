//! What the runtimes say: on standard error, each in its own way.

use serde_json::Value;

/// What a runtime's messages come to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// The last error, or nothing.
    pub(crate) error: String,
    /// The names in crun's warnings.
    pub(crate) warned: Vec<String>,
    /// The names in runc's debug log.
    pub(crate) dropped: Vec<String>,
}

/// crun's messages, at the level of warnings.
pub(crate) fn of_crun(output: &[u8]) -> Said {
    const BEFORE: &str = "unknown seccomp syscall `";
    const AFTER: &str = "` ignored\n";
    let mut said = Said::default();
    let text = String::from_utf8_lossy(output);
    // Names can have line ends in them.
    let mut rest = String::new();
    let mut text = &*text;
    while let Some((before, from)) = text.split_once(BEFORE) {
        let Some((name, after)) = from.split_once(AFTER) else {
            break;
        };
        rest += before;
        said.warned.push(name.to_owned());
        text = after;
    }
    rest += text;
    let mut lines: Vec<_> = rest.lines().filter(|line| !line.is_empty()).collect();
    // yajl shows the place in the text, under the error: two lines.
    if lines
        .last()
        .is_some_and(|line| line.ends_with("(right here) ------^"))
    {
        lines.truncate(lines.len().saturating_sub(2));
    }
    said.error = plain(lines.pop().unwrap_or_default()).into();
    said
}

/// A message of crun's without what it adds where it takes its output for a terminal, as it does
/// behind a filter that lets no call fail: colours, and the time.
fn plain(line: &str) -> &str {
    const RED: &str = "\u{1b}[1;31m";
    const PLAIN: &str = "\u{1b}[0m";
    let Some(coloured) = line.strip_prefix(RED) else {
        return line;
    };
    let timed = coloured.strip_suffix(PLAIN).unwrap_or(coloured);
    timed
        .split_once("Z: ")
        .map_or(timed, |(_, message)| message)
}

/// runc's messages: its log, a line of JSON each, and what `runc init` prints.
pub(crate) fn of_runc(output: &[u8]) -> Said {
    let mut said = Said::default();
    for line in String::from_utf8_lossy(output).lines() {
        let Ok(Value::Object(entry)) = serde_json::from_str(line) else {
            said.error = line.into();
            continue;
        };
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let message = text("msg");
        if matches!(text("level"), "error" | "fatal" | "panic") {
            said.error = message.into();
        }
        // The name is quoted as in Go, which is how JSON does it but for control
        // characters and what is no UTF-8.
        let quoted = message.strip_prefix("unknown seccomp syscall ");
        if let Some(quoted) = quoted.and_then(|it| it.strip_suffix(" ignored")) {
            said.dropped.push(unquoted(quoted));
        }
    }
    said
}

/// What Go's `%q` has quoted. The names in it are UTF-8, since Go has read them from JSON.
fn unquoted(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let mut rest = inner.unwrap_or(quoted);
    let mut text = String::new();
    while let Some((before, escape)) = rest.split_once('\\') {
        text += before;
        let kind = escape.chars().next().expect("an escape");
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let (escape, after) = escape.split_at(kind.len_utf8() + digits);
        text.push(match kind {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' | 'u' | 'U' => u32::from_str_radix(&escape[1..], 16)
                .ok()
                .and_then(char::from_u32)
                .expect("a code point"),
            itself => itself,
        });
        rest = after;
    }
    text + rest
}
