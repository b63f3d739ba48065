# Caches of every kind that a host can have: a function each, which caches.rs runs in a
# root with a PID namespace of its own, since containers have to run while their cache
# is audited. `$state` is the state root, and `$under` what crun is started by.
state=/tmp/$1
under=

on_state() {
    command=$1; shift
    $under crun --cgroup-manager=disabled --root "$state" "$command" "$@"
}

# start BUNDLE CONTAINER: it goes on running.
start() { on_state run --detach --bundle "/tmp/bundles/$1" "$2"; }

stop() {
    on_state kill "$1" KILL
    until on_state state "$1" | grep -q '"status": "stopped"'; do sleep .02; done
}

delete() { stop "$1"; on_state delete "$1"; }

# audit WHEN EXPECTED [OPTION]...: what is expected is in the words of `described` in
# caches.rs. It leaves three lines: both, and what seclint reports.
audit() {
    # shellcheck disable=SC2086 # its lines become one
    { echo "$1"; echo $2; } >>"$state.audits"
    shift 2
    echo "$(/tmp/seclint cache-audit "$state" --format=json "$@")" >>"$state.audits"
}

# tried BUNDLE CONTAINER EXPECTED: starts a container that makes two calls, and waits until it has.
tried() {
    start "$1" "$2" >"/tmp/$2.said" 2>/dev/null
    until grep -q done "/tmp/$2.said"; do sleep .02; done
    said=$(grep -v done "/tmp/$2.said" | paste -sd, -)
    printf '%s\n' "what $2 can do" "$3" "\"$said\"" >>"$state.audits"
}

# The link to an entry stays until the container is deleted.
lifecycle() {
    start clean running
    on_state create --bundle /tmp/bundles/umuont created
    start chmdo stopped; stop stopped
    start fsopn deleted; delete deleted
    audit 'a running, a created, a stopped and a deleted container' \
        'created: hides umuont; nobody: unattributed, perhaps stale; running: clean;
        stopped: hides chmdo; with entries created, running, stopped; keys verified (3 agree)'
    audit 'with the profile of the deleted one' \
        'created: hides umuont; fsopn.json: hides fsopn; running: clean;
        stopped: hides chmdo; with entries created, running, stopped; keys verified (3 agree)' \
        --profile /tmp/profiles/fsopn.json
}

# A miss in a large cache evicts the older half: `deleted`, and not what is pinned.
pinned() {
    start clean running
    start chmdo again; delete again
    chmod +t "$state"/.cache/seccomp/*
    start fsopn deleted; delete deleted
    for i in $(seq 400); do : >"$state/.cache/seccomp/$(printf %064d "$i")"; done
    start umuont late
    rm "$state"/.cache/seccomp/0000000000*
    start chmdo again
    audit 'two pinned entries after an eviction' \
        'again: hides chmdo, pinned; late: hides umuont; running: clean, pinned;
        with entries again, late, running; keys verified (3 agree)'
    audit 'pruned' \
        'again: hides chmdo, pinned, removed; late: hides umuont, removed; running: clean, pinned;
        with entries again, late, running; keys verified (3 agree)' \
        --prune
}

# The annotation that makes crun refuse unknown names is in the key: one section has
# two entries.
strict() {
    start strict strict
    start clean lax
    start strict-umuont refused
    audit 'a section with and without the annotation, and a name that it refuses' \
        'lax: clean; strict: clean; with entries lax, strict; keys verified (2 agree)'
}

# `setarch --uname-2.6` stands in for the kernel before a reboot, of which a state root
# on a disk has the directories of containers left.
rebooted() {
    under='setarch --uname-2.6'
    before="$($under uname -r)|$($under uname -v)|$($under uname -m)"
    start clean old; stop old
    start chmdo oldbad; stop oldbad
    start fsopn oldgone; delete oldgone
    under=
    start clean new
    audit 'with the kernel of now' \
        'fsopn.json: hides fsopn, perhaps stale; new, old by key: clean;
        old by link: clean, stale; oldbad by link: hides chmdo, stale;
        with entries new, old, oldbad; keys verified (1 agree, 2 differ)' \
        --profile /tmp/profiles/fsopn.json
    audit 'with the kernel of before' \
        'fsopn.json: hides fsopn; new by key, old: clean;
        new by link: clean, stale; oldbad: hides chmdo;
        with entries new, old, oldbad; keys verified (2 agree, 1 differ)' \
        --profile /tmp/profiles/fsopn.json --uname "$before"
}

# Detached, crun says nothing by its exit status, and leaves the container.
refused() {
    on_state run --bundle /tmp/bundles/flag flag
    on_state run --bundle /tmp/bundles/execve execve
    audit 'an unknown flag, and a program that may not be executed' \
        'nobody: unattributed, perhaps stale; nobody: unattributed, perhaps stale;
        keys unverified (0 agree)'
    audit 'with their profiles' \
        'execve.json: hides execvee; flag.json: hides mkond;
        collision in mkdir; collision in chmod; keys verified (0 agree)' \
        --profile /tmp/profiles
    start flag flag
    start execve execve
    audit 'the same, detached' \
        'execve: hides execvee; flag: hides mkond; with entries execve, flag;
        keys verified (2 agree)'
}

own_filters() {
    start nosection nosection
    start null null
    start data data
    start chmdo removed; rm "$state"/.cache/seccomp/*
    start clean cached
    audit 'no section, null, an annotation with a filter, an entry removed since, and one' \
        'cached: clean; with entries cached; with filters of their own data, removed;
        without a filter nosection, null; keys verified (1 agree)'
}

# Two rule entries on how large a file may become, of which the smaller number has to decide: up to
# libseccomp 2.6.0 the larger does, below 2^33 (GHSA-4q85-33p6-j5g6). seclint is asked, and the
# container does it.
merged() {
    said='Operation not permitted' told='ERRNO(EPERM)'
    case $(crun features | sed -n 's/.*"io.github.seccomp.libseccomp.version": "\(.*\)".*/\1/p') in
        2.[0-5].* | 2.6.0) said='Permission denied' told='ERRNO(EACCES)' ;;
    esac
    for size in 16 8589934596 8589934600 8589934608; do
        printf '%s ' "$size"
        /tmp/seclint why /tmp/profiles/merged.json ftruncate _ "$size" |
            sed -n 's/^  \([A-Z][^:]*\): .*/\1/p'
    done >/tmp/merged.told
    printf '%s\n' 'what seclint why says' \
        "16 $told,8589934596 ERRNO(EPERM),8589934600 ERRNO(EACCES),8589934608 ALLOW" \
        "\"$(paste -sd, /tmp/merged.told)\"" >>"$state.audits"
    tried merged merged \
        "16 $said,8589934596 Operation not permitted,8589934600 Permission denied,8589934608 can"
    audit 'what has the weakness is as it was asked for' \
        'merged: clean; with entries merged; keys verified (1 agree)'
}

