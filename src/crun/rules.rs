//! The rules about the cache.

use crate::finding::{Category, Rule, RuleSet, Severity};

macro_rules! cache_rules {
    ($($name:ident = $id:literal, $severity:ident;)+) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            category: Category::Cache,
            severity: Severity::$severity,
            set: RuleSet::Default,
            page: include_str!(concat!("../../rules/cache/", $id, ".md")),
        };)+

        /// Every rule about the cache, sorted by name.
        pub static RULES: &[&Rule] = &[$(&$name,)+];
    };
}

cache_rules! {
    CONTENT_MISMATCH = "cache-content-mismatch", Error;
    FOREIGN_FILE = "cache-foreign-file", Info;
    HIDES_WARNINGS = "cache-hides-warnings", Warning;
    KEY_COLLISION = "cache-key-collision", Error;
    MALFORMED_BPF = "cache-malformed-bpf", Error;
    PERMISSIONS = "cache-permissions", Error;
    STALE = "cache-stale", Info;
    UNATTRIBUTED = "cache-unattributed", Info;
    VULNERABLE_BUILD = "cache-vulnerable-build", Warning;
    WEAK_FILTER = "cache-weak-filter", Warning;
}
