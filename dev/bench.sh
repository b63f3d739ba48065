#!/bin/sh
# Installs what the benchmarks need, and runs them: what seclint costs beside
# what a user would use instead.
set -eu
cd "$(dirname "$0")/.."
. dev/lib.sh
need gcc libc6-dev dpkg jq libseccomp-dev
fetch_profiles target/profiles
SECLINT_PROFILES=$(pwd)/target/profiles cargo bench --locked --bench ratios
