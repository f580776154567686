//! The part of OpenAPI 3.1 that our documents use, as serde reads it.
//!
//! Unknown keys are errors, so that a slip in one (`x-anonimous-with`) does not pass in silence.
//! What only validators read is [`IgnoredAny`].

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A whole document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    #[serde(rename = "openapi")]
    _openapi: IgnoredAny,
    pub info: Info,
    #[serde(rename = "servers")]
    _servers: IgnoredAny,
    pub paths: Ordered<Ordered<Operation>>,
    pub components: Components,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Info {
    pub title: String,
    #[serde(rename = "version")]
    _version: IgnoredAny,
    #[serde(rename = "description")]
    _description: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Components {
    #[serde(default)]
    pub security_schemes: Ordered<IgnoredAny>,
    #[serde(default)]
    pub schemas: Ordered<Schema>,
    #[serde(default, rename = "responses")]
    _responses: IgnoredAny,
}

/// One method of one path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Operation {
    pub operation_id: Option<String>,
    pub summary: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "x-source")]
    pub source: Option<String>,
    #[serde(rename = "x-replay")]
    pub replay: Option<String>,
    #[serde(rename = "x-output")]
    pub output: Option<Schema>,
    #[serde(rename = "x-decoder")]
    pub decoder: Option<String>,
    #[serde(rename = "x-anonymous-with")]
    pub anonymous_with: Option<String>,
    pub security: Option<Vec<Ordered<IgnoredAny>>>,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    pub request_body: Option<RequestBody>,
    #[serde(rename = "responses")]
    _responses: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "in")]
    pub place: String,
    #[serde(default)]
    pub required: bool,
    pub description: Option<String>,
    pub schema: Schema,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    #[serde(rename = "required")]
    _required: IgnoredAny,
    pub content: Ordered<MediaType>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaType {
    pub schema: Schema,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Schema {
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "type")]
    pub types: Types,
    pub format: Option<String>,
    #[serde(rename = "const")]
    pub constant: Option<Constant>,
    pub properties: Ordered<Schema>,
    pub required: Vec<String>,
    pub items: Option<Box<Schema>>,
    pub one_of: Vec<Schema>,
    #[serde(rename = "x-decoder")]
    pub decoder: Option<String>,
    #[serde(rename = "x-name")]
    pub name: Option<String>,
    #[serde(rename = "x-flag")]
    pub flag: bool,
    #[serde(rename = "x-attached")]
    pub attached: bool,
    #[serde(rename = "x-newtype")]
    pub newtype: bool,
    #[serde(rename = "x-hand-written")]
    pub hand_written: bool,
    #[serde(rename = "x-open-enum")]
    pub words: Ordered<String>,
    #[serde(rename = "anyOf")]
    _any_of: IgnoredAny,
    #[serde(rename = "enum")]
    _enum: IgnoredAny,
    #[serde(rename = "pattern")]
    _pattern: IgnoredAny,
    #[serde(rename = "minLength")]
    _min_length: IgnoredAny,
    #[serde(rename = "minimum")]
    _minimum: IgnoredAny,
    #[serde(rename = "maximum")]
    _maximum: IgnoredAny,
    #[serde(rename = "maxProperties")]
    _max_properties: IgnoredAny,
}

/// The words of `type`, of which there may be one or several.
#[derive(Default, Deserialize)]
#[serde(untagged)]
pub enum Types {
    #[default]
    None,
    One(String),
    Several(Vec<String>),
}

impl Types {
    /// The words.
    pub fn words(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(word) => std::slice::from_ref(word),
            Self::Several(words) => words,
        }
    }
}

/// A value that is always the same.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Constant {
    Bool(bool),
    Integer(i64),
    Text(String),
}

/// A mapping in the order of the document.
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Ordered<T> {
    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&T> {
        let mut pairs = self.0.iter();
        pairs.find_map(|(name, value)| (name == key).then_some(value))
    }
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Ordered(pairs))
            }
        }

        deserializer.deserialize_map(Pairs(PhantomData))
    }
}
