//! What a rule looks at.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::engine::Engine;
use crate::finding::{Finding, Location};
use crate::profile::{Decision, Dialects, Found, GivenErrno, Mistake, Profile, Text, UnseenBase};
use crate::syscalls::{Arch, KernelVersion, Syscall};
use crate::target::Target;
use crate::text::{Deviation, DeviationKind, Document, Kind, Node, Source, Span, Syntax};

use super::ignore::Ignore;
use super::inherited::Inherited;
use super::permission::Permissions;
use super::rivals::Contested;
use super::{ConditionUse, Demands, NameUse, Permission, TargetUse, target_use};

/// A source and what was read from it. Made once, and looked at by all rules.
#[derive(Debug)]
pub struct Context<'c> {
    /// The source itself.
    pub source: &'c Arc<Source>,
    /// Its text as a tree.
    pub document: &'c Document<'c>,
    /// What the tree turned out to be.
    pub found: &'c Found<'c>,
    /// What stands beside it.
    pub place: Place,
    /// What its author does not want to hear of.
    pub(super) ignores: Vec<Ignore>,
    engines: &'c [Engine],
    readers: Dialects,
    demands: &'c Demands,
    names: Vec<NameUse<'c>>,
    /// The places of the odd ones among them.
    odd_names: Vec<u32>,
    conditions: Vec<ConditionUse<'c>>,
    inherited: Option<&'c Inherited<'c>>,
    /// With the names that bases add, in the order in which the runtime gets them; empty if none is
    /// added.
    all_names: Vec<NameUse<'c>>,
    /// The calls of which nobody can tell what bases make.
    disputed: Vec<&'c str>,
    permissions: Option<Permissions>,
    contested: OnceCell<Vec<Contested<'c>>>,
    targets: Vec<TargetUse<'c>>,
}

/// What stands beside something that was found in a file.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Whether it is the first that was found in the file.
    pub is_first_of_file: bool,
    /// The same of its document: what is wrong with the text is told then.
    pub is_first_of_document: bool,
    /// How many profiles there are in the file.
    pub profiles: usize,
    /// Whether another profile of the file names it as its base.
    pub is_named_as_base: bool,
}

impl<'c> Context<'c> {
    /// Looks every name up, once for all rules.
    #[must_use]
    pub fn new(
        source: &'c Arc<Source>,
        document: &'c Document<'c>,
        found: &'c Found<'c>,
        targets: &'c [Target],
        engines: &'c [Engine],
        place: Place,
    ) -> Self {
        let entries = match found {
            Found::Profile(profile) => profile.entries.as_slice(),
            _ => &[],
        };
        let readers = readers(document, found, engines);
        let count = entries.iter().map(|entry| entry.names.len()).sum();
        let mut names = Vec::with_capacity(count);
        let mut odd_names = Vec::new();
        let mut conditions = Vec::new();
        for entry in entries {
            for name in NameUse::all(entry) {
                if name.is_odd() {
                    odd_names.push(names.len() as u32);
                }
                names.push(name);
            }
            conditions.extend(ConditionUse::all(entry));
        }
        Self {
            source,
            document,
            found,
            place,
            ignores: Vec::new(),
            engines,
            readers,
            permissions: match found {
                Found::Profile(profile) => Some(Permissions::new(profile, readers, &names)),
                _ => None,
            },
            contested: OnceCell::new(),
            demands: Demands::NONE,
            names,
            odd_names,
            conditions,
            inherited: None,
            all_names: Vec::new(),
            disputed: Vec::new(),
            targets: (targets.iter())
                .map(|target| TargetUse::new(found, target))
                .collect(),
        }
    }

    /// Says what is known of the base that the profile names.
    #[must_use]
    pub(super) fn with_base(mut self, inherited: Option<&'c Inherited<'c>>) -> Self {
        self.inherited = inherited;
        let (Some(inherited @ Inherited::Seen(_)), Some(profile)) = (inherited, self.profile())
        else {
            return self;
        };
        let merged = inherited.merged(profile);
        self.disputed = merged.disputed();
        let entries = merged.entries.iter();
        self.all_names = (entries.flat_map(|(_, entry)| NameUse::all(entry))).collect();
        self.permissions = Some(Permissions::new(profile, self.readers, &self.all_names));
        self
    }

    /// The name of the base, and why it is not known what it adds; `None` if it is known.
    #[must_use]
    pub fn unseen_base(&self) -> Option<(Text<'c>, &'c UnseenBase)> {
        match self.inherited? {
            Inherited::Unseen(why) => Some((self.profile()?.base()?, why)),
            Inherited::Seen(_) => None,
        }
    }

