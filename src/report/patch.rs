//! Changes of files as unified diffs.

use std::io::{self, Write};
use std::ops::Range;

/// How many lines are shown around a change.
const CONTEXT: usize = 3;
/// How many pairs of lines are compared at most; beyond, all lines between the first and the last
/// that differ are one change.
const MOST_PAIRS: usize = 4 << 20;

/// Writes what turns one text into another, as `git apply` and `patch -p1` take it in the directory
/// that `name` begins in.
///
/// # Errors
/// If it cannot be written.
pub fn patch(out: &mut impl Write, name: &[u8], old: &[u8], new: &[u8]) -> io::Result<()> {
    let [old, new] = [old, new].map(|text| text.split_inclusive(|byte| *byte == b'\n').collect());
    let (old, new): (Vec<&[u8]>, Vec<&[u8]>) = (old, new);
    let changes = changes(&old, &new);
    if changes.is_empty() {
        return Ok(());
    }
    let [old_name, new_name] = ["a/", "b/"].map(|side| header(side, name));
    writeln!(out, "--- {old_name}\n+++ {new_name}")?;
    let near = |a: &Change, b: &Change| b.0.start - a.0.end <= 2 * CONTEXT;
    for hunk in changes.chunk_by(near) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            continue;
        };
        let before = first.0.start.min(CONTEXT);
        let after = (old.len() - last.0.end).min(CONTEXT);
        let old_lines = first.0.start - before..last.0.end + after;
        let new_lines = first.1.start - before..last.1.end + after;
        writeln!(out, "@@ -{} +{} @@", place(&old_lines), place(&new_lines))?;
        let mut at = old_lines.start;
        for (removed, added) in hunk {
            write_lines(out, ' ', &old[at..removed.start])?;
            write_lines(out, '-', &old[removed.clone()])?;
            write_lines(out, '+', &new[added.clone()])?;
            at = removed.end;
        }
        write_lines(out, ' ', &old[at..old_lines.end])?;
    }
    Ok(())
}

/// A file's name as git writes it: in quotes, with the escapes of C, if a line cannot hold it as it is.
fn header(side: &str, name: &[u8]) -> String {
    let is_plain = |letter: char| !letter.is_control() && !"\"\\".contains(letter);
    match str::from_utf8(name) {
        Ok(name) if name.chars().all(is_plain) => {
            // What follows a tab is a time: without it, a name with a space would be cut there.
            let end = if name.contains(' ') { "\t" } else { "" };
            format!("{side}{name}{end}")
        }
        _ => {
            let escaped = name.iter().map(|&byte| match byte {
                b'\n' => "\\n".to_owned(),
                b'\t' => "\\t".to_owned(),
                b'"' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\{byte:03o}"),
            });
            format!("\"{side}{}\"", escaped.collect::<String>())
        }
    }
}

fn place(lines: &Range<usize>) -> String {
    // Of no line the one before is named.
    let start = lines.start + usize::from(!lines.is_empty());
    match lines.len() {
        1 => start.to_string(),
        length => format!("{start},{length}"),
    }
}

fn write_lines(out: &mut impl Write, sign: char, lines: &[&[u8]]) -> io::Result<()> {
    for line in lines {
        write!(out, "{sign}")?;
        out.write_all(line)?;
        if !line.ends_with(b"\n") {
            writeln!(out, "\n\\ No newline at end of file")?;
        }
    }
    Ok(())
}

/// Lines that are replaced, and those that they are replaced by.
type Change = (Range<usize>, Range<usize>);

fn changes(old: &[&[u8]], new: &[&[u8]]) -> Vec<Change> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = rest.take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let width = new.len() + 1;
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return vec![(start..start + old.len(), start..start + new.len())];
    }
    // For each pair of places, how many lines at most are the same behind them.
    let mut same = vec![0_u32; (old.len() + 1) * width];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            let at = a * width + b;
            same[at] = if old[a] == new[b] {
                same[at + width + 1] + 1
            } else {
                same[at + width].max(same[at + 1])
            };
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            (a, b) = (a + 1, b + 1);
            continue;
        }
        let (from_a, from_b) = (a, b);
        while (a < old.len() || b < new.len())
            && !(a < old.len() && b < new.len() && old[a] == new[b])
        {
            let at = a * width + b;
            let takes_old = b == new.len() || (a < old.len() && same[at + width] >= same[at + 1]);
            (a, b) = if takes_old { (a + 1, b) } else { (a, b + 1) };
        }
        changes.push((start + from_a..start + a, start + from_b..start + b));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::patch;

    fn of(old: &str, new: &str) -> String {
        let mut out = Vec::new();
        patch(&mut out, b"x", old.as_bytes(), new.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// `patch` refuses a diff whose numbers are wrong.
    #[test]
    fn hunks_are_counted() {
        let lines = |range: std::ops::Range<u32>| -> String {
            range
                .flat_map(|line| [line.to_string(), "\n".to_owned()])
                .collect()
        };
        let old = lines(0..30);
        assert_eq!(of(&old, &old), "");
        let new = old.replace("\n5\n", "\nfive\n").replace("\n20\n", "\n");
        assert_eq!(
            of(&old, &new),
            "--- a/x\n+++ b/x\n@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -18,7 +18,6 @@\n 17\n 18\n 19\n-20\n 21\n 22\n 23\n"
        );
        assert_eq!(
            of("a", "b"),
            "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
        );
        assert_eq!(of("", "b\n"), "--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+b\n");
    }
}