# Sections that differ in an errno, or in where names end, have one key: whoever comes second gets
# the filter of the first. Each of the two alone has what it asks for.
collided() {
    tried pretends pretends 'mkdir 0,chmod 0'
    tried denies denies 'mkdir 0,chmod 0'
    tried parted parted 'mkdir 0,/dev/made,chmod 0'
    tried joined joined 'mkdir 0,/dev/made,chmod 0'
    audit 'two sections with an errno and without it, two with parted and joined names' \
        'denies, pretends: mkdir is ERRNO 0, not ERRNO 1; joined, parted: chmod is ALLOW 0, not ERRNO 1;
        with entries denies, joined, parted, pretends; collision in mkdir; collision in chmod;
        keys verified (4 agree)'
    audit 'pruned' \
        'denies, pretends: mkdir is ERRNO 0, not ERRNO 1, removed;
        joined, parted: chmod is ALLOW 0, not ERRNO 1, removed;
        with entries denies, joined, parted, pretends; collision in mkdir; collision in chmod;
        keys verified (4 agree)' \
        --prune
    tried denies denies-alone 'mkdir 1,chmod 0'
    tried joined joined-alone 'mkdir 0,/dev/made,chmod 1'
}

# One instruction that allows everything, in the place of an entry that crun made.
planted() {
    start clean before
    printf '\006\000\000\000\000\000\377\177' >"$(echo "$state"/.cache/seccomp/*)"
    audit 'a filter that lets everything run, under the right key' \
        'before: add_key is ALLOW 0, not ERRNO 1; with entries before; keys verified (1 agree)'
}

# Two cruns on one state root: the older one is in another root. Before the newer one
# has started a container, nothing shows that its versions are right.
updated() {
    mount -t proc proc /mnt/older/proc
    mount --bind /tmp /mnt/older/tmp
    under='chroot /mnt/older'
    start clean old
    start chmdo oldbad
    start fsopn oldgone; delete oldgone
    under=
    audit 'before it has started a container' \
        'nobody: unattributed, perhaps stale; old by link: clean, perhaps stale;
        oldbad by link: hides chmdo, perhaps stale;
        with entries old, oldbad; keys contradicted (0 agree, 2 differ)'
    start clean new
    start umuont newbad
    audit 'after that' \
        'new, old by key: clean; newbad: hides umuont; nobody: unattributed, perhaps stale;
        old by link: clean, stale; oldbad by link: hides chmdo, stale;
        with entries new, newbad, old, oldbad; keys verified (2 agree, 2 differ)'
}

"$1"
