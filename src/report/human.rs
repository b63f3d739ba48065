//! The report for people.

use std::fmt;
use std::io::{self, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::excerpt::{Excerpt, Mark, visible};
use super::{Conclusion, Report, Summary, reported};
use crate::crun::{Audit, FilterOrigin, Pruned};
use crate::finding::{Finding, Severity};

/// How the report looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether colours may be used.
    pub color: bool,
    /// Whether lines may be drawn with characters beyond ASCII.
    pub unicode: bool,
}

/// Writes reports for people to read.
#[derive(Debug)]
pub struct Human<W> {
    out: W,
    look: Look,
}

impl<W: Write> Human<W> {
    /// A report to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Self { out, look }
    }
}

/// Findings as they are shown to people: to be made where they were found, while all that they are
/// about is at hand.
#[derive(Debug)]
pub struct Picture(String);

impl Picture {
    /// Draws the findings that are reported.
    ///
    /// # Errors
    /// If an excerpt cannot be drawn.
    pub fn of(findings: &[Finding], look: Look) -> io::Result<Self> {
        let mut text = String::new();
        for finding in reported(findings) {
            if finding.location.span.is_none() {
                // On a line of its own, whole, so that it can be copied.
                text.push_str(&visible(finding.location.source.name()));
                text.push('\n');
            }
            let drawn = Drawn {
                finding,
                excerpt: Excerpt::of(finding),
            };
            let head = format!("{}[{}]:", finding.severity, finding.rule.id);
            for line in draw(&drawn, &head, look)?.lines() {
                text.push_str(line.trim_end());
                text.push('\n');
            }
            text.push('\n');
        }
        Ok(Self(text))
    }
}

/// What miette makes of something, which begins with `head`.
fn draw(drawn: &dyn Diagnostic, head: &str, look: Look) -> io::Result<String> {
    let characters = if look.unicode {
        ThemeCharacters::unicode()
    } else {
        ThemeCharacters::ascii()
    };
    let theme = GraphicalTheme {
        characters: ThemeCharacters {
            error: head.to_owned(),
            warning: head.to_owned(),
            advice: head.to_owned(),
            ..characters
        },
        styles: if look.color {
            ThemeStyles::ansi()
        } else {
            ThemeStyles::none()
        },
    };
    // As much as most findings take.
    let mut text = String::with_capacity(1 << 10);
    let rendered = GraphicalReportHandler::new_themed(theme)
        .with_wrap_lines(false)
        .with_links(false)
        .render_report(&mut text, drawn);
    // Writing to a String fails only if what is to be drawn contradicts itself.
    rendered.map_err(|_| io::Error::other("an excerpt could not be drawn"))?;
    Ok(text)
}

/// Writes what is around marks, as it is written below a finding; nothing without marks.
pub(crate) fn excerpts(out: &mut impl Write, marks: Vec<Mark<'_>>, look: Look) -> io::Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let text = draw(&Bare(Excerpt::around(marks)), "", look)?;
    // There is no message above it.
    let mut lines = text.lines().skip_while(|line| is_blank(line));
    lines.try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// Whether a line shows nothing, whatever colour it sets.
fn is_blank(line: &str) -> bool {
    let mut parts = line.split('\x1b');
    let shown = |part: &str| !part.trim().is_empty();
    let first = parts.next().is_some_and(shown);
    !first && !parts.any(|part| part.split_once('m').is_some_and(|(_, rest)| shown(rest)))
}

impl<W: Write> Report for Human<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        // One at a time, since there may be any number.
        for finding in findings {
            let picture = Picture::of(std::slice::from_ref(finding), self.look)?;
            self.out.write_all(picture.0.as_bytes())?;
        }
        Ok(())
    }

    fn picture(&mut self, picture: &Picture) -> io::Result<()> {
        self.out.write_all(picture.0.as_bytes())
    }

    fn end(&mut self, conclusion: &Conclusion<'_>) -> io::Result<()> {
        writeln!(self.out, "{}", check_summary(conclusion.summary))?;
        self.out.flush()
    }

    fn audit(&mut self, audit: &Audit) -> io::Result<()> {
        self.findings(&audit.findings)?;
        for entry in &audit.entries {
            let words = match &entry.pruned {
                None => continue,
                Some(Pruned::Removed) if entry.pinned => {
                    "removed, though it was pinned; the one that crun makes in its place is not"
                }
                Some(Pruned::Removed) => "removed",
                Some(Pruned::WouldBeRemoved) if entry.pinned => {
                    "would be removed, though it is pinned"
                }
                Some(Pruned::WouldBeRemoved) => "would be removed",
                Some(Pruned::Changed) => "left alone, since it is no longer what was audited",
                Some(Pruned::Failed) => "could not be removed",
            };
            let root = visible(&audit.root);
            writeln!(self.out, "{root}/.cache/seccomp/{}: {words}", entry.name)?;
        }
        writeln!(self.out, "{}", audit_summary(audit))?;
        self.out.flush()
    }

    fn finish(&mut self, _: bool) -> io::Result<()> {
        self.out.flush()
    }
}

