//! YAML as a tree, and the place of each of its parts.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::finding::Findings;

/// A value of a document. Mappings keep their order.
#[derive(Debug)]
pub enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that does not fit an `i64`, as text.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Returns the part at a reference such as `#/components/parameters/Page`.
    fn at(&self, reference: &str) -> Option<&Self> {
        let mut node = self;
        for step in reference.strip_prefix("#/")?.split('/') {
            let key = step.replace("~1", "/").replace("~0", "~");
            let Self::Map(pairs) = node else { return None };
            node = pairs.iter().find_map(|(name, node)| (*name == key).then_some(node))?;
        }
        Some(node)
    }

    /// Returns a scalar as it is written.
    pub fn scalar(&self) -> Option<String> {
        match self {
            Self::Null => Some("null".to_owned()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Number(text) | Self::Text(text) => Some(text.clone()),
            Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tree;

        impl<'de> Visitor<'de> for Tree {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Integer(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(i64::try_from(value)
                    .map_or_else(|_| Node::Number(value.to_string()), Node::Integer))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Number(value.to_string()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = list.next_element()? {
                    nodes.push(node);
                }
                Ok(Node::List(nodes))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut pairs = Vec::new();
                while let Some((key, node)) = map.next_entry::<Node, Node>()? {
                    let key = key.scalar();
                    let key =
                        key.ok_or_else(|| serde::de::Error::custom("a key is not a string"))?;
                    pairs.push((key, node));
                }
                Ok(Node::Map(pairs))
            }
        }

        deserializer.deserialize_any(Tree)
    }
}

/// A part of a document, and its place.
#[derive(Clone)]
pub struct Part<'a> {
    pub node: &'a Node,
    pub place: String,
}

impl<'a> Part<'a> {
    fn child(&self, key: &str, node: &'a Node) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { node, place: format!("{}/{key}", self.place) }
    }

    /// Returns the entries of a mapping; empty for anything else.
    pub fn entries(&self) -> Vec<(String, Self)> {
        let Node::Map(pairs) = self.node else { return Vec::new() };
        pairs.iter().map(|(key, node)| (key.clone(), self.child(key, node))).collect()
    }

    /// Follows a `$ref`, or returns the part itself.
    pub fn resolve(self, root: &'a Node, findings: &mut Findings) -> Option<Self> {
        let Node::Map(pairs) = self.node else { return Some(self) };
        let reference = pairs.iter().find(|(key, _)| key == "$ref");
        let Some((_, Node::Text(reference))) = reference else { return Some(self) };
        let node = root.at(reference);
        if node.is_none() {
            let message =
                format!("nothing is at `{reference}`; correct the reference, or add its target");
            findings.error(&self.place, message);
        }
        Some(Self { node: node?, place: reference.clone() })
    }
}

/// Reads the entries of a mapping, and reports those that were not read.
pub struct Fields<'a, 'f> {
    place: String,
    entries: Vec<(String, Part<'a>)>,
    known: Vec<&'static str>,
    findings: &'f mut Findings,
}

impl<'a, 'f> Fields<'a, 'f> {
    pub fn of(part: &Part<'a>, findings: &'f mut Findings) -> Self {
        // `{}` may be omitted.
        if !matches!(part.node, Node::Map(_) | Node::Null) {
            findings.error(&part.place, "this is not a mapping; write `key: value`");
        }
        Self { place: part.place.clone(), entries: part.entries(), known: Vec::new(), findings }
    }

    pub fn part(&mut self, key: &'static str) -> Option<Part<'a>> {
        self.known.push(key);
        self.entries.iter().find_map(|(name, part)| (*name == key).then(|| part.clone()))
    }

    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let part = self.part(key)?;
        let text = part.node.scalar();
        if text.is_none() {
            self.findings.error(&part.place, "this is not a scalar; write a single value");
        }
        text
    }

    pub fn flag(&mut self, key: &'static str) -> bool {
        match self.part(key) {
            None => false,
            Some(Part { node: Node::Bool(flag), .. }) => *flag,
            Some(part) => {
                self.findings.error(&part.place, "this is not a boolean; write `true` or `false`");
                false
            }
        }
    }

    /// Returns the elements of a list.
    pub fn list(&mut self, key: &'static str) -> Vec<Part<'a>> {
        let Some(part) = self.part(key) else { return Vec::new() };
        let Node::List(nodes) = part.node else {
            self.findings.error(&part.place, "this is not a list; write `[...]`");
            return Vec::new();
        };
        nodes.iter().enumerate().map(|(index, node)| part.child(&index.to_string(), node)).collect()
    }

    /// Returns the scalars of a list; a single scalar counts as a list of one.
    pub fn words(&mut self, key: &'static str) -> Vec<String> {
        match self.part(key).and_then(|part| part.node.scalar()) {
            Some(word) => vec![word],
            None => self.list(key).iter().filter_map(|part| part.node.scalar()).collect(),
        }
    }

    /// Returns the entries of the mapping at `key`.
    pub fn entries(&mut self, key: &'static str) -> Vec<(String, Part<'a>)> {
        self.part(key).map_or_else(Vec::new, |part| Fields::of(&part, self.findings).entries)
    }

    pub fn findings(&mut self) -> &mut Findings {
        self.findings
    }

    /// Warns about entries that were not read, except `ignored`. A key that looks like a misspelt
    /// supported extension is an error, because code that is generated without the extension would be
    /// wrong.
    pub fn finish(mut self, ignored: &'static [&'static str]) {
        for (key, part) in std::mem::take(&mut self.entries) {
            let key = key.as_str();
            if self.known.contains(&key) || ignored.contains(&key) {
                continue;
            }
            let meant = self.known.iter().find(|known| {
                key.starts_with("x-")
                    && known.starts_with("x-")
                    && strsim::damerau_levenshtein(key, known) <= 2
            });
            match meant {
                Some(meant) => {
                    let message = format!("unknown `{key}`; did you mean `{meant}`?");
                    self.findings.error(&part.place, message);
                }
                None => self.findings.warn(
                    &self.place,
                    format!(
                        "`{key}` is not supported and has no effect; remove it, or ignore this warning"
                    ),
                ),
            }
        }
    }
}
