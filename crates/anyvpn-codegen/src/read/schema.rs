//! Maps schemas to Rust types.

use super::super::document::Schema;
use super::super::model::{Codec, Field, Newtype, OpenEnum, Place, Struct};
use super::super::text::{camel_case, field_name};
use super::{COMPONENTS, Reader};

/// Stands for a type that could not be determined; there is then an error.
const UNKNOWN: &str = "String";

/// The names that the generated code imports or uses from Rust's prelude.
const TAKEN: &[&str] = &[
    "Box",
    "Client",
    "CompactString",
    "Date",
    "Deserialize",
    "Dialect",
    "Error",
    "FieldInfo",
    "FieldKind",
    "IgnoredAny",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "None",
    "Ok",
    "Operation",
    "OperationId",
    "OperationInfo",
    "Option",
    "PublicKey",
    "Replay",
    "Reply",
    "Request",
    "Result",
    "Secret",
    "Security",
    "Serialize",
    "Some",
    "String",
    "Timestamp",
    "Value",
    "Vec",
];

impl Reader<'_, '_> {
    pub(super) fn property(
        &mut self,
        parent_type: &str,
        parent: &Schema,
        name: &str,
        property: &Schema,
        place: Place,
    ) -> Field {
        let required = parent.required.iter().any(|required| required == name);
        let form = match (&property.decoder, property.one_of.first()) {
            (Some(_), Some(first)) => first,
            _ => property,
        };
        let codec = match &property.decoder {
            Some(decoder) => Codec::Lenient(decoder.clone()),
            None if property.flag => Codec::Flag,
            None if self.is_unix_time(form) => Codec::UnixTime,
            None => Codec::Plain,
        };
        if codec == Codec::Flag && (required || place != Place::Body) {
            let problem = "a flag is omitted if it is false; make it an optional property of a \
                           body, or decode it with an x-decoder";
            self.findings.error(&property.place, problem);
        }
        let description = property.description.as_ref().or_else(|| {
            let component =
                self.document.schema(property.reference.as_ref()?.strip_prefix(COMPONENTS)?);
            component?.description.as_ref()
        });
        let description = description.cloned();
        Field {
            name: property.name.clone().unwrap_or_else(|| field_name(name)),
            wire: name.to_owned(),
            doc: self.field_doc(&property.place, name, description.as_ref()),
            kind: self.kind(form, &format!("{parent_type}{}", camel_case(name))),
            optional: is_nullable(property) || !required,
            required,
            place,
            codec,
        }
    }

    /// Returns whether the dialect adds the property: it or the component that it refers to says so.
    pub(super) fn is_attached(&self, property: &Schema) -> bool {
        let component = property
            .reference
            .as_deref()
            .and_then(|reference| reference.strip_prefix(COMPONENTS))
            .and_then(|name| self.document.schema(name));
        property.attached || component.is_some_and(|component| component.attached)
    }

    /// Returns whether a schema is a time in seconds since 1970, or refers to such a component.
    fn is_unix_time(&self, schema: &Schema) -> bool {
        let component = schema.reference.as_deref().and_then(|it| it.strip_prefix(COMPONENTS));
        let component = component.and_then(|name| self.document.schema(name));
        component.unwrap_or(schema).format.as_deref() == Some("unix-time")
    }

