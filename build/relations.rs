//! Turns `data/related_syscalls.tsv` into pairs of syscalls, a table for each kind.

use std::collections::BTreeMap;

use crate::Code;
use crate::tsv::{self, Result};

/// The table's file.
pub(crate) const RELATIONS: &str = "data/related_syscalls.tsv";

/// The kinds, and the tables that they become.
const KINDS: [(&str, &str); 5] = [
    ("everywhere", "EVERYWHERE"),
    ("fallback", "FALLBACKS"),
    ("generic", "GENERIC"),
    ("time64", "TIME64"),
    ("wide", "WIDE"),
];

/// The pairs by kind; `names` are the places of the syscalls in their table.
pub(crate) fn relations(names: &BTreeMap<String, usize>) -> Result<Code> {
    let mut code = Code(String::new());
    let mut pairs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut last = None;
    for row in tsv::read(RELATIONS, &["kind", "syscall", "related", "source"])? {
        let [kind, syscall, related, _] = row.cells()?;
        let key = Some([kind, syscall, related].map(str::to_owned));
        if key <= last {
            return row.fail("the rows are sorted, and each stands once");
        }
        last = key;
        let Some((_, table)) = KINDS.iter().find(|(name, _)| *name == kind) else {
            return row.fail(format_args!("`{kind}` is no kind of relation"));
        };
        let (Some(syscall), Some(related)) = (names.get(syscall), names.get(related)) else {
            return row.fail("libseccomp does not know both names");
        };
        pairs.entry(table).or_default().push(format!(
            "Relation {{ syscall: &SYSCALLS[{syscall}], related: &SYSCALLS[{related}] }}"
        ));
    }
    for (table, pairs) in pairs {
        code.array(table, "Relation", &pairs);
    }
    Ok(code)
}
