//! Writes `ops.rs`. rustfmt goes over it afterwards.

use std::fmt::Write as _;

use super::model::{Field, Operation, Place, Provider, Security, Struct};
use super::text::{camel_case, doc, first_sentence};

/// The text of `ops.rs`, with its lines not yet broken.
pub fn ops(provider: &Provider) -> String {
    let mut items = vec![strings(provider)];
    for operation in &provider.operations {
        items.push(input(operation));
        items.push(implementation(&provider.name, operation));
        items.extend(operation.types.iter().map(output));
    }
    let items: Vec<String> = items.into_iter().filter(|item| !item.is_empty()).collect();
    let items = items.join("\n");
    format!(
        "//! {}'s operations and their types. Written by `cargo xtask codegen` from `openapi.yaml`.\n\n\
         {}\n{items}\n{}\n{}",
        provider.title,
        imports(&items),
        table(provider),
        call_by_name(provider),
    )
}

/// The `use` declarations of what `items` and the functions after them name.
fn imports(items: &str) -> String {
    let code: Vec<&str> = items
        .lines()
        .filter(|line| !line.trim_start().starts_with("///"))
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    let used = |names: &[&'static str]| -> Vec<&'static str> {
        let names = names.iter().copied();
        names.filter(|name| code.contains(name)).collect()
    };
    let list = |path: &str, names: Vec<&str>| match names.as_slice() {
        [] => String::new(),
        [name] => format!("use {path}::{name};\n"),
        names => format!("use {path}::{{{}}};\n", names.join(", ")),
    };
    let mut core = vec!["Error"];
    core.extend(used(&["OperationId", "Secret", "Timestamp"]));
    [
        list("std::net", used(&["IpAddr", "Ipv4Addr", "Ipv6Addr"])),
        "\n".to_owned(),
        list("anyvpn_core", core),
        "use anyvpn_http::by_name::{self, run};\n".to_owned(),
        "use anyvpn_http::{Client, Dialect as _, Entry, Field, FieldKind, Operation, Replay, Reply, Request, \
         Security};\n"
            .to_owned(),
        list("serde::de", used(&["IgnoredAny"])),
        list("serde", used(&["Deserialize", "Serialize"])),
        "use serde_json::Value;\n\nuse crate::dialect::Dialect;\n".to_owned(),
        list("crate", used(&["lenient"])),
    ]
    .concat()
}

/// The string types and open enumerations. rustfmt leaves a macro's braces alone, so this is final.
fn strings(provider: &Provider) -> String {
    let mut out = String::new();
    if !provider.newtypes.is_empty() {
        out += "anyvpn_core::string_types! {\n";
        for (index, newtype) in provider.newtypes.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            let doc = doc(4, &newtype.doc);
            _ = writeln!(out, "{gap}{doc}    pub struct {};", newtype.name);
        }
        out += "}\n";
    }
    for open in &provider.enums {
        let gap = if out.is_empty() { "" } else { "\n" };
        _ = write!(
            out,
            "{gap}anyvpn_core::open_enum! {{\n{}    pub enum {} {{\n",
            doc(4, &open.doc),
            open.name
        );
        for (word, meaning) in &open.words {
            let variant = camel_case(&word.to_ascii_lowercase());
            _ = writeln!(out, "{}        {variant} = {word:?},", doc(8, meaning));
        }
        out += "    }\n}\n";
    }
    out
}

/// The struct of an operation.
fn input(operation: &Operation) -> String {
    let mut docs = operation.summary.clone();
    if let Some(text) = &operation.description {
        docs = format!("{docs}\n{text}");
    }
    let method = operation.method.to_ascii_uppercase();
    docs = format!("{docs}\n`{method} {}` · {}", operation.path, operation.source);
    let derive = if operation.body {
        "Clone, Debug, Serialize, Deserialize"
    } else {
        "Clone, Debug, Deserialize"
    };
    let fields: String = operation
        .fields
        .iter()
        .map(|field| {
            let mut attributes = Vec::new();
            if operation.body && field.place != Place::Body {
                attributes.push("skip_serializing".to_owned());
            } else if operation.body && field.optional {
                attributes.push("skip_serializing_if = \"Option::is_none\"".to_owned());
            }
            member(field, attributes)
        })
        .collect();
    format!(
        "{}#[derive({derive})]\n#[serde(deny_unknown_fields)]\npub struct {} {{\n{fields}}}\n",
        doc(0, &docs),
        operation.name
    )
}

/// The struct of a reply.
fn output(of: &Struct) -> String {
    let fields: String = of.fields.iter().map(|field| member(field, Vec::new())).collect();
    format!(
        "{}#[derive(Clone, Debug, Serialize, Deserialize)]\npub struct {} {{\n{fields}}}\n",
        doc(0, &of.doc),
        of.name
    )
}

/// One field of a struct.
fn member(field: &Field, mut attributes: Vec<String>) -> String {
    if let Some(decoder) = &field.decoder {
        attributes.push("default".to_owned());
        attributes.push(format!("deserialize_with = \"lenient::{decoder}\""));
    } else if field.kind == "Timestamp" && field.optional {
        attributes.push("default".to_owned());
        attributes.push("with = \"anyvpn_http::unix_time::option\"".to_owned());
    } else if field.kind == "Timestamp" {
        attributes.push("with = \"anyvpn_http::unix_time\"".to_owned());
    }
    let serde = match attributes.as_slice() {
        [] => String::new(),
        attributes => format!("    #[serde({})]\n", attributes.join(", ")),
    };
    let Field { name, kind, .. } = field;
    let doc = doc(4, &field.doc);
    if field.optional {
        format!("{doc}{serde}    pub {name}: Option<{kind}>,\n")
    } else {
        format!("{doc}{serde}    pub {name}: {kind},\n")
    }
}

