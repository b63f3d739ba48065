//! Configurations that share a key, and with it an entry, though they ask for different filters.

use std::collections::HashMap;
use std::sync::Arc;

use super::candidate::Candidate;
use super::content::Comparer;
use super::told;
use crate::finding::Finding;

/// Configurations and profiles that have the same key, and ask for different filters: of each key
/// the first two.
pub(super) fn collisions(candidates: &[Candidate], comparer: &mut Comparer<'_>) -> Vec<Finding> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&str, Vec<&Candidate>)> = Vec::new();
    for candidate in candidates {
        let Some(key) = &candidate.key else {
            continue;
        };
        let place = *places.entry(key).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        // Of the ways that one profile may come to crun, a host has one.
        let differs = |other: &&Candidate| {
            other.section != candidate.section && !Arc::ptr_eq(&other.source, &candidate.source)
        };
        if let Some((_, alike)) = groups.get_mut(place)
            && alike.iter().all(differs)
        {
            alike.push(candidate);
        }
    }
    let mut findings = Vec::new();
    for (key, alike) in groups {
        let Some((&first, others)) = alike.split_first() else {
            continue;
        };
        let found = others.iter().find_map(|&other| {
            let (call, asked) = comparer.collision(first.section?, other.section?)?;
            Some(told::collision([first, other], &call, asked, key))
        });
        findings.extend(found);
    }
    findings
}
