//! Generates `ops.rs`, which rustfmt formats afterwards.

use std::fmt::Write as _;

use super::model::{Body, Codec, Field, Operation, Place, Provider, Security, Struct};
use super::text::{camel_case, doc, first_sentence};

/// Returns the text of `ops.rs`, not formatted yet. `command` is the command that regenerates it.
pub fn ops(provider: &Provider, command: &str) -> String {
    let mut items = vec![strings(provider)];
    for operation in &provider.operations {
        items.push(input(operation));
        items.push(implementation(&provider.name, operation));
        items.extend(operation.types.iter().map(output));
    }
    let items: Vec<String> = items.into_iter().filter(|item| !item.is_empty()).collect();
    let items = items.join("\n");
    format!(
        "//! {}'s operations and their types. Written by `{command}` from `openapi.yaml`.\n\n\
         {}\n{items}\n{}\n{}",
        provider.title,
        imports(provider, &items),
        table(provider),
        call_by_name(provider),
    )
}

/// Returns the `use` declarations for the names in `items` and in the functions after them.
fn imports(provider: &Provider, items: &str) -> String {
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
    let mut hand_written: Vec<_> =
        provider.hand_written.iter().map(|(name, _)| name.as_str()).collect();
    hand_written.sort_unstable();
    let mut core = vec!["Error"];
    core.extend(used(&["Date", "OperationId", "PublicKey", "Secret", "Timestamp"]));
    let mut http = vec!["Client"];
    http.extend(used(&["CompactText"]));
    http.extend(items.contains("Dialect::decode").then_some("Dialect as _"));
    if provider.operations.iter().any(|operation| !operation.fields.is_empty()) {
        http.extend(["FieldInfo", "FieldKind"]);
    }
    http.extend(used(&["LenientList"]));
    http.extend(["Operation", "OperationInfo", "Replay", "Reply", "Request", "Security"]);
    [
        list("std::net", used(&["IpAddr", "Ipv4Addr", "Ipv6Addr"])),
        "\n".to_owned(),
        list("anyvpn_core", core),
        "use anyvpn_http::by_name::{self, run};\n".to_owned(),
        list("anyvpn_http", http),
        list("serde::de", used(&["IgnoredAny"])),
        list("serde", used(&["Deserialize", "Serialize"])),
        "use serde_json::Value;\n\nuse crate::dialect::Dialect;\n".to_owned(),
        list("crate", used(&["lenient"])),
        list("crate::types", hand_written),
    ]
    .concat()
}

/// Returns the string types and open enumerations. rustfmt does not format a macro's braces, so this
/// text is final.
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
            let variant = variant(word);
            _ = writeln!(out, "{}        {variant} = {word:?},", doc(8, meaning));
        }
        out += "    }\n}\n";
    }
    out
}

fn variant(word: &str) -> String {
    match camel_case(&word.to_ascii_lowercase()) {
        name if name == "N" && word.is_empty() => "Empty".to_owned(),
        // The name for an unknown value.
        name if name == "Other" => "OtherWord".to_owned(),
        name => name,
    }
}

/// Returns the struct of an operation.
fn input(operation: &Operation) -> String {
    let mut docs = operation.summary.clone();
    if let Some(text) = &operation.description {
        docs = format!("{docs}\n{text}");
    }
    let method = operation.method.to_ascii_uppercase();
    docs = format!("{docs}\n`{method} {}`", operation.path);
    if !operation.source.is_empty() {
        _ = write!(docs, " · {}", operation.source);
    }
    let has_body = operation.body.is_some();
    let derive =
        if has_body { "Clone, Debug, Serialize, Deserialize" } else { "Clone, Debug, Deserialize" };
    let fields: String = operation
        .fields
        .iter()
        .map(|field| {
            let attribute = match field.place {
                // Null has a meaning here, so an absent value must not become null.
                Place::Body if field.is_option() && field.required => {
                    "deserialize_with = \"Option::deserialize\""
                }
                Place::Body if field.is_option() => "skip_serializing_if = \"Option::is_none\"",
                Place::Path | Place::Query if has_body => "skip_serializing",
                _ => "",
            };
            member(field, attribute)
        })
        .collect();
    format!(
        "{}#[derive({derive})]\n#[serde(deny_unknown_fields)]\npub struct {} {{\n{fields}}}\n",
        doc(0, &docs),
        operation.name
    )
}