    /// Returns the Rust type of a schema, without `Option`. `name` is the name of a new type if the
    /// document does not name it.
    pub(super) fn kind(&mut self, schema: &Schema, name: &str) -> String {
        if let Some(reference) = &schema.reference {
            return match reference.strip_prefix(COMPONENTS) {
                Some(component) => self.reach(&schema.place, component),
                None => {
                    let problem = format!("`{reference}` is not below {COMPONENTS}; move it there");
                    self.unknown(&schema.place, problem)
                }
            };
        }
        let words: Vec<_> = schema.types.iter().filter(|word| *word != "null").collect();
        let word = match words.as_slice() {
            [] => match only_alternative(schema) {
                Some(only) => return self.kind(only, name),
                None if !schema.properties.is_empty() => "object",
                None => {
                    return self
                        .unknown(&schema.place, "no single type; give one, or an x-decoder");
                }
            },
            [word] => word.as_str(),
            // The decoder converts the other types to the first one.
            [word, ..] if schema.decoder.is_some() => word.as_str(),
            _ => return self.unknown(&schema.place, "no single type; give one, or an x-decoder"),
        };
        let kind = match (word, schema.format.as_deref()) {
            ("integer", None) if schema.flag => "bool",
            ("string", None) if is_inline_enum(schema) => return self.inline_enum(schema, name),
            ("string", None | Some("email" | "uri" | "uuid" | "hostname" | "byte")) => "String",
            ("string", Some("password")) => "Secret",
            ("string", Some("compact-string")) => "CompactText",
            ("string", Some("date")) => "Date",
            ("string", Some("date-time")) => "Timestamp",
            ("string", Some("ip")) => "IpAddr",
            ("string", Some("ipv4")) => "Ipv4Addr",
            ("string", Some("ipv6")) => "Ipv6Addr",
            ("string", Some("public-key")) => "PublicKey",
            ("integer", Some("unix-time")) => "Timestamp",
            ("integer", Some("uint8")) => "u8",
            ("integer", Some("uint16")) => "u16",
            ("integer", Some("uint32")) => "u32",
            ("integer", Some("uint64")) => "u64",
            ("integer", Some("int32")) => "i32",
            ("integer", None | Some("int64")) => "i64",
            ("number", None | Some("float" | "double")) => "f64",
            ("boolean", None) => "bool",
            ("array", _) => {
                let Some(items) = &schema.items else {
                    return self.unknown(&schema.place, "no items; say what the list contains");
                };
                let list = if schema.lenient { "LenientList" } else { "Vec" };
                return format!("{list}<{}>", self.kind(items, &format!("{name}Item")));
            }
            ("object", _) => return self.inline_object(schema, name),
            (word @ ("string" | "integer" | "number" | "boolean"), Some(format)) => {
                let problem = format!(
                    "unknown format {format} of {word}, read as any {word}; use one that the \
                     generator knows, or omit it"
                );
                self.findings.warn(&schema.place, problem);
                match word {
                    "integer" => "i64",
                    "number" => "f64",
                    "boolean" => "bool",
                    _ => "String",
                }
            }
            (word, _) => {
                return self.unknown(
                    &schema.place,
                    format!("unknown type {word}; use a type of JSON Schema"),
                );
            }
        };
        kind.to_owned()
    }

    /// Creates a type for a component, unless there is one already, and returns its name.
    fn reach(&mut self, from: &str, component: &str) -> String {
        let document = self.document;
        let Some(schema) = document.schema(component) else {
            let problem = format!("there is no schema `{component}`; add it to components.schemas");
            return self.unknown(from, problem);
        };
        let name = type_name(component);
        let is_type = schema.hand_written
            || schema.newtype
            || !schema.words.is_empty()
            || is_inline_enum(schema)
            || is_object(schema);
        if !is_type {
            // The component is an alias.
            return match only_alternative(schema) {
                Some(only) => self.kind(only, &name),
                None if schema.types.is_empty() => {
                    let problem = "not an object, x-newtype, x-open-enum or x-hand-written; make \
                                   it one of them";
                    self.unknown(&schema.place, problem)
                }
                None => self.kind(schema, &name),
            };
        }
        if self.reached.contains(&name) {
            return name;
        }
        if TAKEN.contains(&name.as_str()) {
            let problem =
                format!("the generated code already uses the name `{name}`; choose another name");
            return self.unknown(&schema.place, problem);
        }
        if !schema.hand_written && !schema.newtype && schema.words.is_empty() {
            return match is_object(schema) {
                true => self.inline_object(schema, &name),
                false => self.inline_enum(schema, &name),
            };
        }
        self.reached.push(name.clone());
        if schema.hand_written {
            let checked = self.kind(schema, &name);
            self.hand_written.push((name.clone(), checked));
            return name;
        }
        let doc = self.field_doc(&schema.place, &name, schema.description.as_ref());
        if schema.newtype {
            self.newtypes.push(Newtype { name: name.clone(), doc });
        } else {
            let words = schema.words.clone();
            self.enums.push(OpenEnum { name: name.clone(), doc, words });
        }
        name
    }

