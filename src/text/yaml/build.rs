//! From the events of a parser to the nodes of a tree.

use std::collections::{HashMap, HashSet};

use crate::text::{
    Deviation, DeviationKind as Deviates, Document, Dress, Kind, LISTED_DEVIATIONS, NodeData, Span,
    Syntax,
};

/// What aliases may still repeat, in one file.
pub(super) struct Budget {
    nodes: usize,
    bytes: usize,
    is_spent: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            nodes: 100_000,
            bytes: 1 << 20,
            is_spent: false,
        }
    }
}

struct Open {
    node: u32,
    is_object: bool,
    /// How many nodes stand in it so far, keys included.
    count: u32,
    /// Where the last thing in it ends.
    end: u32,
    /// The values of its merge keys.
    merges: Vec<u32>,
    /// Whether the last key was one.
    is_merge: bool,
}

/// The tree of a document, as far as it has been read.
#[derive(Default)]
pub(super) struct Builder<'t> {
    nodes: Vec<NodeData<'t>>,
    open: Vec<Open>,
    /// The node of each anchor.
    anchors: HashMap<usize, u32>,
    deviations: Vec<Deviation>,
    unlisted: usize,
    /// How deep in an object or array that is a key, which is not read.
    skipped: usize,
    /// What merge keys may bring in: nested ones bring in everything again at each level.
    merges: Budget,
}

impl<'t> Builder<'t> {
    pub(super) fn deviate(&mut self, kind: Deviates, span: Span) {
        if self.deviations.len() < LISTED_DEVIATIONS {
            self.deviations.push(Deviation { kind, span });
        } else {
            self.unlisted += 1;
        }
    }

    /// Whether what comes next is a key.
    pub(super) fn is_at_key(&self) -> bool {
        self.skipped == 0
            && (self.open.last()).is_some_and(|open| open.is_object && open.count.is_multiple_of(2))
    }

    fn push(&mut self, kind: Kind<'t>, span: Span, dress: Dress) -> u32 {
        let (parent, position) = match self.open.last_mut() {
            Some(open) => {
                open.count += 1;
                open.end = open.end.max(span.end);
                (open.node, open.count - 1)
            }
            None => (0, 0),
        };
        let node = self.nodes.len() as u32;
        self.nodes.push(NodeData {
            span,
            next: node + 1,
            parent,
            position,
            dress,
            kind,
        });
        node
    }

    fn anchor(&mut self, anchor: usize, node: u32) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    /// Takes note of the value of a merge key; `node` is about to be pushed.
    fn value_of_merge(&mut self) {
        let node = self.nodes.len() as u32;
        if let Some(open) = self.open.last_mut()
            && open.is_object
            && std::mem::take(&mut open.is_merge)
        {
            open.merges.push(node);
        }
    }

    /// `is_plain`: without quotes and tag, so that `<<` is a merge key.
    pub(super) fn scalar(
        &mut self,
        kind: Kind<'t>,
        span: Span,
        dress: Dress,
        anchor: usize,
        is_plain: bool,
    ) {
        if self.skipped > 0 {
            return;
        }
        let is_key = self.is_at_key();
        let is_merge = is_key && is_plain && matches!(&kind, Kind::String(key) if key == "<<");
        if !is_key {
            self.value_of_merge();
        }
        let kind = if is_merge { Kind::Merge } else { kind };
        let node = self.push(kind, span, dress);
        self.anchor(anchor, node);
        if let Some(open) = self.open.last_mut() {
            open.is_merge = is_merge;
        }
    }

    pub(super) fn open(&mut self, kind: Kind<'t>, span: Span, anchor: usize) {
        if self.skipped > 0 {
            self.skipped += 1;
            return;
        }
        if self.is_at_key() {
            self.deviate(Deviates::ComplexKey, span);
            self.push(Kind::Broken, span, Dress::default());
            self.skipped = 1;
            return;
        }
        self.value_of_merge();
        let is_object = kind == Kind::Object;
        let node = self.push(kind, span, Dress::default());
        self.anchor(anchor, node);
        self.open.push(Open {
            node,
            is_object,
            count: 0,
            end: span.end,
            merges: Vec::new(),
            is_merge: false,
        });
    }

