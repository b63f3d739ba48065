//! What a service that reads a report calls the files in it.

use std::borrow::Cow;
use std::path::{Component, PathBuf};

use crate::text::Source;

/// Where a service looks for the files of a report: GitHub takes relative paths
/// for those of the repository, wherever in it the job runs its commands.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The repository's root, and the directory that paths are relative to.
    root_and_here: Option<(PathBuf, PathBuf)>,
}

impl Workspace {
    /// A repository's, both paths absolute. That of `default()` has no root, and
    /// paths in it stay as they are.
    #[must_use]
    pub const fn new(root: PathBuf, here: PathBuf) -> Self {
        Self {
            root_and_here: Some((root, here)),
        }
    }

    /// A source's name, from the root on if it is a file below it.
    pub(super) fn path<'a>(&self, source: &'a Source) -> Cow<'a, str> {
        let name = source.name();
        if name == Source::STANDARD_INPUT {
            return Cow::Borrowed(name);
        }
        let below_root = self.root_and_here.as_ref().and_then(|(root, here)| {
            let mut path = PathBuf::new();
            for part in here.join(name).components() {
                match part {
                    Component::ParentDir => _ = path.pop(),
                    other => path.push(other),
                }
            }
            Some(path.strip_prefix(root).ok()?.display().to_string())
        });
        below_root.map_or(Cow::Borrowed(name), Cow::Owned)
    }

    /// What paths are relative to.
    pub(super) const fn description(&self) -> &'static str {
        match self.root_and_here {
            Some(_) => "The root of the repository.",
            None => "The directory that seclint was run in.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Workspace;
    use crate::text::Source;

    /// An annotation of any other path is shown nowhere.
    #[test]
    fn a_path_is_the_repositorys_wherever_the_job_is() {
        let path = |here: &str, name: &str| {
            let workspace = Workspace::new("/home/w".into(), here.into());
            workspace.path(&Source::new(name, Vec::new())).into_owned()
        };
        for (here, name, expected) in [
            ("/home/w", "a.json", "a.json"),
            ("/home/w", "./b/a.json", "b/a.json"),
            ("/home/w/b", "a.json", "b/a.json"),
            ("/home/w/b/c", "../a.json", "b/a.json"),
            ("/home/w/b", "/home/w/a.json", "a.json"),
            ("/home/w/b", "/home/ww/a.json", "/home/ww/a.json"),
            ("/home/w", "../a.json", "../a.json"),
            ("/tmp", "a.json", "a.json"),
            ("/home/w/b", "<stdin>", "<stdin>"),
        ] {
            assert_eq!(path(here, name), expected, "{name} in {here}");
        }
        let name = "./a.json";
        let source = Source::new(name, Vec::new());
        assert_eq!(Workspace::default().path(&source), name);
    }
}