    /// Creates a type with this name for an object.
    fn inline_object(&mut self, schema: &Schema, name: &str) -> String {
        if !self.claim(schema, name) {
            return name.to_owned();
        }
        self.all_required_exist(schema);
        let doc = self.field_doc(&schema.place, name, schema.description.as_ref());
        let position = self.structs.len();
        let properties = schema.properties.iter();
        let fields: Vec<_> = properties
            .map(|(property, of)| self.property(name, schema, property, of, Place::Reply))
            .collect();
        self.check_names(&schema.place, &fields);
        self.structs.insert(position, Struct { name: name.to_owned(), doc, fields });
        name.to_owned()
    }

    /// Creates a type with this name for a string with known words.
    fn inline_enum(&mut self, schema: &Schema, name: &str) -> String {
        if self.claim(schema, name) {
            let doc = self.field_doc(&schema.place, name, schema.description.as_ref());
            let words = schema.words_allowed.iter();
            let words = words.map(|word| (word.clone(), format!("`{word}`."))).collect();
            self.enums.push(OpenEnum { name: name.to_owned(), doc, words });
        }
        name.to_owned()
    }

    /// Returns whether to create a type with this name; a name that is taken is reported.
    fn claim(&mut self, schema: &Schema, name: &str) -> bool {
        let component = format!("{COMPONENTS}{name}");
        let taken = schema.place != component && self.document.schema(name).is_some();
        if taken || self.reached.iter().any(|reached| reached == name) {
            let problem = format!(
                "a second type would be called `{name}`; move it to components.schemas under \
                 another name"
            );
            self.findings.error(&schema.place, problem);
            return false;
        }
        self.reached.push(name.to_owned());
        true
    }

    pub(super) fn all_required_exist(&mut self, schema: &Schema) {
        for name in &schema.required {
            if find(schema, name).is_none() {
                let problem =
                    format!("`required` names `{name}`, which is not a property; correct it");
                self.findings.error(&schema.place, problem);
            }
        }
    }

    fn unknown(&mut self, place: &str, problem: impl Into<String>) -> String {
        self.findings.error(place, problem);
        UNKNOWN.to_owned()
    }
}

pub(super) fn find<'a>(schema: &'a Schema, name: &str) -> Option<&'a Schema> {
    schema.properties.iter().find_map(|(other, it)| (other == name).then_some(it))
}

fn is_object(schema: &Schema) -> bool {
    schema.types.iter().any(|word| word == "object")
        || (schema.types.is_empty() && !schema.properties.is_empty())
}

/// Returns whether a schema is a string with known words that is not decoded by hand.
fn is_inline_enum(schema: &Schema) -> bool {
    !schema.words_allowed.is_empty() && schema.decoder.is_none() && !schema.hand_written
}

/// Returns the only schema in `allOf`, `oneOf` or `anyOf`, apart from null.
fn only_alternative(schema: &Schema) -> Option<&Schema> {
    let all = schema.all_of.iter().chain(&schema.one_of).chain(&schema.any_of);
    let mut others = all.filter(|it| it.types != ["null"]);
    others.next().filter(|_| others.next().is_none())
}

fn is_nullable(schema: &Schema) -> bool {
    let null = |types: &[String]| types.iter().any(|word| word == "null");
    null(&schema.types) || schema.one_of.iter().chain(&schema.any_of).any(|it| null(&it.types))
}

/// Returns the type's name for a component: the component's name, if Rust's types can be spelled so.
fn type_name(component: &str) -> String {
    let is_type = component.starts_with(|c: char| c.is_ascii_uppercase())
        && component.chars().all(|c| c.is_ascii_alphanumeric());
    if is_type { component.to_owned() } else { camel_case(component) }
}
