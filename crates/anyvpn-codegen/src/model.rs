//! What an OpenAPI document's operations and types are in Rust.

/// One provider.
#[derive(Debug)]
#[non_exhaustive]
pub struct Provider {
    /// The first part of its operations' names, such as `azire`.
    pub name: String,
    /// The provider's name for people.
    pub title: String,
    /// The operations, in the order of the document.
    pub operations: Vec<Operation>,
    pub(crate) newtypes: Vec<Newtype>,
    pub(crate) enums: Vec<OpenEnum>,
    /// The types of the crate's own `types`, each with the type that it checks.
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
    /// One sentence.
    pub summary: String,
    pub(crate) description: Option<String>,
    /// The vendor's page and heading.
    pub source: String,
    /// `Safe`, `Idempotent` or `Once`.
    pub replay: String,
    /// The HTTP method, in lower case.
    pub method: String,
    /// The path, with places such as `{id}`.
    pub path: String,
    /// Which credentials it takes.
    pub security: Security,
    /// The name of its server; `None` for that of the whole document.
    pub server: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Option<Body>,
    /// The name and the Rust expression of a property that is always the same.
    pub(crate) constant: Option<(String, String)>,
    /// The Rust type of what the caller gets.
    pub(crate) output: String,
    pub(crate) decoder: Option<String>,
    /// The types that are needed here for the first time.
    pub(crate) types: Vec<Struct>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Json,
    Form,
}

/// Which credentials an operation takes, by the names of their schemes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Security {
    /// None.
    None,
    /// One of these credentials.
    Required(Vec<String>),
    /// One of these credentials, or none.
    Optional(Vec<String>),
    /// Required unless this field is given: then none is sent.
    RequiredWithout(Vec<String>, String),
}

/// A string with a type of its own.
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
    /// Whether it has to be there, perhaps as null.
    pub required: bool,
    pub place: Place,
    pub codec: Codec,
}

impl Field {
    /// Whether the type is an `Option`. A flag that may be left out is not: false leaves it out.
    pub fn is_option(&self) -> bool {
        self.optional && !(self.place == Place::Body && self.codec == Codec::Flag)
    }
}

/// How a field gets from and to the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// As serde decodes it.
    Plain,
    /// As seconds since 1970.
    UnixTime,
    /// True as `1`; false as `0` in a query, and as nothing in a body.
    Flag,
    /// From the wire by this function of the crate's `lenient`.
    Lenient(String),
}

/// Where a field is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Body,
    Reply,
}
