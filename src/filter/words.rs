//! Calls and what is decided for them, in words.

use super::errno::Errnos;
use super::{Call, Verdict};
use crate::profile::Action;
use crate::syscalls::{Arch, Syscall, with_number};

impl Call {
    /// The architecture that it comes by, if it is one that libseccomp knows.
    #[must_use]
    pub fn arch(&self) -> Option<Arch> {
        let mut arches = Arch::ALL.into_iter();
        // x32 comes after x86-64, whose value it has.
        let arch = arches.find(|arch| arch.audit_arch() == self.architecture)?;
        let is_x32 = self.number & Arch::X32_BIT != 0 && self.number != u32::MAX;
        Some(match arch {
            Arch::X86_64 if is_x32 => Arch::X32,
            arch => arch,
        })
    }

    /// The syscall, if the number is one's there.
    #[must_use]
    pub fn syscall(&self) -> Option<&'static Syscall> {
        with_number(self.arch()?, self.number)
    }

    /// The call as messages show it, with its architecture behind it: mkdir(0, 0x1ff) in backticks,
    /// and `on x86_64`.
    #[must_use]
    pub fn words(&self) -> String {
        let syscall = self.syscall();
        let name = match syscall {
            Some(syscall) => syscall.name().to_owned(),
            None if self.number < Arch::X32_BIT => self.number.to_string(),
            None => format!("{:#x}", self.number),
        };
        let parameters = syscall.and_then(Syscall::parameters).map(<[_]>::len);
        let used = self.arguments.iter().rposition(|&argument| argument != 0);
        let shown = used.map_or(0, |last| last + 1).max(parameters.unwrap_or(0));
        let arguments = self.arguments.iter().take(shown);
        let arguments: Vec<_> = arguments
            .map(|&argument| match argument {
                0..0x1_0000 => argument.to_string(),
                _ => format!("{argument:#x}"),
            })
            .collect();
        let number = if syscall.is_some() {
            ""
        } else {
            "syscall number "
        };
        let arguments = if syscall.is_some() || shown > 0 {
            format!("({})", arguments.join(", "))
        } else {
            String::new()
        };
        let architecture = match self.arch() {
            Some(arch) => arch.name().to_owned(),
            None => format!("architecture {:#x}", self.architecture),
        };
        format!("{number}`{name}{arguments}` on {architecture}")
    }
}

impl Verdict {
    /// `ERRNO(EPERM)`: the action without the prefix that all have, and its number if it has one,
    /// as it is called on an architecture, given by its `AUDIT_ARCH_*` value.
    #[must_use]
    pub fn words(self, architecture: u32) -> String {
        self.with(&Errnos::of(std::iter::once(architecture)))
    }

    pub(super) fn with(self, errnos: &Errnos) -> String {
        let data = match self.action {
            Action::Errno => {
                let name = errnos.name(self.data).map(str::to_owned);
                Some(name.unwrap_or_else(|| self.data.to_string()))
            }
            Action::Trace => Some(self.data.to_string()),
            _ => Some(self.data.to_string()).filter(|_| self.data != 0 && self.is_known),
        };
        let name = self.action.name();
        let name = name.strip_prefix("SCMP_ACT_").unwrap_or(name);
        match data {
            Some(data) => format!("{name}({data})"),
            None => name.to_owned(),
        }
    }
}
