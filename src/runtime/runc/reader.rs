//! What runc reads of a document: Go's `encoding/json`, into the structs of the runtime
//! specification.

use std::borrow::Cow;

use crate::engine::oci::{LinuxSeccomp, LinuxSeccompArg, LinuxSyscall};
use crate::go::{self, Decode, Struct};
use crate::profile::is_container_configuration;
use crate::runtime::plan::Refusal;
use crate::runtime::section::{Argument, Entry, Section, Str};
use crate::syscalls::Arch;
use crate::text::{DeviationKind, Document};

/// Reads the section of a document, which is one itself or a container's configuration, as runc
/// does; `None` if there is none.
///
/// # Errors
/// If runc refuses the document.
pub fn read<'d>(
    document: &'d Document<'d>,
    source: &'d [u8],
    native: Arch,
) -> Result<Option<Section<'d>>, Refusal> {
    read_all(document, source, native).map(|(section, _)| section)
}

/// The section as [`read`] has it, and whether `process.noNewPrivileges` is set, which is `None` if
/// the document is no container configuration.
pub(super) fn read_all<'d>(
    document: &'d Document<'d>,
    source: &'d [u8],
    native: Arch,
) -> Result<(Option<Section<'d>>, Option<bool>), Refusal> {
    let (section, no_new_privileges): (Option<LinuxSeccomp<'d>>, _) = if is_configuration(document)
    {
        let configuration: Configuration<'d> = decode(document, source, native)?;
        let process = configuration.process.unwrap_or_default();
        let section = configuration.linux.and_then(|linux| linux.seccomp);
        (section, Some(process.no_new_privileges))
    } else {
        (decode(document, source, native)?, None)
    };
    Ok((section.as_ref().map(finished), no_new_privileges))
}

fn is_configuration(document: &Document<'_>) -> bool {
    document.root().is_some_and(is_container_configuration)
}

fn decode<'d, T: Decode<'d> + Default>(
    document: &'d Document<'d>,
    source: &'d [u8],
    native: Arch,
) -> Result<T, Refusal> {
    // Reading stops behind the first value, so that what follows is not seen.
    let mut deviations = document.deviations().iter();
    let end = deviations.find(|deviation| deviation.kind == DeviationKind::TrailingData);
    let end = end.map_or(source.len(), |deviation| deviation.span.start as usize);
    let source = source.get(..end).unwrap_or(source);
    go::decode(source, document, native.bits()).map_err(|error| Refusal(error.to_string()))
}

/// A container's configuration, as far as it matters here.
#[derive(Default)]
struct Configuration<'d> {
    linux: Option<Linux<'d>>,
    process: Option<Process>,
}

impl<'d> Struct<'d> for Configuration<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "linux" => Some(&mut self.linux),
            "process" => Some(&mut self.process),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Linux<'d> {
    seccomp: Option<LinuxSeccomp<'d>>,
}

impl<'d> Struct<'d> for Linux<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        (name == "seccomp").then_some(&mut self.seccomp)
    }
}

#[derive(Default)]
struct Process {
    no_new_privileges: bool,
}

impl<'d> Struct<'d> for Process {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        (name == "nonewprivileges").then_some(&mut self.no_new_privileges)
    }
}

fn finished<'d>(section: &LinuxSeccomp<'d>) -> Section<'d> {
    let common = &section.common;
    let path = common.listener_path;
    Section {
        default_action: string(common.default_action),
        default_errno: common.default_errno_ret.map(|errno| errno.0),
        architectures: strings(common.architectures.elements()),
        flags: common.flags.unless_nil().map(strings),
        listener_path: (!path.is_empty()).then(|| string(path)),
        entries: section.syscalls.elements().iter().map(entry).collect(),
    }
}

fn entry<'d>(entry: &LinuxSyscall<'d>) -> Entry<'d> {
    Entry {
        names: strings(entry.names.elements()),
        action: string(entry.action),
        errno: entry.errno_ret.map(|errno| errno.0),
        args: entry.args.elements().iter().map(argument).collect(),
    }
}

fn argument<'d>(argument: &LinuxSeccompArg<'d>) -> Argument<'d> {
    Argument {
        index: Some(argument.index.0),
        value: Some(argument.value),
        value_two: Some(argument.value_two),
        op: string(argument.op),
    }
}

fn strings<'d>(all: &[&'d str]) -> Vec<Str<'d>> {
    all.iter().map(|&text| string(text)).collect()
}

fn string(text: &str) -> Str<'_> {
    Str {
        bytes: Cow::Borrowed(text.as_bytes()),
        is_null: false,
        node: None,
    }
}
