//! Where reports go, and how they look.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::CliError;
use crate::lint::all_rules;
use crate::report::{Github, Human, Json, Look, Report, Sarif, Workspace};

/// How the names of unfinished reports end.
const UNFINISHED: &str = ".seclint-unfinished";

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// For programs
    Json,
    /// For code scanning services and editors: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: workflow commands, which become annotations
    Github,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    Always,
    Never,
}

/// A report to be written to a file.
#[derive(Clone, Debug)]
struct FileReport {
    format: Format,
    path: PathBuf,
}

/// How a report looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputOptions {
    /// How the report is written
    #[arg(
        long,
        value_enum,
        help = "How the report is written [default: github where GITHUB_ACTIONS=true, else human]"
    )]
    pub(super) format: Option<Format>,
    /// Write a report to a file as well (may be repeated)
    #[arg(
        long,
        value_name = "FORMAT=PATH",
        value_parser = parse_file_report,
        help = "Write a report to a file as well, such as sarif=seclint.sarif (may be repeated)"
    )]
    report: Vec<FileReport>,
    #[command(flatten)]
    look: LookOptions,
}

/// How text for people looks.
#[derive(Debug, Args)]
pub(super) struct LookOptions {
    /// When colours are used
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

fn parse_file_report(text: &str) -> Result<FileReport, String> {
    let formats = || {
        let formats = Format::value_variants().iter();
        let names =
            formats.filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()));
        names.collect::<Vec<_>>().join(", ")
    };
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or("write it as FORMAT=PATH, such as sarif=seclint.sarif")?;
    let format =
        Format::from_str(format, false).map_err(|_| format!("the formats are {}", formats()))?;
    if path == "-" {
        return Err("what goes to standard output is what --format says".to_owned());
    }
    let path = PathBuf::from(path);
    Ok(FileReport { format, path })
}

impl OutputOptions {
    /// The format of the report on standard output.
    pub(super) fn format(&self) -> Format {
        self.format.unwrap_or_else(|| {
            // Set by GitHub's runners, whose users look at annotations first.
            let is_workflow = std::env::var_os("GITHUB_ACTIONS").is_some_and(|is| is == "true");
            if is_workflow {
                Format::Github
            } else {
                Format::Human
            }
        })
    }

    /// Opens every report that is asked for, before there is anything to write:
    /// whoever waits an hour for a report should not learn then that there is none.
    ///
    /// `inputs` are files that are read: no report replaces one of them.
    pub(super) fn open(&self, inputs: &[PathBuf]) -> Result<Reports, CliError> {
        self.open_beside(inputs, Main::StandardOutput)
    }

    /// The same, where standard output may be for something else.
    pub(super) fn open_beside(&self, inputs: &[PathBuf], main: Main) -> Result<Reports, CliError> {
        let mut open: Vec<Output> = Vec::new();
        for FileReport { format, path } in &self.report {
            let real = |path: &PathBuf| path.canonicalize().ok();
            if real(path).is_some_and(|path| {
                inputs
                    .iter()
                    .any(|input| real(input).as_ref() == Some(&path))
            }) {
                let path = path.display();
                return Err(CliError::Usage(format!(
                    "{path}: the report would replace what is read"
                )));
            }
            let failed = |error| CliError::Report(path.clone(), error);
            let (file, goal) = Goal::open(path).map_err(failed)?;
            if open.iter().any(|other| other.goal.is_same(&goal)) {
                let path = path.display();
                return Err(CliError::Usage(format!("{path}: two reports to one file")));
            }
            let report = self.writer(*format, BufWriter::new(file), false);
            open.push(Output { report, goal });
        }
        let report = match main {
            Main::StandardOutput => {
                let out = io::stdout().lock();
                let is_terminal = out.is_terminal();
                self.writer(self.format(), BufWriter::new(out), is_terminal)
            }
            Main::StandardError => {
                let out = io::stderr();
                let is_terminal = out.is_terminal();
                self.writer(self.format(), BufWriter::new(out), is_terminal)
            }
            Main::Nowhere => return Ok(Reports { open }),
        };
        let goal = Goal::StandardOutput;
        open.push(Output { report, goal });
        Ok(Reports { open })
    }

    fn writer<W: io::Write + 'static>(
        &self,
        format: Format,
        out: W,
        is_terminal: bool,
    ) -> Box<dyn Report> {
        match format {
            Format::Human => Box::new(Human::new(out, self.look(is_terminal))),
            Format::Json => Box::new(Json::new(out)),
            Format::Sarif => Box::new(Sarif::new(out, all_rules(), workspace())),
            Format::Github => Box::new(Github::new(out, workspace())),
        }
    }

    /// A report of what is wrong beside the files, on standard error: annotations too where the report is
    /// made of them, which is for people everywhere else.
    pub(super) fn aside(&self) -> Box<dyn Report> {
        let format = match self.format() {
            Format::Github => Format::Github,
            _ => Format::Human,
        };
        let out = io::stderr();
        let is_terminal = out.is_terminal();
        self.writer(format, out, is_terminal)
    }

    /// How the report looks if it is for people alone.
    pub(super) fn only_look(&self) -> Option<Look> {
        let is_only = self.format() == Format::Human && self.report.is_empty();
        is_only.then(|| self.look(io::stdout().is_terminal()))
    }

    /// How text for people looks.
    pub(super) fn look(&self, is_terminal: bool) -> Look {
        self.look.on(is_terminal)
    }
}