    /// The name of the base, and what it adds.
    pub(super) fn seen_base(&self) -> Option<(Text<'c>, &'c Inherited<'c>)> {
        let inherited = self.inherited?;
        let is_seen = matches!(inherited, Inherited::Seen(_));
        Some((self.profile().filter(|_| is_seen)?.base()?, inherited))
    }

    /// The profile, if all that reaches the runtime is known, with the profiles that are its bases.
    pub fn whole(&self) -> Option<impl Iterator<Item = &'c Profile<'c>> + Clone + use<'c>> {
        let profile = self.profile().filter(|_| self.unseen_base().is_none())?;
        let layers = self.inherited.map_or(&[][..], Inherited::layers).iter();
        Some(std::iter::once(profile).chain(layers.map(|layer| &*layer.profile)))
    }

    /// The engines that will read the source; empty if none was said.
    #[must_use]
    pub fn engines(&self) -> &'c [Engine] {
        self.engines
    }

    /// The dialects of those that will read the profile: the engines, if any was said; if none was,
    /// those that it may be in. A section, and what is the operator's, no engine reads.
    #[must_use]
    pub fn readers(&self) -> Dialects {
        self.readers
    }

    /// Whether runtimes may read the profile as it is written, and not what an engine makes of it.
    #[must_use]
    pub fn is_for_runtimes(&self) -> bool {
        let is_read = self.engines.is_empty() || self.is_section();
        is_read && self.readers.contains(Dialects::OCI)
    }

    /// Says what the organisation wants of every profile.
    #[must_use]
    pub fn with_demands(mut self, demands: &'c Demands) -> Self {
        self.demands = demands;
        self
    }

    /// What the organisation wants of every profile.
    #[must_use]
    pub fn demands(&self) -> &'c Demands {
        self.demands
    }

    /// Whether the profile is the section of a container's configuration, which runtimes read.
    #[must_use]
    pub fn is_section(&self) -> bool {
        let profile = self.profile();
        profile.is_some_and(|profile| is_section(self.document, profile))
    }

    /// The profile, if there is one.
    #[must_use]
    pub fn profile(&self) -> Option<&'c Profile<'c>> {
        match self.found {
            Found::Profile(profile) => Some(profile),
            _ => None,
        }
    }

    /// Every name in every rule entry, in the order of the source.
    pub fn names(&self) -> impl Iterator<Item = &NameUse<'c>> + Clone {
        self.names.iter()
    }

    /// Those of no syscall, and of syscalls that libseccomp dropped or that a kernel does not have.
    pub fn odd_names(&self) -> impl Iterator<Item = &NameUse<'c>> {
        let places = self.odd_names.iter();
        places.filter_map(|&place| self.names.get(place as usize))
    }

    /// Whether the profile lets calls run that no rule entry names; `None` if that cannot be told.
    #[must_use]
    pub fn permits_by_default(&self) -> Option<bool> {
        let default = self.profile()?.default_decision()?;
        Some(default.action.permits())
    }

    /// Every name that reaches the runtime, those of bases included, in the order in which it gets
    /// them.
    pub fn all_names(&self) -> impl Iterator<Item = &NameUse<'c>> + Clone {
        self.whole_names().iter()
    }

    fn whole_names(&self) -> &[NameUse<'c>] {
        if self.all_names.is_empty() {
            &self.names
        } else {
            &self.all_names
        }
    }

    /// Whether the profile lets a call run, with what bases add; `None` if that cannot be told.
    #[must_use]
    pub fn permission(&self, syscall: &Syscall) -> Option<Permission> {
        if self.is_disputed(syscall) {
            return None;
        }
        self.permissions.as_ref()?.of(syscall)
    }

    /// Whether it depends on the operator's release what is made of a profile and its bases.
    pub(super) fn is_disputed(&self, syscall: &Syscall) -> bool {
        self.disputed.binary_search(&syscall.name()).is_ok()
    }

    /// Every use of a syscall's name, those in bases included, in the order in which the runtime gets
    /// them.
    pub fn uses(&self, syscall: &Syscall) -> impl Iterator<Item = &NameUse<'c>> {
        let all = self.permissions.as_ref();
        let first = all.and_then(|all| all.first_use(syscall));
        let places = std::iter::successors(first, move |place| all?.next_use(*place));
        places.filter_map(|place| self.whole_names().get(place))
    }

    /// The first use of each syscall that more than one name that reaches the runtime is of, or that is
    /// in a rule entry with conditions.
    pub(super) fn first_contested(&self) -> impl Iterator<Item = &NameUse<'c>> {
        let permissions = self.permissions.iter();
        let places = permissions.flat_map(Permissions::contested);
        places.filter_map(|place| self.whole_names().get(place))
    }

    /// The uses of each syscall that more than one name in the profile is of, those of bases left out,
    /// in the order of the table; of each in the order of the source.
    pub(super) fn repeated_names(&self) -> impl Iterator<Item = Vec<&NameUse<'c>>> {
        let permissions = self.permissions.iter();
        let repeated = permissions.flat_map(|all| all.repeated().iter());
        repeated.map(|syscall| {
            let mut uses: Vec<_> = self.uses(syscall).collect();
            if !self.all_names.is_empty() {
                uses.retain(|it| it.text.node.is_of(self.document));
                uses.sort_by_key(|it| it.text.node.span().start);
            }
            uses
        })
    }

    /// That use which stands first in the source; one in a base if all are.
    pub(super) fn earliest<'a>(
        &self,
        uses: impl Iterator<Item = &'a NameUse<'c>>,
    ) -> Option<&'a NameUse<'c>>
    where
        'c: 'a,
    {
        uses.min_by_key(|name| {
            let node = name.text.node;
            (!node.is_of(self.document), node.span().start)
        })
    }

    /// The calls that several rule entries are about, or whose arguments matter.
    pub(super) fn contested(&self) -> &[Contested<'c>] {
        self.contested.get_or_init(|| {
            let profile = self.profile();
            profile.map_or_else(Vec::new, |profile| Contested::all(profile, self))
        })
    }

    /// Every condition that can be understood, in the order of the source.
    pub fn conditions(&self) -> impl Iterator<Item = ConditionUse<'c>> {
        self.conditions.iter().copied()
    }

    /// Every errno that a reader takes, and what it stands beside.
    pub(super) fn errnos(&self) -> impl Iterator<Item = (Decision<'c>, GivenErrno<'c>)> {
        let readers = self.readers;
        let decisions = self.profile().into_iter().flat_map(Profile::decisions);
        decisions.flat_map(move |decision| {
            let errnos = decision.errnos(readers);
            errnos.map(move |errno| (decision, errno))
        })
    }

    /// What could not be read of the profile.
    pub fn mistakes(&self) -> impl Iterator<Item = &'c Mistake<'c>> {
        self.profile()
            .into_iter()
            .flat_map(|profile| &profile.mistakes)
    }

    /// The place of a node, in this source or in that of a base.
    #[must_use]
    pub fn at(&self, node: Node<'_>) -> Location {
        Location::node(self.source_of(node), node)
    }

    fn source_of(&self, node: Node<'_>) -> &'c Arc<Source> {
        let is_own = node.is_of(self.document);
        let other = self.inherited.filter(|_| !is_own);
        (other.and_then(|it| it.source_of(node))).unwrap_or(self.source)
    }

    /// The bracket that opens an object, which stands for all of it; in a block of
    /// YAML, which has none, its first key.
    #[must_use]
    pub fn bracket(&self, object: Node<'_>) -> Location {
        let start = object.span().start;
        let bracket = Span::new(start, start + 1);
        let source = self.source_of(object);
        let is_block = self.document.syntax() == Syntax::Yaml
            && source.bytes().get(bracket.range()) != Some(b"{");
        let first = object.members().next().filter(|_| is_block);
        let span = first.map_or(bracket, |(key, _)| key.span());
        Location::part(source, object, span)
    }

    /// Whether the parser had something to say of a node's own text already.
    #[must_use]
    pub fn is_deviant(&self, node: Node<'_>) -> bool {
        let span = node.span();
        let deviations = self.document.deviations().iter();
        deviations
            .map(|deviation| deviation.span)
            .any(|deviant| deviant.start < span.end && span.start < deviant.end)
    }

    /// What is wrong with the document's text, each kind of mistake as often as it is one:
    /// of bytes that are not UTF-8 the first, since all have one cause.
    pub fn deviations(&self) -> impl Iterator<Item = Deviation> + Clone {
        let mut is_told = false;
        let all = self.document.deviations().iter().copied();
        all.filter(move |it| {
            it.kind != DeviationKind::BadUtf8 || !std::mem::replace(&mut is_told, true)
        })
    }

    /// Whether a document of JSON is meant as one: it begins as an object or an
    /// array does, or it cannot be told from what it holds.
    #[must_use]
    pub fn is_meant_as_json(&self) -> bool {
        let root = self.document.root();
        self.document.syntax() == Syntax::Json
            && root.is_none_or(|root| matches!(root.kind(), Kind::Object | Kind::Array))
    }

    /// What it will run on; at least one target, if only one of which nothing is
    /// said.
    #[must_use]
    pub fn targets(&self) -> &[TargetUse<'c>] {
        &self.targets
    }

    /// The architectures of the targets' hosts, each once; empty if nothing is said of them.
    #[must_use]
    pub fn hosts(&self) -> Vec<Arch> {
        let mut hosts = Vec::new();
        for &host in self.targets.iter().flat_map(|it| &it.target.architectures) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// The targets' kernels, if all of them say theirs.
    #[must_use]
    pub fn kernels(&self) -> Option<Vec<KernelVersion>> {
        let kernels = self.targets.iter().map(|it| it.target.kernel);
        kernels.map(|kernel| Some(kernel?.version)).collect()
    }

    /// The targets of which something holds.
    pub fn targets_where(&self, holds: impl Fn(&TargetUse<'c>) -> bool) -> Vec<&'c Target> {
        let targets = self.targets.iter().filter(|target| holds(target));
        targets.map(|target| target.target).collect()
    }

    /// Adds to a finding on which of the targets it holds, if the user named any.
    #[must_use]
    pub fn on(&self, finding: Finding, holding: &[&Target]) -> Finding {
        target_use::on(finding, holding, &self.targets)
    }

    /// Whether a syscall may exist on one of the targets.
    #[must_use]
    pub fn may_exist(&self, syscall: &Syscall) -> bool {
        self.targets.iter().any(|target| target.may_have(syscall))
    }

    /// Whether a filter may see a bit, counted from 0, of a call's arguments on one of the targets.
    #[must_use]
    pub fn may_see_bit(&self, syscall: &Syscall, bit: u8) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|target| target.may_see_bit(syscall, bit))
    }

    /// Whether some target's kernel may have a call, and its libseccomp may know the name, if it takes
    /// the name to let it run.
    #[must_use]
    pub fn may_let_run(&self, syscall: &Syscall) -> bool {
        let is_named = self.permits_by_default() != Some(true);
        let first = syscall.first_kernel();
        self.targets.iter().map(|it| it.target).any(|target| {
            let is_unknown = target.libseccomp.is_some_and(|it| it.lacks(syscall));
            let is_missing = first
                .zip(target.kernel)
                .is_some_and(|(it, kernel)| kernel.lacks(it));
            !(is_missing || is_named && is_unknown)
        })
    }

    /// The architectures whose calls the profile's filter sees on some target.
    /// Empty if the targets say nothing of architectures.
    #[must_use]
    pub fn active_architectures(&self) -> Vec<Arch> {
        let mut active = Vec::new();
        for &arch in self.targets.iter().flat_map(|target| &target.architectures) {
            if !active.contains(&arch) {
                active.push(arch);
            }
        }
        active
    }

    /// The active architectures; if the targets say nothing, those that the profile names.
    #[must_use]
    pub fn meant_architectures(&self) -> Vec<Arch> {
        let active = self.active_architectures();
        let Some(profile) = self.profile().filter(|_| active.is_empty()) else {
            return active;
        };
        let of_map = profile.arch_map.iter().flat_map(|element| {
            let subs = element.sub_architectures.iter();
            element.architecture.iter().chain(subs)
        });
        let tokens = profile.architectures.iter().chain(of_map);
        let mut meant: Vec<_> = tokens.filter_map(|it| Arch::from_token(it.value)).collect();
        meant.sort_unstable();
        meant.dedup();
        meant
    }
}

fn is_section(document: &Document<'_>, profile: &Profile<'_>) -> bool {
    profile.dialects == Dialects::OCI && document.root() != Some(profile.node)
}

fn readers(document: &Document<'_>, found: &Found<'_>, engines: &[Engine]) -> Dialects {
    let Found::Profile(profile) = found else {
        return Dialects::NONE;
    };
    let is_for_engines = !is_section(document, profile) && !profile.is_for_operator();
    let named = engines.iter().map(|engine| engine.dialect());
    let named = named.reduce(Dialects::or).filter(|_| is_for_engines);
    named.unwrap_or(profile.dialects)
}
