//! What an OpenAPI document's operations and types are in Rust.

/// One provider.
pub struct Provider {
    /// The crate's name without `anyvpn-`.
    pub name: String,
    /// The provider's name for people.
    pub title: String,
    pub operations: Vec<Operation>,
    pub newtypes: Vec<Newtype>,
    pub enums: Vec<OpenEnum>,
    /// The types of the crate's own `types`, each with the type that it checks.
    pub hand_written: Vec<(String, String)>,
}

/// One operation.
pub struct Operation {
    pub id: String,
    /// The struct's name.
    pub name: String,
    pub summary: String,
    pub description: Option<String>,
    pub source: String,
    pub replay: String,
    /// In lower case.
    pub method: String,
    pub path: String,
    pub security: Security,
    pub fields: Vec<Field>,
    pub body: Option<Body>,
    /// The name and the Rust expression of a property that is always the same.
    pub constant: Option<(String, String)>,
    /// The Rust type of what the caller gets.
    pub output: String,
    pub decoder: Option<String>,
    /// The types that are needed here for the first time.
    pub types: Vec<Struct>,
}

/// How a body is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Json,
    Form,
}

/// Which credentials an operation takes, by the names of their schemes.
pub enum Security {
    None,
    Required(Vec<String>),
    Optional(Vec<String>),
    /// Required unless this field is given: then none is sent.
    RequiredWithout(Vec<String>, String),
}

/// A string with a type of its own.
pub struct Newtype {
    pub name: String,
    pub doc: String,
}

/// A string with known words, each with its meaning.
pub struct OpenEnum {
    pub name: String,
    pub doc: String,
    pub words: Vec<(String, String)>,
}

/// A type of replies.
pub struct Struct {
    pub name: String,
    pub doc: String,
    pub fields: Vec<Field>,
}

/// A field of an operation or of a type.
pub struct Field {
    /// The name in Rust.
    pub name: String,
    /// The name on the wire.
    pub wire: String,
    pub doc: String,
    /// The Rust type, without `Option`.
    pub kind: String,
    pub optional: bool,
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
#[derive(Clone, PartialEq, Eq)]
pub enum Codec {
    /// As serde does it.
    Plain,
    /// As seconds since 1970.
    UnixTime,
    /// True as `1`; false as `0` in a query, and as nothing in a body.
    Flag,
    /// From the wire by this function of the crate's `lenient`.
    Lenient(String),
}

/// Where a field is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Body,
    Reply,
}
