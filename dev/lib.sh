# What the scripts here share. POSIX sh, for Debian and Ubuntu.

# Runs a command as root.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs the packages that are missing.
need() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    echo "installing$missing"
    as_root apt-get update -q
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $missing
}

# fetch_profiles DIR: puts the default profiles of Docker and Podman, as Debian
# packages them, into DIR. They are other people's files, and not in this repository.
fetch_profiles() {
    [ -s "$1/docker.json" ] && [ -s "$1/podman.json" ] && return
    mkdir -p "$1/packages"
    (
        cd "$1/packages"
        apt-get download -q golang-github-docker-docker-dev golang-github-containers-common
        for package in *.deb; do dpkg -x "$package" .; done
    ) >/dev/null 2>&1 || { echo "cannot download the profiles with apt-get" >&2; return 1; }
    cp "$(find "$1/packages" -path '*profiles/seccomp/default.json' | head -n 1)" "$1/docker.json"
    cp "$1/packages/usr/share/containers/seccomp.json" "$1/podman.json"
}
