//! Did you mean: the known name that is nearest to an unknown one.

use std::cmp::Reverse;

use super::{all, lookup};

/// The known name that somebody who wrote `name` most likely meant, or none that is near enough.
///
/// Near is the Damerau-Levenshtein distance (a character inserted, left out, replaced, or swapped
/// with its neighbour): at most 1 for names up to 5 characters, 2 up to 11, 3 beyond. Of names as
/// near the one with the longest common beginning wins, then the first in byte order. Case and
/// white space around the name do not count.
///
/// A name as C has it, such as `SYS_read` or `__NR_read`, means the call.
///
/// This compares with the whole table: it is for names that [`lookup`] does not
/// find.
#[must_use]
pub fn suggest(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let of_c = ["sys_", "__nr_"].iter();
    let mut of_c = of_c.filter_map(|start| lookup(name.strip_prefix(start)?));
    if let Some(call) = of_c.next() {
        return Some(call.name());
    }
    let length = name.chars().count();
    let limit = match length {
        // One edit makes any two of the short names the same.
        0..=2 => return None,
        3..=5 => 1,
        6..=11 => 2,
        _ => 3,
    };
    all()
        .iter()
        .map(super::Syscall::name)
        // Cheap, and spares the distance for most of the table and for names of absurd length.
        .filter(|known| known.len().abs_diff(length) <= limit)
        .map(|known| (strsim::damerau_levenshtein(&name, known), known))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, known)| (distance, Reverse(common_prefix(&name, known)), known))
        .map(|(_, known)| known)
}

/// How many bytes two names have in common at their beginning.
fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The reader of a report would have to find the misspelling alone.
    #[test]
    fn misspelt_names_are_recognised() {
        for (written, meant) in [
            ("mkdirr", "mkdir"),
            ("lsm_set_self_atr", "lsm_set_self_attr"),
            ("epol_wait", "epoll_wait"),
            ("getpeernam", "getpeername"),
            ("clock_getime", "clock_gettime"),
            ("opne", "open"),
            ("SYS_read", "read"),
            ("__NR_io_uring_setup", "io_uring_setup"),
            ("raed", "read"),
            ("socekt", "socket"),
            ("sched_setafinity", "sched_setaffinity"),
            ("io_uring_regsiter", "io_uring_register"),
            ("Mkdirr ", "mkdir"),
        ] {
            assert_eq!(suggest(written), Some(meant), "{written}");
        }
    }

    // A far-fetched suggestion sends the reader after the wrong call, which may even be one that
    // they meant to forbid.
    #[test]
    fn nonsense_gets_no_suggestion() {
        for written in [
            "",
            "a",
            "x1",
            "foo",
            "bar",
            "test",
            "unknown1",
            "not_a_syscall",
            "example_syscall",
            "read_everything",
            "*",
        ] {
            assert_eq!(suggest(written), None, "{written}");
        }
        assert_eq!(suggest(&"a".repeat(1 << 20)), None);
    }

    // The suggestion would depend on chance: `getuid` and `getgid` are as near to `getxid`.
    #[test]
    fn ties_are_broken_the_same_way_each_time() {
        assert_eq!(suggest("getxid"), Some("getgid"));
        assert_eq!(suggest("dup4"), Some("dup"));
        assert_eq!(suggest("setuid3"), Some("setuid32"));
    }
}