    /// The end of the innermost object or array; `span` is its closing bracket,
    /// and empty in a block.
    pub(super) fn close(&mut self, span: Span) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let Some(mut open) = self.open.pop() else {
            return;
        };
        if open.is_object && !open.count.is_multiple_of(2) {
            // The document is broken between a key and its value.
            let node = self.nodes.len() as u32;
            self.nodes.push(NodeData {
                span: Span::new(open.end, open.end),
                next: node + 1,
                parent: open.node,
                position: open.count,
                dress: Dress::default(),
                kind: Kind::Broken,
            });
            open.count += 1;
        }
        self.merge(&mut open);
        let end = if span.is_empty() { open.end } else { span.end };
        let next = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(open.node as usize) {
            node.next = next;
            node.span.end = end.max(node.span.start);
        }
        if let Some(outer) = self.open.last_mut() {
            outer.end = outer.end.max(end);
        }
    }

    /// What an alias stands for, which is repeated in its place.
    pub(super) fn alias(&mut self, anchor: Option<usize>, span: Span, budget: &mut Budget) {
        if self.skipped > 0 {
            return;
        }
        let is_key = self.is_at_key();
        if !is_key {
            self.value_of_merge();
        }
        let target = anchor.and_then(|anchor| self.anchors.get(&anchor).copied());
        let wrong = match target {
            None => Some(Deviates::UnknownAlias),
            Some(target) if self.open.iter().any(|open| open.node == target) => {
                Some(Deviates::RecursiveAlias)
            }
            Some(target) if is_key && !is_scalar(&self.nodes[target as usize].kind) => {
                Some(Deviates::ComplexKey)
            }
            Some(target) => {
                let had_room = !budget.is_spent;
                budget.charge(&self.nodes, target);
                budget
                    .is_spent
                    .then_some(Deviates::TooManyAliases)
                    .filter(|_| had_room)
            }
        };
        if let Some(kind) = wrong {
            self.deviate(kind, span);
        }
        match target.filter(|_| wrong.is_none() && !budget.is_spent) {
            Some(target) => self.copy(target),
            None => {
                self.push(Kind::Broken, span, Dress::default());
            }
        }
        if let Some(open) = self.open.last_mut() {
            open.end = open.end.max(span.end);
        }
    }

    /// Repeats a node and all that stands in it as the next of the innermost
    /// object or array.
    fn copy(&mut self, target: u32) {
        let (parent, position, end) = match self.open.last_mut() {
            Some(open) => {
                open.count += 1;
                (open.node, open.count - 1, open.end)
            }
            None => (0, 0, 0),
        };
        self.append(target, parent, position);
        if let Some(open) = self.open.last_mut() {
            open.end = end;
        }
    }

    fn append(&mut self, target: u32, parent: u32, position: u32) {
        let start = self.nodes.len() as u32;
        let shift = start - target;
        let end = self.nodes[target as usize].next;
        for index in target..end {
            let mut node = self.nodes[index as usize].clone();
            node.next += shift;
            node.parent += shift;
            self.nodes.push(node);
        }
        if let Some(node) = self.nodes.get_mut(start as usize) {
            (node.parent, node.position) = (parent, position);
        }
    }

    /// Adds the fields that merge keys bring in. Those that the object has itself
    /// stay, and of two that are brought in the first.
    fn merge(&mut self, open: &mut Open) {
        if open.merges.is_empty() {
            return;
        }
        let mut sources = Vec::new();
        for value in std::mem::take(&mut open.merges) {
            let node = &self.nodes[value as usize];
            let given = match node.kind {
                // What is wrong with it has been said.
                Kind::Broken => continue,
                Kind::Array => children(&self.nodes, value, node.next).collect(),
                _ => vec![value],
            };
            let (objects, others): (Vec<_>, Vec<_>) = (given.into_iter())
                .partition(|&node| self.nodes[node as usize].kind == Kind::Object);
            if let Some(&other) = others.first() {
                self.deviate(Deviates::BadMerge, self.nodes[other as usize].span);
            }
            sources.extend(objects);
        }
        let text = |nodes: &[NodeData<'t>], node: u32| match &nodes[node as usize].kind {
            Kind::String(text) => Some(text.clone()),
            _ => None,
        };
        let end = self.nodes.len() as u32;
        let own = children(&self.nodes, open.node, end).step_by(2);
        let mut keys: HashSet<_> = own.filter_map(|key| text(&self.nodes, key)).collect();
        for source in sources {
            let end = self.nodes[source as usize].next;
            let members: Vec<_> = children(&self.nodes, source, end).collect();
            for pair in members.chunks_exact(2) {
                if text(&self.nodes, pair[0]).is_some_and(|key| keys.insert(key)) {
                    let had_room = !self.merges.is_spent;
                    for &node in pair {
                        self.merges.charge(&self.nodes, node);
                    }
                    if self.merges.is_spent {
                        if had_room {
                            let span = self.nodes[source as usize].span;
                            self.deviate(Deviates::TooManyAliases, span);
                        }
                        return;
                    }
                    for &node in pair {
                        self.append(node, open.node, open.count);
                        open.count += 1;
                    }
                }
            }
        }
    }

    /// The document, whose open objects and arrays end where it ends.
    pub(super) fn finish(mut self) -> Document<'t> {
        self.skipped = 0;
        while let Some(open) = self.open.last() {
            let end = Span::new(open.end, open.end);
            self.close(end);
        }
        self.deviations
            .sort_by_key(|deviation| deviation.span.start);
        Document {
            nodes: self.nodes,
            deviations: self.deviations,
            unlisted: self.unlisted,
            syntax: Syntax::Yaml,
            ..Document::default()
        }
    }
}

impl Budget {
    /// Takes what repeating a node costs; everything, if that is more than there is.
    fn charge(&mut self, nodes: &[NodeData<'_>], target: u32) {
        let end = nodes[target as usize].next;
        let count = (end - target) as usize;
        if self.is_spent || count > self.nodes {
            self.is_spent = true;
            return;
        }
        let bytes = nodes[target as usize..end as usize]
            .iter()
            .map(|node| match &node.kind {
                Kind::String(text) | Kind::Number(text) => text.len(),
                _ => 0,
            });
        let bytes = bytes.sum();
        self.is_spent = bytes > self.bytes;
        self.nodes -= count;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

fn is_scalar(kind: &Kind<'_>) -> bool {
    !matches!(kind, Kind::Object | Kind::Array)
}

/// The nodes that stand in another, without what stands in them. `end` is the
/// first node after all of them.
fn children(nodes: &[NodeData<'_>], container: u32, end: u32) -> impl Iterator<Item = u32> {
    let mut at = container + 1;
    std::iter::from_fn(move || {
        (at < end).then(|| {
            let node = at;
            at = nodes[at as usize].next;
            node
        })
    })
}