/// Returns the struct of a reply.
fn output(of: &Struct) -> String {
    let fields: String = of.fields.iter().map(|field| member(field, "")).collect();
    format!(
        "{}#[derive(Clone, Debug, Serialize, Deserialize)]\npub struct {} {{\n{fields}}}\n",
        doc(0, &of.doc),
        of.name
    )
}

/// Returns a field of a struct. `skip` says when it is not serialized.
fn member(field: &Field, skip: &str) -> String {
    let Field { name, wire, kind, .. } = field;
    let rename = if name == wire { String::new() } else { format!("rename = {wire:?}") };
    // An absent list is empty.
    let default = field.optional || kind.starts_with("Vec<");
    let codec = match &field.codec {
        Codec::Lenient(decoder) if default => {
            format!("default, deserialize_with = \"lenient::{decoder}\"")
        }
        Codec::Lenient(decoder) => format!("deserialize_with = \"lenient::{decoder}\""),
        Codec::UnixTime if field.optional => {
            "default, with = \"anyvpn_http::unix_time::option\"".to_owned()
        }
        Codec::UnixTime => "with = \"anyvpn_http::unix_time\"".to_owned(),
        Codec::Flag if field.place == Place::Body => {
            "default, skip_serializing_if = \"anyvpn_http::flag::is_off\", \
             serialize_with = \"anyvpn_http::flag::serialize\""
                .to_owned()
        }
        Codec::Flag | Codec::Plain => String::new(),
    };
    let mut attributes = vec![rename.as_str(), skip, codec.as_str()];
    attributes.retain(|attribute| !attribute.is_empty());
    let serde = match attributes.as_slice() {
        [] => String::new(),
        attributes => format!("    #[serde({})]\n", attributes.join(", ")),
    };
    let doc = doc(4, &field.doc);
    if field.is_option() {
        format!("{doc}{serde}    pub {name}: Option<{kind}>,\n")
    } else {
        format!("{doc}{serde}    pub {name}: {kind},\n")
    }
}

/// Returns the `impl Operation` of an operation.
fn implementation(provider: &str, operation: &Operation) -> String {
    let Operation { name, id, output, replay, .. } = operation;
    let (security, request) = (security(&operation.security), request(operation));
    let server = operation.server.as_ref().map_or_else(String::new, |server| {
        format!("    const SERVER: Option<&'static str> = Some({server:?});\n")
    });
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
{server}
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
        let Field { name, wire, .. } = field;
        let by_value = is_copy(&field.kind);
        let flag = field.codec == Codec::Flag;
        let secret = field.kind == "Secret";
        _ = match (field.place, field.optional) {
            (Place::Query, false) if secret => {
                write!(call, ".query_secret({wire:?}, &self.{name})")
            }
            (Place::Path, _) if by_value => write!(call, ".path({wire:?}, self.{name})?"),
            (Place::Path, _) => write!(call, ".path({wire:?}, &self.{name})?"),
            (Place::Query, true) if flag => {
                write!(call, ".query_opt({wire:?}, self.{name}.map(u8::from))")
            }
            (Place::Query, false) if flag => {
                write!(call, ".query({wire:?}, u8::from(self.{name}))")
            }
            (Place::Query, true) if by_value => write!(call, ".query_opt({wire:?}, self.{name})"),
            (Place::Query, true) => write!(call, ".query_opt({wire:?}, self.{name}.as_ref())"),
            (Place::Query, false) if by_value => write!(call, ".query({wire:?}, self.{name})"),
            (Place::Query, false) => write!(call, ".query({wire:?}, &self.{name})"),
            (Place::Body | Place::Reply, _) => Ok(()),
        };
    }
    match (operation.body, &operation.constant, call.strip_suffix('?')) {
        (Some(Body::Form), ..) => format!("{call}.form(self)"),
        (Some(Body::Json), Some((name, value)), _) => {
            format!("{call}.json_with(self, {name:?}, {value})")
        }
        (Some(Body::Json), None, _) => format!("{call}.json(self)"),
        (None, _, Some(fallible)) => fallible.to_owned(),
        (None, _, None) => format!("Ok({call})"),
    }
}

