//! The operations and types of an OpenAPI document, in Rust's terms.

/// One provider.
#[derive(Debug)]
#[non_exhaustive]
pub struct Provider {
    /// The first part of the names of its operations, such as `azire`.
    pub name: String,
    /// The provider's name for display.
    pub title: String,
    /// The operations, in the order of the document.
    pub operations: Vec<Operation>,
    pub(crate) newtypes: Vec<Newtype>,
    pub(crate) enums: Vec<OpenEnum>,
    /// The types in the crate's module `types`, each with the type that it checks.
    pub(crate) hand_written: Vec<(String, String)>,
}

/// One operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The name, such as `create-port-forward`.
    pub id: String,
    /// The struct's name.
    pub name: String,
    /// A sentence that says what it does.
    pub summary: String,
    pub(crate) description: Option<String>,
    /// The vendor's page and heading.
    pub source: String,
    /// `Safe`, `Idempotent` or `Once`.
    pub replay: String,
    /// The HTTP method, in lower case.
    pub method: String,
    /// The path, with placeholders such as `{id}`.
    pub path: String,
    /// The credentials that it accepts.
    pub security: Security,
    /// The name of its server; `None` for that of the whole document.
    pub server: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Option<Body>,
    /// The name and the Rust expression of a constant property.
    pub(crate) constant: Option<(String, String)>,
    /// The Rust type of the value that the caller gets.
    pub(crate) output: String,
    pub(crate) decoder: Option<String>,
    /// The types that this operation is the first to need.
    pub(crate) types: Vec<Struct>,
}

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Json,
    Form,
}

/// The credentials that an operation accepts, by the names of their schemes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Security {
    /// None.
    None,
    /// One of these credentials.
    Required(Vec<String>),
    /// One of these credentials, or none.
    Optional(Vec<String>),
    /// One of these credentials; but if this field is given, no credential is sent.
    RequiredWithout(Vec<String>, String),
}

/// A string with its own type.
#[derive(Debug)]
pub struct Newtype {
    pub name: String,
    pub doc: String,
}

/// A string with known words, each with its meaning.
#[derive(Debug)]
pub struct OpenEnum {
    pub name: String,
    pub doc: String,
    pub words: Vec<(String, String)>,
}

/// A type of replies.
#[derive(Debug)]
pub struct Struct {
    pub name: String,
    pub doc: String,
    pub fields: Vec<Field>,
}

/// A field of an operation or of a type.
#[derive(Debug)]
pub struct Field {
    /// The name in Rust.
    pub name: String,
    /// The name on the wire.
    pub wire: String,
    pub doc: String,
    /// The Rust type, without `Option`.
    pub kind: String,
    /// Whether it may be absent or null.
    pub optional: bool,
    /// Whether it must be present, perhaps as null.
    pub required: bool,
    pub place: Place,
    pub codec: Codec,
}

impl Field {
    /// Returns whether the type is an `Option`. An optional flag is not: if it is false, it is omitted.
    pub fn is_option(&self) -> bool {
        self.optional && !(self.place == Place::Body && self.codec == Codec::Flag)
    }
}

/// How a field is encoded and decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// By serde.
    Plain,
    /// As seconds since 1970.
    UnixTime,
    /// True as `1`; false as `0` in a query, and omitted in a body.
    Flag,
    /// Decoded by this function of the crate's module `lenient`.
    Lenient(String),
}

/// Where a field is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Body,
    Reply,
}
