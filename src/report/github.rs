//! The report as workflow commands of GitHub Actions: each finding becomes an
//! annotation of the changed file.
//!
//! A runner obeys lines of a job's output that begin with `::`, and older
//! commands that begin with `##[` anywhere in a line. Nothing that comes from a
//! profile may begin either.

use std::io::{self, Write};

use super::excerpt::visible;
use super::human::{audit_summary, check_summary};
use super::{Conclusion, Report, Workspace, reported};
use crate::crun::Audit;
use crate::finding::{Finding, Location, Severity};
use crate::text::Source;

/// Writes reports as workflow commands, a finding a line.
#[derive(Debug)]
pub struct Github<W> {
    out: W,
    workspace: Workspace,
}

impl<W: Write> Github<W> {
    /// A report to `out`, of files in a workspace.
    pub const fn new(out: W, workspace: Workspace) -> Self {
        Self { out, workspace }
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        write!(self.out, "::{command} ")?;
        let location = &finding.location;
        // Standard input is no file of the repository.
        if location.source.name() != Source::STANDARD_INPUT {
            let path = self.workspace.path(&location.source);
            // A line may end in a name, but nothing in it is for a terminal to obey.
            let is_obeyed = |letter: char| letter.is_control() && !"\n\r\t".contains(letter);
            let path = path.trim_start_matches("./").replace(is_obeyed, "\u{fffd}");
            write!(self.out, "file={},", property(&path))?;
            if let Some(span) = location.span {
                let start = location.source.position(span.start);
                let end = location.source.position(span.end);
                write!(self.out, "line={},endLine={},", start.line, end.line)?;
                // GitHub takes columns for a part of one line only.
                if start.line == end.line {
                    write!(self.out, "col={},endColumn={},", start.column, end.column)?;
                }
            }
        }
        let title = property(&format!("seclint ({})", finding.rule.id));
        // The log shows the message alone, so the place stands in it as well.
        let said = (place(location), visible(&finding.message));
        let labels = finding.labels.iter();
        let labels = labels.map(|label| (place(&label.location), visible(&label.message)));
        let help = finding.help.iter();
        let help = help.map(|help| ("help".to_owned(), visible(help)));
        let lines = std::iter::once(said).chain(labels).chain(help);
        let lines: Vec<_> = lines
            .map(|(head, text)| format!("{head}: {text}"))
            .collect();
        let message = lines.join("\n");
        writeln!(self.out, "title={title}::{}", data(&message))
    }

    /// A line that is no command.
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "seclint: {}", without_old_command(text))
    }
}

impl<W: Write> Report for Github<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        reported(findings).try_for_each(|finding| self.finding(finding))
    }

    fn end(&mut self, conclusion: &Conclusion<'_>) -> io::Result<()> {
        self.line(&check_summary(conclusion.summary))
    }

    fn audit(&mut self, audit: &Audit) -> io::Result<()> {
        self.findings(&audit.findings)?;
        self.line(&audit_summary(audit))
    }

    fn finish(&mut self, _: bool) -> io::Result<()> {
        self.out.flush()
    }
}

/// A place, as compilers write it.
fn place(location: &Location) -> String {
    let path = visible(location.source.name());
    match location.span {
        Some(span) => {
            let start = location.source.position(span.start);
            format!("{path}:{}:{}", start.line, start.column)
        }
        None => path,
    }
}

/// A text in which no command of the old form begins. A runner looks for one even
/// in a line that begins with a command of the present form, if it is too old to
/// know that command.
fn without_old_command(text: &str) -> String {
    text.replace("##[", "## [")
}

/// A text as a command's message.
fn data(text: &str) -> String {
    without_old_command(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A text as the value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
