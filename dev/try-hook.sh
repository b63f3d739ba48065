#!/bin/sh
# Tries both hooks with the real pre-commit, which it installs from PyPI into a
# directory that goes afterwards. The hooks are those of the last commit.
set -eu
cd "$(dirname "$0")/.."
. dev/lib.sh
command -v cargo >/dev/null || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
need gcc libc6-dev dpkg git libseccomp-dev
python3 -c 'import ensurepip' 2>/dev/null || need python3 python3-venv
git diff --quiet HEAD || echo "note: what is not committed is not tried"

hooks=$(pwd)
commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pre-commit
PATH="$work/venv/bin:$PATH"
PRE_COMMIT_HOME="$work/cache"
CARGO_TARGET_DIR="$hooks/target/hook" # so that only the first try takes minutes
export PATH PRE_COMMIT_HOME CARGO_TARGET_DIR
pre-commit validate-manifest .pre-commit-hooks.yaml

# expect CODE TEXT COMMAND...: the command prints the text, and ends with the code.
expect() {
    expected=$1 text=$2
    shift 2
    echo "\$ $*"
    code=0
    "$@" >"$work/output" 2>&1 || code=$?
    cat "$work/output"
    [ "$code" = "$expected" ] || { echo "exit code $code, not $expected" >&2; exit 1; }
    grep -qF "$text" "$work/output" || { echo "does not say: $text" >&2; exit 1; }
}

# project HOOK: a repository with a bad profile, a good one, and files that are none.
project() {
    mkdir -p "$work/$1/profiles"
    cd "$work/$1"
    git init -q
    git config user.name nobody
    git config user.email nobody@localhost
    cat >.pre-commit-config.yaml <<EOF
repos:
  - repo: file://$hooks
    rev: $commit
    hooks:
      - id: $1
EOF
    cat >profiles/deny.json <<EOF
{
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [{ "names": ["kexec_load", "kexec_file_lod"], "action": "SCMP_ACT_ERRNO" }]
}
EOF
    cat >profiles/allow.json <<EOF
{
  "defaultAction": "SCMP_ACT_ERRNO",
  "syscalls": [{ "names": ["read", "exit_group"], "action": "SCMP_ACT_ALLOW" }]
}
EOF
    echo '{ "name": "app", "version": "1.0.0" }' >package.json
    echo '# app' >README.md
    git add .
    pre-commit install
}

for hook in seclint seclint-system; do
    echo
    echo "== $hook"
    project "$hook"
    if [ "$hook" = seclint-system ]; then
        expect 1 'not found' pre-commit run --all-files
        # The one that the other hook has built is now the installed one.
        PATH="$(dirname "$(find "$PRE_COMMIT_HOME" -path '*/bin/seclint')"):$PATH"
    fi
    expect 1 '1 error in 2 profiles; 1 file passed over' pre-commit run --all-files
    expect 1 kexec_file_load git commit -m 'Deny kexec'
    sed -i 's/file_lod/file_load/' profiles/deny.json
    git add .
    expect 0 Passed git commit -m 'Deny kexec'
    echo 'An app.' >>README.md
    expect 0 Skipped git commit -am 'Say what it is'
    expect 0 'no findings in 2 profiles; 1 file passed over' pre-commit run --all-files --verbose
done
echo
echo "== try-repo"
expect 0 Passed pre-commit try-repo "$hooks" seclint-system --all-files
echo
echo "both hooks do what they should"