/// What checking profiles came to, in a line.
pub(super) fn check_summary(summary: &Summary) -> String {
    if summary.files == 0 {
        return "nothing was checked".to_owned();
    }
    let checked = count(summary.profiles, "profile");
    let mut line = format!("{} in {checked}", severities(summary));
    for (number, words) in [(summary.fixed, "fixed"), (summary.suppressed, "suppressed")] {
        if number > 0 {
            line = format!("{line}; {number} {words}");
        }
    }
    if summary.skipped == 0 {
        return line;
    }
    let skipped = count(summary.skipped, "file");
    format!("{line}; {skipped} passed over, in which no profile was found")
}

/// What auditing a cache came to, in a line.
pub(super) fn audit_summary(audit: &Audit) -> String {
    let summary = &audit.summary;
    let entries = summary.entries - summary.foreign;
    let mut line = format!("{}: {}", visible(&audit.root), count_entries(entries));
    let counts = [
        (summary.mismatch, "not as asked for"),
        (summary.hides_warnings, "hiding warnings"),
        (summary.malformed, "malformed"),
        (summary.clean, "clean"),
        (summary.unattributed, "not explained"),
    ];
    let said = counts.iter().filter(|(number, _)| *number > 0);
    let said: Vec<_> = said
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    if !said.is_empty() {
        line = format!("{line}: {}", said.join(", "));
    }
    let of_them = [
        (summary.pinned, "pinned"),
        (summary.stale, "stale"),
        (summary.not_compared, "not compared with what explains them"),
    ];
    for (number, words) in of_them.into_iter().filter(|(number, _)| *number > 0) {
        line = format!("{line}; {number} of them {words}");
    }
    let pruned = [
        (Pruned::Removed, "removed now"),
        (Pruned::WouldBeRemoved, "would be removed"),
    ];
    for (what, words) in pruned {
        let entries = audit.entries.iter();
        let number = entries.filter(|it| it.pruned == Some(what)).count();
        if number > 0 {
            line = format!("{line}; {number} of them {words}");
        }
    }
    if summary.foreign > 0 {
        let foreign = count(summary.foreign, "foreign file");
        line = format!("{line}; {foreign} beside them");
    }
    // Of containers, those that the entries say nothing of.
    let origins = [
        (FilterOrigin::Own, "with a filter that is no entry"),
        (FilterOrigin::Missing, "whose filter is not there"),
        (FilterOrigin::None, "without a filter"),
        (FilterOrigin::Unreadable, "that could not be read"),
    ];
    for (origin, words) in origins {
        let containers = audit.containers.iter();
        let number = containers.filter(|it| it.filter == origin).count();
        if number > 0 {
            line = format!("{line}; {} {words}", count(number, "container"));
        }
    }
    line
}

fn severities(summary: &Summary) -> String {
    let counts = [
        (summary.errors, "error"),
        (summary.warnings, "warning"),
        (summary.infos, "info"),
    ];
    let said = counts.iter().filter(|(number, _)| *number > 0);
    let said: Vec<_> = said.map(|&(number, word)| count(number, word)).collect();
    if said.is_empty() {
        "no findings".to_owned()
    } else {
        said.join(", ")
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn count_entries(number: usize) -> String {
    match number {
        0 => "no entries".to_owned(),
        1 => "1 entry".to_owned(),
        _ => format!("{number} entries"),
    }
}

/// An excerpt without a message.
#[derive(Debug)]
struct Bare(Excerpt);

impl fmt::Display for Bare {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Bare {}

impl Diagnostic for Bare {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.0.labels.iter().cloned()))
    }
}

/// A finding as miette wants to see it.
#[derive(Debug)]
struct Drawn<'f> {
    finding: &'f Finding,
    excerpt: Excerpt,
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.finding.message))
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.finding.help.as_deref()?;
        Some(Box::new(visible(help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.excerpt.is_empty()).then_some(&self.excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels.iter().cloned()))
    }
}
