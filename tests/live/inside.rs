//! The work that is done with namespaces around it, in the program that the one outside starts.

use std::fs;
use std::io;
use std::path::Path;

use crate::buildah::Step;
use crate::observe::{Root, Runtime};
use crate::runtimes::Case;
use crate::{LiveError, buildah, caches, engines, filters, golang, namespaces, storage};

/// The mode of engines in which they are recorded.
pub(crate) const RECORD: &str = "record";

/// Otherwise they are compared with the record.
pub(crate) const COMPARE: &str = "compare";

/// The work in namespaces: what [`Suite::enter`](crate::suite::Suite) was called with.
pub(crate) fn work(work: &[&str]) -> Result<(), LiveError> {
    namespaces::end_with_the_outside();
    match *work {
        [root, "observe", sections, records, directory] => {
            let cases = Case::all(Path::new(sections));
            namespaces::mount(Path::new(root))?;
            let root = Root::new(Path::new(root))?;
            for runtime in Runtime::ALL {
                let record = root.observe(runtime, &cases, Path::new(records))?;
                record.write(Path::new(directory))?;
            }
            Ok(())
        }
        [root, "buildah", seclint, file] => {
            namespaces::mount(Path::new(root))?;
            let steps = buildah::steps(Path::new(root), Path::new(seclint))?;
            Ok(write_steps(&steps, file)?)
        }
        [root, "filters", seclint, file, runtimes] => {
            namespaces::mount(Path::new(root))?;
            let root = Root::new(Path::new(root))?;
            let steps = filters::steps(&root, Path::new(seclint), Path::new(runtimes))?;
            Ok(write_steps(&steps, file)?)
        }
        [root, "engines", seclint, file, engines, mode, docker] => {
            namespaces::mount(Path::new(root))?;
            let [root, seclint, engines, docker] = [root, seclint, engines, docker].map(Path::new);
            let steps = engines::steps(root, seclint, engines, docker, mode == RECORD)?;
            Ok(write_steps(&steps, file)?)
        }
        [root, "golang", seclint, file, engines, mode] => {
            namespaces::mount(Path::new(root))?;
            let [root, seclint, engines] = [root, seclint, engines].map(Path::new);
            let steps = golang::steps(root, seclint, engines, mode == RECORD)?;
            Ok(write_steps(&steps, file)?)
        }
        [root, "storage", seclint, file] => {
            namespaces::mount(Path::new(root))?;
            let steps = storage::steps(Path::new(root), Path::new(seclint))?;
            Ok(write_steps(&steps, file)?)
        }
        [root, "caches", seclint, file, ref older @ ..] => {
            namespaces::mount(Path::new(root))?;
            let older = older.first().map(Path::new);
            let steps = caches::steps(Path::new(root), Path::new(seclint), older)?;
            Ok(write_steps(&steps, file)?)
        }
        _ => Err(LiveError::Usage),
    }
}

/// The steps for the one outside.
fn write_steps(steps: &[Step], file: &str) -> io::Result<()> {
    let steps: Vec<_> = steps.iter().map(|it| (it.passed, &it.said)).collect();
    fs::write(file, serde_json::to_string(&steps).expect("steps are JSON"))
}
