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
    /// Whether a body is sent.
    pub body: bool,
    /// The name and the Rust expression of a property that is always the same.
    pub constant: Option<(String, String)>,
    /// The Rust type of what the caller gets.
    pub output: String,
    pub decoder: Option<String>,
    /// The types that are needed here for the first time.
    pub types: Vec<Struct>,
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
    pub name: String,
    pub doc: String,
    /// The Rust type, without `Option`.
    pub kind: String,
    pub optional: bool,
    pub place: Place,
    pub decoder: Option<String>,
}

/// Where a field is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Body,
    Reply,
}
