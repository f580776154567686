//! `anyvpn call`

use std::path::{Path, PathBuf};

use anyvpn::{AnyClient, Error, FieldInfo, FieldKind, OperationInfo, ProviderName};
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::wait;
use crate::args::provider_name;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::check_private;
use crate::secrets::{read, read_input, read_open};
use crate::text::{Column, nearest, table};

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn call azire                                     List the operations
  anyvpn call azire check-port port=55555
  anyvpn call azire update-token id=jbj2Ka81 comment=laptop
  anyvpn call azire update-password new_password=@FILE  A secret, from a file")]
pub struct Call {
    // Not named `provider`, as the option is.
    /// The provider
    #[arg(value_name = "PROVIDER", value_parser = provider_name())]
    callee: ProviderName,
    /// The operation; without it, all are listed
    operation: Option<String>,
    /// A field of the input: key=value, key=@FILE, or key=- for stdin. Secrets only by the latter
    /// two, or --input
    #[arg(value_name = "KEY=VALUE")]
    fields: Vec<String>,
    /// Read a JSON object of fields from FILE, or from stdin when it is `-`
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Print secrets of the reply instead of "[redacted]"
    #[arg(long)]
    reveal: bool,
}

pub fn run(context: &Context, args: Call) -> Result<(), Failure> {
    let provider = args.callee;
    let Some(name) = &args.operation else {
        return list(context, provider);
    };
    let operations = provider.operations();
    let Some(entry) = operations.iter().find(|entry| entry.id.name() == name) else {
        return Err(unknown(provider, name));
    };
    let input = input(entry, &args)?;
    let reply = wait(context.output, async {
        let profile = context.profile(provider).await?;
        Ok(AnyClient::open(&profile)?.call(name, input, args.reveal).await?)
    });
    let explain = |failure: Failure| context.explain(provider, failure);
    context.output.document(&reply.map_err(explain)?)
}

fn unknown(provider: ProviderName, name: &str) -> Failure {
    let names = provider.operations().iter().map(|entry| entry.id.name());
    let all = format!("anyvpn call {provider} lists them all");
    Failure::usage(format!("{} has no operation {name:?}", provider.title()))
        .hint(match nearest(name, names) {
            Some(meant) => format!("is {meant} meant? {all}"),
            None => all,
        })
        .of(provider)
}

/// The JSON object that the arguments describe.
pub fn input(entry: &OperationInfo, args: &Call) -> Result<Value, Failure> {
    let wrong = |field: &str, why: &str| {
        Failure::from(Error::invalid(field, why).with_operation(entry.id)).hint(usage(entry))
    };
    let mut input = match &args.input {
        Some(file) => match serde_json::from_str(&read_input(file)?) {
            Ok(Value::Object(input)) => input,
            // The parser's message would quote what could be a password.
            _ => return Err(wrong("--input", "is no JSON object")),
        },
        None => Map::new(),
    };
    let is_secret = |field: &&FieldInfo| field.kind == FieldKind::Secret;
    if let Some(file) = &args.input
        && entry.fields.iter().filter(is_secret).any(|field| input.contains_key(field.name))
    {
        check_private(file)?;
    }
    let mut stdin_is_used = args.input.as_deref() == Some(Path::new("-"));
    for argument in &args.fields {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(Failure::usage(format!("{argument:?} is not KEY=VALUE")).hint(usage(entry)));
        };
        let Some(field) = entry.fields.iter().find(|field| field.name == key) else {
            return Err(wrong(key, "is no field of this operation"));
        };
        if value == "-" && std::mem::replace(&mut stdin_is_used, true) {
            return Err(wrong(key, "cannot be read from stdin, which is read already"));
        }
        let value = match value.strip_prefix('@') {
            Some(file) if is_secret(&field) => read(Path::new(file))?.expose().to_owned(),
            Some(file) => read_open(Path::new(file))?.expose().to_owned(),
            None if value == "-" => read(Path::new("-"))?.expose().to_owned(),
            None if is_secret(&field) => {
                return Err(wrong(key, "is a secret, which others could read among the arguments")
                    .hint(format!("use {key}=@FILE, {key}=- for stdin, or --input FILE")));
            }
            None => value.to_owned(),
        };
        let value = convert(field.kind, value).map_err(|why| wrong(key, why))?;
        if input.insert(key.to_owned(), value).is_some() {
            return Err(wrong(key, "is given twice"));
        }
    }
    let missing = |field: &&FieldInfo| field.required && !input.contains_key(field.name);
    match entry.fields.iter().find(missing) {
        Some(field) => Err(wrong(field.name, "is missing")),
        None => Ok(Value::Object(input)),
    }
}

fn convert(kind: FieldKind, value: String) -> Result<Value, &'static str> {
    match kind {
        FieldKind::Text | FieldKind::Secret => Ok(Value::String(value)),
        FieldKind::Integer => {
            value.parse::<i64>().map(Value::from).map_err(|_| "must be a whole number")
        }
        FieldKind::Boolean => {
            value.parse::<bool>().map(Value::from).map_err(|_| "must be true or false")
        }
        FieldKind::Json => serde_json::from_str(&value).map_err(|_| "must be JSON"),
    }
}

/// The operation's fields, as they are typed.
fn usage(entry: &OperationInfo) -> String {
    if entry.fields.is_empty() {
        return format!("{} takes no fields", entry.id.name());
    }
    let fields: Vec<_> = entry.fields.iter().map(shown).collect();
    format!("{} takes {}", entry.id.name(), fields.join(" "))
}

fn shown(field: &FieldInfo) -> String {
    let value = match field.kind {
        FieldKind::Text => "TEXT",
        FieldKind::Secret => "@FILE",
        FieldKind::Integer => "NUMBER",
        FieldKind::Boolean => "true|false",
        FieldKind::Json => "JSON",
    };
    if field.required {
        format!("{}={value}", field.name)
    } else {
        format!("[{}={value}]", field.name)
    }
}

#[derive(Serialize)]
struct Operations {
    provider: &'static str,
    operations: Vec<OperationAnswer>,
}

#[derive(Serialize)]
struct OperationAnswer {
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    fields: Vec<FieldAnswer>,
}

#[derive(Serialize)]
struct FieldAnswer {
    name: &'static str,
    /// `text`, `secret`, `integer` or `boolean`.
    kind: &'static str,
    required: bool,
    doc: &'static str,
}

fn list(context: &Context, provider: ProviderName) -> Result<(), Failure> {
    let field = |field: &FieldInfo| FieldAnswer {
        name: field.name,
        kind: match field.kind {
            FieldKind::Text => "text",
            FieldKind::Secret => "secret",
            FieldKind::Integer => "integer",
            FieldKind::Boolean => "boolean",
            FieldKind::Json => "json",
        },
        required: field.required,
        doc: field.doc,
    };
    let operations = provider.operations();
    let operation = |entry: &OperationInfo| OperationAnswer {
        operation: entry.id.name(),
        method: entry.method,
        path: entry.path,
        summary: entry.summary,
        fields: entry.fields.iter().map(field).collect(),
    };
    let answer = Operations {
        provider: provider.as_str(),
        operations: operations.iter().map(operation).collect(),
    };
    context.output.answer(&answer, || {
        let row = |entry: &OperationInfo| {
            let fields: Vec<_> = entry.fields.iter().map(shown).collect();
            vec![entry.id.name().to_owned(), format!("{}\n{}", entry.summary, fields.join(" "))]
        };
        let columns = ["OPERATION", "WHAT IT DOES, AND ITS FIELDS"].map(Column::Text);
        table(&columns, operations.iter().map(row).collect())
    })
}
