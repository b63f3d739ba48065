use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::readers::{FORMATS, Readers};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Dialects, Filter, Profile, RuleEntry};
use crate::text::Node;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "docker-format-in-oci",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/docker-format-in-oci.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let Some(readers) = Readers::without_field(context, FORMATS) else {
        return;
    };
    let lost = Lost::of(profile);
    let Some(first) = lost.keys.iter().min_by_key(|key| key.span()) else {
        return;
    };
    let mut fields: Vec<_> = lost.keys.iter().filter_map(|key| key.as_str()).collect();
    fields.sort_unstable();
    fields.dedup();
    let message = format!(
        "{} {}{}",
        readers.before("ignores", "ignore"),
        listed(&fields),
        lost.consequence()
    );
    let mut finding = Finding::new(&RULE.rule, context.at(*first), message)
        .here("only Docker, Podman, Buildah and CRI-O know it")
        .help(match fields.as_slice() {
            ["name"] => "put all names into `names`".to_owned(),
            _ => help(context, profile),
        })
        .fact("fields", fields)
        .fact("entries", lost.conditional + lost.named);
    if let Some((key, names)) = lost.permitted {
        let are = if names.len() == 1 { "is" } else { "are" };
        let label = format!("{} {are} allowed to every container", listed(&names));
        finding = finding.label(context.at(key), label);
    }
    findings.push(finding);
}

/// What is lost of a profile where it is taken for a section.
#[derive(Default)]
struct Lost<'d> {
    /// The keys of the fields, of each rule entry one at least.
    keys: Vec<Node<'d>>,
    /// How many rule entries lose their conditions.
    conditional: usize,
    /// How many have a `name`.
    named: usize,
    /// How many of them have nothing in `names`.
    nameless: usize,
    /// The first that permits its calls to containers with some capability.
    permitted: Option<(Node<'d>, Vec<&'d str>)>,
}

impl<'d> Lost<'d> {
    fn of(profile: &Profile<'d>) -> Self {
        let mut lost = Self::default();
        if !profile.arch_map.is_empty() {
            lost.keys.extend(key(profile.node, "archMap"));
        }
        for entry in &profile.entries {
            lost.add(entry);
        }
        lost
    }

    fn add(&mut self, entry: &RuleEntry<'d>) {
        let is_full = |filter: &&Filter<'_>| {
            let kernel = filter.min_kernel.filter(|kernel| !kernel.value.is_empty());
            !filter.caps.is_empty() || !filter.arches.is_empty() || kernel.is_some()
        };
        let includes = entry.includes.as_ref().filter(is_full);
        let excludes = entry.excludes.as_ref().filter(is_full);
        if let Some(key) = includes.and_then(|_| key(entry.node, "includes")) {
            self.keys.push(key);
            let asks = includes.is_some_and(|filter| !filter.caps.is_empty());
            let permits = entry.permits() == Some(true) && !entry.names.is_empty();
            if self.permitted.is_none() && asks && permits {
                let names = entry.names.iter().map(|name| name.value);
                self.permitted = Some((key, names.collect()));
            }
        }
        if excludes.is_some() {
            self.keys.extend(key(entry.node, "excludes"));
        }
        if includes.is_some() || excludes.is_some() {
            self.conditional += 1;
        }
        let is_named = entry.name.is_some_and(|name| !name.value.is_empty());
        if is_named {
            self.keys.extend(key(entry.node, "name"));
            self.named += 1;
            let listed = entry.names_node.into_iter().flat_map(Node::elements);
            self.nameless += usize::from(listed.count() == 0);
        }
    }

    fn consequence(&self) -> String {
        let entries = |count: usize, one: &str, many: &str| match count {
            1 => format!("a rule entry {one}"),
            count => format!("{count} rule entries {many}"),
        };
        match (self.conditional, self.nameless, self.named) {
            (0, 0, 0) => ": no architecture is added to the host's own".to_owned(),
            (0, 0, named) => {
                let entries = entries(named, "loses", "lose");
                format!(": {entries} a syscall")
            }
            (0, nameless, _) => {
                let entries = entries(nameless, "names", "name");
                format!(": {entries} no syscall")
            }
            (conditional, ..) => {
                let entries = entries(conditional, "holds", "hold");
                format!(": {entries} for every container")
            }
        }
    }
}

fn key<'d>(object: Node<'d>, name: &str) -> Option<Node<'d>> {
    let mut members = object.members();
    let (key, _) = members.find(|(key, _)| key.as_str() == Some(name))?;
    Some(key)
}

fn help(context: &Context<'_>, profile: &Profile<'_>) -> String {
    if context.is_section() {
        return "an engine resolves them when it makes the section: write what is to hold for this container".to_owned();
    }
    let engine = if profile.dialects.contains(Dialects::PODMAN) {
        "podman"
    } else {
        "docker"
    };
    format!("write the section that `seclint resolve --engine {engine}` prints for such containers")
}
