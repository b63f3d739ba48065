#!/bin/sh
# Installs what the tests need, and runs all of them: format, lints, tests, the
# real runtimes (as root; SECLINT_LIVE=skip leaves them out), and the fuzzer for a
# minute (SECLINT_FUZZ_SECONDS changes that, SECLINT_FUZZ_SEED where it begins).
set -eu
cd "$(dirname "$0")/.."
. dev/lib.sh
command -v cargo >/dev/null || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
# g++ builds libFuzzer; libseccomp is what the syscall table is compared with.
# git is what `seclint diff --against` asks; linux-libc-dev has the flags that `seclint why` knows.
need gcc g++ git libc6-dev linux-libc-dev dpkg libseccomp-dev
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz

cargo fmt --check
# Modules that a macro declares are not seen by cargo fmt.
rustfmt --check --edition 2024 src/lint/rules/*.rs
cargo clippy --locked --all-targets -- -D warnings
# All targets but those that plain `cargo test` leaves out.
cargo clippy --locked --test live -- -D warnings
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
cargo test --locked

# The real runtimes, in Debian roots: see tests/live/README.md.
[ "${SECLINT_LIVE:-}" = skip ] || need debootstrap debian-archive-keyring util-linux mount
cargo test --locked --test live

# Without a sanitizer: seclint has no unsafe code, and the stable compiler has none.
# The seed is fixed, so that what it finds belongs to the change that is tested.
seconds=${SECLINT_FUZZ_SECONDS:-60}
seed=${SECLINT_FUZZ_SEED:-1}
[ "$seconds" = 0 ] || cargo fuzz run --sanitizer none profile -- -seed="$seed" -max_total_time="$seconds" -max_len=4096 -dict=fuzz/profile.dict -verbosity=0 -print_final_stats=1