/// Where GitHub's runners say that the repository is.
fn workspace() -> Workspace {
    let root = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let here = std::env::current_dir().ok();
    match (root.filter(|root| root.is_absolute()), here) {
        (Some(root), Some(here)) => Workspace::new(root, here),
        _ => Workspace::default(),
    }
}

impl LookOptions {
    /// How text looks on a terminal, or elsewhere.
    pub(super) fn on(&self, is_terminal: bool) -> Look {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let is_plain =
            variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        Look {
            color: match self.color {
                Color::Auto => is_terminal && !is_plain,
                Color::Always => true,
                Color::Never => false,
            },
            unicode: locale.is_none_or(|locale| locale != "C" && locale != "POSIX"),
        }
    }
}

/// Where the report goes that is in no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Main {
    StandardOutput,
    StandardError,
    Nowhere,
}

/// The reports of a run, all written side by side.
pub(super) struct Reports {
    open: Vec<Output>,
}

struct Output {
    report: Box<dyn Report>,
    goal: Goal,
}

impl Reports {
    /// Writes a part of every report.
    pub(super) fn write(
        &mut self,
        mut part: impl FnMut(&mut dyn Report) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let mut index = 0;
        let mut left = self.open.len();
        while let Some(output) = self.open.get_mut(index) {
            match part(output.report.as_mut()) {
                Ok(()) => index += 1,
                // Whoever read standard output has seen enough, but the files
                // are for someone else.
                Err(error)
                    if error.kind() == io::ErrorKind::BrokenPipe
                        && matches!(output.goal, Goal::StandardOutput)
                        && left > 1 =>
                {
                    self.open.remove(index);
                    left -= 1;
                }
                Err(error) => return Err(output.goal.failed(error)),
            }
        }
        Ok(())
    }

    /// Ends every report, and gives files their names.
    pub(super) fn finish(mut self, is_complete: bool) -> Result<(), CliError> {
        self.write(|report| report.finish(is_complete))?;
        self.open
            .into_iter()
            .try_for_each(|output| output.goal.reach())
    }
}

/// Where a report ends up.
#[derive(Debug)]
enum Goal {
    StandardOutput,
    /// Something that is there and no plain file: a pipe, a terminal, a device.
    Direct(PathBuf),
    /// A file, which has another name until it is complete, so that half a
    /// report is never taken for one.
    File(Unfinished),
}

impl Goal {
    fn open(path: &Path) -> io::Result<(File, Self)> {
        let is_descriptor = path.starts_with("/dev") || path.starts_with("/proc");
        // A link stays, and what it points to is written, as the shell's `>` does it.
        let path = match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_symlink() => path.canonicalize()?,
            _ => path.to_owned(),
        };
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            // `/dev/stdout` may be a plain file, which others write to as well.
            Ok(meta) if !meta.is_file() || is_descriptor => {
                let file = OpenOptions::new().append(true).open(&path)?;
                Ok((file, Goal::Direct(path)))
            }
            _ => Unfinished::create(path).map(|(file, unfinished)| (file, Goal::File(unfinished))),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        matches!((self, other), (Goal::File(one), Goal::File(other)) if one.is_same(other))
    }

    fn failed(&self, error: io::Error) -> CliError {
        match self {
            Goal::StandardOutput => CliError::Write(error),
            Goal::Direct(path) => CliError::Report(path.clone(), error),
            Goal::File(unfinished) => CliError::Report(unfinished.path.clone(), error),
        }
    }

    fn reach(self) -> Result<(), CliError> {
        let Goal::File(unfinished) = self else {
            return Ok(());
        };
        let path = unfinished.path.clone();
        unfinished
            .finish()
            .map_err(|error| CliError::Report(path, error))
    }
}

/// A file that is being written, beside the one that it will be. It goes when it
/// is dropped before.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
    temporary: PathBuf,
    is_finished: bool,
}

impl Unfinished {
    pub(super) fn create(path: PathBuf) -> io::Result<(File, Self)> {
        let Some(name) = path.file_name() else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        let mut number = 0;
        loop {
            let mut temporary = std::ffi::OsString::from(".");
            temporary.push(name);
            temporary.push(format!(".{}.{number}{UNFINISHED}", std::process::id()));
            let temporary = path.with_file_name(temporary);
            // Nothing that is there is opened, and no link is followed.
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary)
            {
                Ok(file) => {
                    let unfinished = Self {
                        path,
                        temporary,
                        is_finished: false,
                    };
                    return Ok((file, unfinished));
                }
                // Left by a process that was killed, or another report's.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its name, in place of what has it.
    pub(super) fn finish(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)?;
        self.is_finished = true;
        Ok(())
    }

    fn is_same(&self, other: &Self) -> bool {
        // Both directories are there: the temporary files are in them.
        let directory = |unfinished: &Self| {
            unfinished
                .temporary
                .canonicalize()
                .ok()?
                .parent()
                .map(Path::to_owned)
        };
        self.path.file_name() == other.path.file_name() && directory(self) == directory(other)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            // Why there is no report has been said already.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Whether a file's name is that of an unfinished report.
pub(super) fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().ends_with(UNFINISHED.as_bytes())
}
