//! The work that is done with namespaces around it, in the program that the one outside starts.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::buildah::Step;
use crate::observe::{Root, Runtime};
use crate::runtimes::Case;
use crate::{LiveError, buildah, caches, engines, golang, namespaces, storage};

/// The mode of engines in which they are recorded.
pub(crate) const RECORD: &str = "record";

/// Otherwise they are compared with the record.
pub(crate) const COMPARE: &str = "compare";

/// Ends this process, and with it all in its PID namespace, when the one that
/// started it has ended and left standard input: the first process in a namespace
/// is not told to end by an interrupt.
#[allow(clippy::exit, reason = "there is nobody left to return to")]
fn end_with_the_outside() {
    std::thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
}

/// The work in namespaces: what [`Suite::enter`](crate::suite::Suite) was called with.
pub(crate) fn work(work: &[&str]) -> Result<(), LiveError> {
    end_with_the_outside();
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
