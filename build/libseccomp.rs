//! Looks for libseccomp, whose absence a linker tells of in words that help nobody.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

/// What the `libseccomp` crate looks at too.
const LIBRARY_PATH: &str = "LIBSECCOMP_LIB_PATH";

const HELP: &str = "libseccomp cannot be linked: install its development files \
    (Debian, Ubuntu: apt-get install libseccomp-dev; Fedora: dnf install libseccomp-devel), \
    or build without `seclint compile`: cargo build --no-default-features";

/// Links a program with libseccomp, if it is wanted.
pub(crate) fn look() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed={LIBRARY_PATH}");
    let is_wanted = env::var_os("CARGO_FEATURE_LIBSECCOMP").is_some();
    let linker = env::var_os("RUSTC_LINKER");
    // Which linker is for another machine is for rustc to know, unless cargo was told.
    let is_cross = env::var_os("TARGET") != env::var_os("HOST") && linker.is_none();
    if !is_wanted || is_cross || env::var_os(LIBRARY_PATH).is_some() {
        return Ok(());
    }
    let directory = env::var_os("OUT_DIR").unwrap_or_default();
    let source = Path::new(&directory).join("probe.c");
    fs::write(&source, "int main(void) { return 0; }\n")
        .map_err(|error| format!("{}: {error}", source.display()))?;
    let link = Command::new(linker.unwrap_or_else(|| "cc".into()))
        .arg(&source)
        .arg("-lseccomp")
        .arg("-o")
        .arg(source.with_extension(""))
        .stderr(Stdio::null())
        .status();
    match link {
        Ok(status) if !status.success() => Err(HELP.to_owned()),
        // Without a compiler the build fails on its own.
        _ => Ok(()),
    }
}
