//! The kernel's capabilities, by which engines choose rule entries.
//!
//! The names are in `data/capabilities.tsv`.

include!(concat!(env!("OUT_DIR"), "/capabilities.rs"));

/// Whether a capability is called exactly so: `CAP_SYS_ADMIN`.
#[must_use]
pub fn is_capability(name: &str) -> bool {
    CAPABILITIES.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CAPABILITIES, is_capability};

    // A capability that the running kernel has would be called unknown.
    #[test]
    fn the_running_kernel_has_no_more() {
        let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap();
        let last: usize = last.trim().parse().unwrap();
        assert!(last < CAPABILITIES.len(), "the kernel has {last}");
    }

    // A slip of the pen in the table would make a right name wrong.
    #[test]
    fn the_names_are_those_of_the_kernels_header() {
        // It comes with the C library's headers, which linking needs as well.
        let Ok(header) = fs::read_to_string("/usr/include/linux/capability.h") else {
            return;
        };
        let mut seen = 0;
        for line in header.lines() {
            let mut words = line.split_whitespace();
            if let (Some("#define"), Some(name), Some(number)) =
                (words.next(), words.next(), words.next())
                && let (true, Ok(number)) = (name.starts_with("CAP_"), number.parse::<usize>())
            {
                assert_eq!(CAPABILITIES.get(number), Some(&name));
                seen += 1;
            }
        }
        assert!(seen > 30, "{seen} capabilities in the header");
        assert!(is_capability("CAP_SYS_ADMIN") && !is_capability("SYS_ADMIN"));
    }
}