fn is_copy(kind: &str) -> bool {
    const COPY: [&str; 12] = [
        "bool",
        "u8",
        "u16",
        "u32",
        "u64",
        "i32",
        "i64",
        "f64",
        "IpAddr",
        "Ipv4Addr",
        "Ipv6Addr",
        "PublicKey",
    ];
    COPY.contains(&kind)
}

/// Returns the table of all operations, which rustfmt skips because it would use five lines for each
/// field.
fn table(provider: &Provider) -> String {
    let mut out = "/// All operations, for callers that know them by name only.\n\
                   #[rustfmt::skip]\n\
                   pub static OPERATIONS: &[OperationInfo] = &[\n"
        .to_owned();
    for operation in &provider.operations {
        let Operation { name, path, .. } = operation;
        let method = operation.method.to_ascii_uppercase();
        let summary = &operation.summary;
        _ = write!(
            out,
            "    OperationInfo {{
        id: {name}::ID, replay: {name}::REPLAY, method: {method:?}, path: {path:?},
        summary: {summary:?},
        fields: &["
        );
        for field in &operation.fields {
            let (name, kind, required) =
                (&field.wire, field_kind(provider, &field.kind), field.required);
            let doc = first_sentence(&field.doc);
            _ = write!(
                out,
                "\n            \
                 FieldInfo {{ name: {name:?}, kind: {kind}, required: {required}, doc: {doc:?} }},"
            );
        }
        let end = if operation.fields.is_empty() { "" } else { "\n        " };
        let has_secret = has_secret(provider, &operation.output);
        _ = writeln!(out, "{end}],\n        reply_has_secret: {has_secret},\n    }},");
    }
    out + "];\n"
}

/// Returns whether values of a Rust type can contain a secret.
fn has_secret(provider: &Provider, kind: &str) -> bool {
    let types: Vec<&Struct> = provider.operations.iter().flat_map(|it| &it.types).collect();
    // Visit each type once, because a type may contain lists of itself.
    let (mut seen, mut left) = (Vec::new(), vec![kind]);
    while let Some(kind) = left.pop() {
        for name in kind.split(|c: char| !c.is_alphanumeric()) {
            if name == "Secret" {
                return true;
            }
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let fields = types.iter().filter(|it| it.name == name).flat_map(|it| &it.fields);
            left.extend(fields.map(|field| &*field.kind));
            let checked = provider.hand_written.iter().filter(|(written, _)| written == name);
            left.extend(checked.map(|(_, kind)| &**kind));
        }
    }
    false
}

/// Returns the `FieldKind` of a Rust type.
fn field_kind(provider: &Provider, kind: &str) -> &'static str {
    let checked = provider.hand_written.iter().find(|(name, _)| name == kind);
    let mut structs = provider.operations.iter().flat_map(|operation| &operation.types);
    if kind == "f64" || kind.starts_with("Vec<") || structs.any(|it| it.name == kind) {
        return "FieldKind::Json";
    }
    match checked.map_or(kind, |(_, checked)| checked) {
        "Secret" => "FieldKind::Secret",
        "bool" => "FieldKind::Boolean",
        "u8" | "u16" | "u32" | "u64" | "i32" | "i64" => "FieldKind::Integer",
        _ => "FieldKind::Text",
    }
}

/// Returns the function that runs an operation by name.
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
