//! What a container's configuration says beside the section with the filter.

use super::Context;
use crate::text::{Kind, Node};

impl<'c> Context<'c> {
    /// The listener that the configuration names outside its section, in the annotation that crun
    /// reads.
    #[must_use]
    pub fn receiver(&self) -> Option<Node<'c>> {
        let annotations = self.document.root()?.get("annotations")?;
        annotations.get("run.oci.seccomp.receiver")
    }

    /// Whether the container has `noNewPrivileges`; `None` if the profile is in no configuration.
    #[must_use]
    pub fn has_no_new_privileges(&self) -> Option<bool> {
        let has = self.process()?.get("noNewPrivileges");
        Some(has.is_some_and(|has| matches!(has.kind(), Kind::Bool(true))))
    }

    /// Whether the configuration gives the container one of some capabilities.
    #[must_use]
    pub fn has_capability(&self, names: &[&str]) -> bool {
        let capabilities = self.process().and_then(|it| it.get("capabilities"));
        let given = capabilities.and_then(|it| it.get("bounding"));
        let mut given = given.into_iter().flat_map(Node::elements);
        given.any(|it| it.as_str().is_some_and(|name| names.contains(&name)))
    }

    fn process(&self) -> Option<Node<'c>> {
        let root = self.document.root().filter(|_| self.is_section())?;
        root.get("process")
    }
}