/// The `impl Operation` of an operation.
fn implementation(provider: &str, operation: &Operation) -> String {
    let Operation { name, id, output, replay, .. } = operation;
    let (security, request) = (security(&operation.security), request(operation));
    let decode = match (&operation.decoder, output.as_str()) {
        (Some(decoder), _) => format!("lenient::{decoder}(self, reply)"),
        (None, "()") => "Dialect::decode::<IgnoredAny>(reply).map(drop)".to_owned(),
        (None, _) => "Dialect::decode(reply)".to_owned(),
    };
    format!(
        "impl Operation for {name} {{
    type Dialect = Dialect;
    type Output = {output};
    const ID: OperationId = OperationId::new({provider:?}, {id:?});
    const REPLAY: Replay = Replay::{replay};

    fn security(&self) -> Security {{
        {security}
    }}

    fn request(&self) -> Result<Request, Error> {{
        {request}
    }}

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {{
        {decode}
    }}
}}
"
    )
}

fn security(security: &Security) -> String {
    match security {
        Security::None => "Security::NONE".to_owned(),
        Security::Required(schemes) => format!("Security::required(&{schemes:?})"),
        Security::Optional(schemes) => format!("Security::optional(&{schemes:?})"),
        Security::RequiredWithout(schemes, field) => format!(
            "if self.{field}.is_some() {{ Security::NONE }} \
             else {{ Security::required(&{schemes:?}) }}"
        ),
    }
}

fn request(operation: &Operation) -> String {
    let mut call = format!("Request::{}({:?})", operation.method, operation.path);
    for field in &operation.fields {
        let name = &field.name;
        let by_value = is_copy(&field.kind);
        _ = match (field.place, field.optional) {
            (Place::Path, _) if by_value => write!(call, ".path({name:?}, self.{name})?"),
            (Place::Path, _) => write!(call, ".path({name:?}, &self.{name})?"),
            (Place::Query, true) if by_value => write!(call, ".query_opt({name:?}, self.{name})"),
            (Place::Query, true) => write!(call, ".query_opt({name:?}, self.{name}.as_ref())"),
            (Place::Query, false) if by_value => write!(call, ".query({name:?}, self.{name})"),
            (Place::Query, false) => write!(call, ".query({name:?}, &self.{name})"),
            (Place::Body | Place::Reply, _) => Ok(()),
        };
    }
    match (&operation.constant, call.strip_suffix('?')) {
        (Some((name, value)), _) => format!("{call}.json_with(self, {name:?}, {value})"),
        (None, _) if operation.body => format!("{call}.json(self)"),
        (None, Some(fallible)) => fallible.to_owned(),
        (None, None) => format!("Ok({call})"),
    }
}

fn is_copy(kind: &str) -> bool {
    ["bool", "u8", "u16", "u32", "u64", "IpAddr", "Ipv4Addr", "Ipv6Addr"].contains(&kind)
}

/// The table of all operations. It is a table: rustfmt would give each field five lines.
fn table(provider: &Provider) -> String {
    let mut out = "/// All operations, for callers that know them by name only.\n\
                   #[rustfmt::skip]\n\
                   pub static OPERATIONS: &[Entry] = &[\n"
        .to_owned();
    for operation in &provider.operations {
        let Operation { name, path, .. } = operation;
        let method = operation.method.to_ascii_uppercase();
        let summary = &operation.summary;
        _ = write!(
            out,
            "    Entry {{
        id: {name}::ID, replay: {name}::REPLAY, method: {method:?}, path: {path:?},
        summary: {summary:?},
        fields: &["
        );
        for field in &operation.fields {
            let (name, kind, required) = (&field.name, field_kind(&field.kind), !field.optional);
            let doc = first_sentence(&field.doc);
            _ = write!(
                out,
                "\n            \
                 Field {{ name: {name:?}, kind: {kind}, required: {required}, doc: {doc:?} }},"
            );
        }
        out += if operation.fields.is_empty() { "],\n    },\n" } else { "\n        ],\n    },\n" };
    }
    out + "];\n"
}

/// The `FieldKind` of a Rust type.
fn field_kind(kind: &str) -> &'static str {
    match kind {
        "Secret" => "FieldKind::Secret",
        "bool" => "FieldKind::Boolean",
        "u8" | "u16" | "u32" | "u64" | "i64" => "FieldKind::Integer",
        _ => "FieldKind::Text",
    }
}

/// The function that runs an operation by its name.
fn call_by_name(provider: &Provider) -> String {
    let mut arms = String::new();
    for Operation { id, name, .. } in &provider.operations {
        _ = writeln!(arms, "        {id:?} => run::<{name}>(client, input, reveal).await,");
    }
    format!(
        "/// Calls the operation `name` with `input`, a JSON object of its fields.
///
/// Secrets in what comes back are `\"[redacted]\"` unless `reveal` says otherwise.
///
/// # Errors
///
/// `InvalidRequest` for a name or an input that does not fit; else as [`Client::call`].
pub async fn call_by_name(
    client: &Client<Dialect>,
    name: &str,
    input: Value,
    reveal: bool,
) -> Result<Value, Error> {{
    match name {{
{arms}        _ => Err(by_name::unknown({:?}, name, OPERATIONS)),
    }}
}}
",
        provider.name
    )
}
