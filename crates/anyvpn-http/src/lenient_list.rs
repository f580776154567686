//! Lists whose elements are decoded one by one, so that a malformed one does not hide the others.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use anyvpn_core::{Error, LeftOut, ListedServer, Server};
use serde::de::{self, DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::reply::without_values;

/// A list without its malformed elements, for catalogues such as servers and locations.
///
/// Each element is decoded by itself, from JSON text (not from a `serde_json::Value`). A malformed
/// element is left out, counted, and logged at WARN; a list with only malformed elements is an error.
/// Do not decode lists of an account's own objects this way: callers would conclude that a missing
/// element does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LenientList<T> {
    /// The elements that could be decoded, in the provider's order.
    pub items: Vec<T>,
    /// The elements that were left out.
    pub left_out: LeftOut,
}

impl<T> LenientList<T> {
    /// Returns the elements as a provider's servers, preceded by the report of those that were left
    /// out. [`Servers::new`](anyvpn_core::Servers::new) takes a stream of such items.
    pub fn into_servers(
        self,
        mut server: impl FnMut(T) -> Server,
    ) -> impl Iterator<Item = Result<ListedServer, Error>> {
        let left_out = (!self.left_out.is_empty()).then_some(ListedServer::LeftOut(self.left_out));
        let servers = self.items.into_iter().map(move |item| server(item).into());
        left_out.into_iter().chain(servers).map(Ok)
    }
}

impl<T> Default for LenientList<T> {
    fn default() -> Self {
        Self { items: Vec::new(), left_out: LeftOut::default() }
    }
}

/// Creates a list from which nothing was left out.
impl<T> From<Vec<T>> for LenientList<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, left_out: LeftOut::default() }
    }
}

impl<T> Deref for LenientList<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for LenientList<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

/// Serializes the decoded elements as an array.
impl<T: Serialize> Serialize for LenientList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for LenientList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Elements<T> {
    type Value = LenientList<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<LenientList<T>, A::Error> {
        let mut list = LenientList::default();
        let mut index = 0_usize;
        while let Some(element) = seq.next_element::<&RawValue>()? {
            match serde_json::from_str(element.get()) {
                Ok(item) => list.items.push(item),
                Err(_) => list.left_out.push(misfit::<T>(index, element)),
            }
            index += 1;
        }
        let LeftOut { count, reasons, .. } = &list.left_out;
        if let Some(reason) = reasons.first() {
            if list.items.is_empty() {
                return Err(de::Error::custom(format_args!("no element could be read: {reason}")));
            }
            tracing::warn!(count, reason, "left out of a list");
        }
        Ok(list)
    }
}

/// Describes why an element could not be decoded, without its values.
fn misfit<T: DeserializeOwned>(index: usize, element: &RawValue) -> String {
    let mut json = serde_json::Deserializer::from_str(element.get());
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Ok(_) => format!("element {index}"),
        Err(e) => {
            let why = without_values(&e.inner().to_string());
            // The line and column are counted from the element's beginning.
            let why = why.split(" at line ").next().unwrap_or_default();
            match e.path().to_string().as_str() {
                "." => format!("element {index}: {why}"),
                path => format!("element {index}, at `{path}`: {why}"),
            }
        }
    }
}
