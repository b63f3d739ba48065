//! The runtime specification's types as Go decodes them.

use super::section::{Section, SectionCondition, SectionEntry};
use crate::go::{Decode, Slice, Struct, Uint};
use crate::text::Node;

/// `LinuxSeccomp` without its `syscalls`, which Docker decodes otherwise than containerd.
#[derive(Debug, Default)]
pub(crate) struct Common<'d> {
    pub(crate) default_action: &'d str,
    pub(crate) default_errno_ret: Option<Uint>,
    pub(crate) architectures: Slice<&'d str>,
    pub(crate) flags: Slice<&'d str>,
    pub(crate) listener_path: &'d str,
    pub(crate) listener_metadata: &'d str,
}

impl<'d> Struct<'d> for Common<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        Some(match name {
            "defaultaction" => &mut self.default_action,
            "defaulterrnoret" => &mut self.default_errno_ret,
            "architectures" => &mut self.architectures,
            "flags" => &mut self.flags,
            "listenerpath" => &mut self.listener_path,
            "listenermetadata" => &mut self.listener_metadata,
            _ => return None,
        })
    }
}

impl<'d> Common<'d> {
    /// The section with these rule entries.
    pub(crate) fn section(&self, syscalls: Vec<SectionEntry<'d>>) -> Section<'d> {
        Section {
            default_action: self.default_action,
            default_errno_ret: self.default_errno_ret.map(|errno| errno.0),
            architectures: self.architectures.elements().to_vec(),
            flags: self.flags.elements().to_vec(),
            listener_path: self.listener_path,
            listener_metadata: self.listener_metadata,
            syscalls,
        }
    }
}

/// `LinuxSeccomp`.
#[derive(Debug, Default)]
pub(crate) struct LinuxSeccomp<'d> {
    pub(crate) common: Common<'d>,
    pub(crate) syscalls: Slice<LinuxSyscall<'d>>,
}

impl<'d> Struct<'d> for LinuxSeccomp<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "syscalls" => Some(&mut self.syscalls),
            name => self.common.field(name),
        }
    }
}

/// `LinuxSyscall`.
#[derive(Debug, Default)]
pub(crate) struct LinuxSyscall<'d> {
    pub(crate) origin: Option<Node<'d>>,
    pub(crate) names: Slice<&'d str>,
    pub(crate) action: &'d str,
    pub(crate) errno_ret: Option<Uint>,
    pub(crate) args: Slice<LinuxSeccompArg<'d>>,
}

impl<'d> Struct<'d> for LinuxSyscall<'d> {
    fn begin(&mut self, object: Node<'d>) {
        self.origin = Some(object);
    }

    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        Some(match name {
            "names" => &mut self.names,
            "action" => &mut self.action,
            "errnoret" => &mut self.errno_ret,
            "args" => &mut self.args,
            _ => return None,
        })
    }
}

impl<'d> LinuxSyscall<'d> {
    /// The rule entry as it stands in a section.
    pub(crate) fn entry(&self) -> SectionEntry<'d> {
        SectionEntry {
            names: self.names.unless_nil().map(<[_]>::to_vec),
            action: self.action,
            errno_ret: self.errno_ret.map(|errno| errno.0),
            args: (self.args.elements().iter())
                .map(LinuxSeccompArg::condition)
                .collect(),
            origin: self.origin,
        }
    }
}

/// `LinuxSeccompArg`.
#[derive(Debug, Default)]
pub(crate) struct LinuxSeccompArg<'d> {
    pub(crate) index: Uint,
    pub(crate) value: u64,
    pub(crate) value_two: u64,
    pub(crate) op: &'d str,
}

impl<'d> Struct<'d> for LinuxSeccompArg<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        Some(match name {
            "index" => &mut self.index,
            "value" => &mut self.value,
            "valuetwo" => &mut self.value_two,
            "op" => &mut self.op,
            _ => return None,
        })
    }
}

impl<'d> LinuxSeccompArg<'d> {
    /// The condition as it stands in a section.
    pub(crate) fn condition(&self) -> SectionCondition<'d> {
        SectionCondition {
            index: self.index.0,
            value: self.value,
            value_two: self.value_two,
            op: self.op,
        }
    }
}
