#!/bin/sh
# Installs what is missing, builds seclint, and lints a real profile: Docker's
# default, against the libseccomp of an older host.
set -eu
cd "$(dirname "$0")/.."
. dev/lib.sh
command -v cargo >/dev/null || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
need gcc libc6-dev dpkg libseccomp-dev
cargo build --release --locked
fetch_profiles target/profiles
echo
./target/release/seclint check --libseccomp 2.5.1 target/profiles/docker.json
