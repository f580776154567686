//! `anyvpn call`: calls any operation of a provider.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use anyvpn::{Error, FieldInfo, FieldKind, OperationInfo, ProviderInfo, Registry, Replay};
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::advice::verify_call;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::check_private;
use crate::hidden;
use crate::output::only_copy;
use crate::secrets::{is_interactive, read, read_input, read_open};
use crate::style::{Style, is_colored, render};
use crate::text::{Column, Value as Shown, command_line, listing, nearest, plain, table};
use crate::work::wait;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn call azire                                     List the operations
  anyvpn call azire hide-port-forward --help            Show the fields of one
  anyvpn call azire check-port port=55555
  anyvpn call azire update-email email=david@mail.example
  anyvpn call azire update-password new_password=@FILE  Read a file")]
pub struct Call {
    // The name `provider` belongs to the option. The index is explicit because the possible values are
    // added later, which would move the argument to the end.
    /// The provider
    #[arg(value_name = "PROVIDER", index = 1)]
    callee: String,
    /// The operation; omit it to list all operations
    #[arg(index = 2)]
    operation: Option<String>,
    /// A field of the request: key=value, key=@FILE to read a file, or key=- to read stdin. Secrets are
    /// accepted only from a file, stdin or --input
    #[arg(value_name = "KEY=VALUE", index = 3)]
    fields: Vec<String>,
    /// Read the fields from FILE, a JSON object (- for stdin)
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Print secrets in the reply instead of "[redacted]"
    #[arg(long)]
    reveal: bool,
}

impl Call {
    /// Returns the command that shows what this one has changed.
    pub fn verify_command(&self, context: &Context) -> String {
        match (context.registry.info(&self.callee), &self.operation) {
            (Ok(info), Some(operation)) => verify_call(info, operation),
            _ => command_line(&["call", &self.callee], &[]),
        }
    }
}

pub fn run(context: &Context, args: Call) -> Result<(), Failure> {
    let info = context.info(&args.callee)?;
    let Some(name) = &args.operation else {
        return list(context, info);
    };
    let Some(operation) = info.operation(name) else {
        return Err(unknown(info, name));
    };
    let is_shown = args.reveal || operation.replay == Replay::Safe;
    if operation.reply_has_secret && !is_shown {
        let why = format!("the reply of {} has a secret that would never be shown", operation.id);
        return Err(Failure::usage(why).hint("add --reveal; nothing was changed").of(info));
    }
    let input = input(operation, &args)?;
    let reply = wait(context, async {
        Ok(context.open(info).await?.call_json(name, input, args.reveal).await?)
    });
    let reply = reply.map_err(|failure| context.with_situation(info, failure))?;
    let answer = || context.output.answer(&reply, || text(&reply));
    if !args.reveal || operation.replay == Replay::Safe {
        return answer();
    }
    // The reply can be the only copy: a provider shows a new token only once, for example.
    only_copy(answer, |failure| {
        let what = format!("{} succeeded, but its reply is lost", operation.id);
        failure.leaving(&what, format!("check what it created: {}", context.verify))
    })
}

/// Returns the help of an operation, or `None` if the arguments do not name one.
pub fn help(registry: &Registry, arguments: &[OsString]) -> Option<String> {
    let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let mut words =
        words.skip_while(|word| *word != "call").skip(1).filter(|word| !word.starts_with('-'));
    let info = registry.info(words.next()?).ok()?;
    let operation = info.operation(words.next()?)?;
    let title = |text| Style::Title.apply(text);
    let (usage, fields) = (title("Usage:"), title("Fields:"));
    let mut lines = vec![
        plain(operation.summary),
        String::new(),
        format!(
            "{usage} {} [KEY=VALUE]...",
            command_line(&["call", info.name, operation.id.name()], &[])
        ),
        String::new(),
    ];
    if operation.fields.is_empty() {
        lines.push("This operation has no fields.".to_owned());
    } else {
        lines.push(fields);
        let width =
            operation.fields.iter().map(|field| typed(field).len()).max().unwrap_or_default();
        lines.extend(operation.fields.iter().map(|field| {
            let needed = if field.required { " (required)" } else { "" };
            format!("  {:width$}  {}{needed}", typed(field), plain(field.doc))
        }));
    }
    let call = match operation.replay {
        Replay::Safe => "Read-only.",
        Replay::Idempotent => "Makes a change; repeating the call has no further effect.",
        Replay::Once => "Makes a change; repeating the call makes it again.",
    };
    lines.extend([String::new(), format!("{call} {} {}", operation.method, operation.path)]);
    Some(render(&lines.join("\n"), is_colored(&io::stdout())) + "\n")
}

/// The maximum number of columns of a table. Objects with more fields are printed one field a line.
const COLUMNS: usize = 6;

/// Writes a reply for people: an object as a listing, and short objects as a table.
fn text(reply: &Value) -> String {
    match reply {
        Value::Null => "Done.".to_owned(),
        Value::Object(fields) => match fields.iter().next() {
            None => "Done.".to_owned(),
            // An envelope around the value itself.
            Some((_, inner @ (Value::Array(_) | Value::Object(_)))) if fields.len() == 1 => {
                text(inner)
            }
            _ => {
                let pairs = fields.iter().map(|(key, value)| (&**key, Shown::from(cell(value))));
                listing(pairs.collect())
            }
        },
        Value::Array(rows) if rows.is_empty() => "The list is empty.".to_owned(),
        Value::Array(rows) => match rows_text(rows) {
            Some(table) => table,
            None if rows.iter().all(Value::is_object) => {
                rows.iter().map(text).collect::<Vec<_>>().join("\n\n")
            }
            None => cell(reply),
        },
        single => cell(single),
    }
}

/// Writes objects as a table. Returns `None` if they are nested or have too many fields.
fn rows_text(rows: &[Value]) -> Option<String> {
    let rows: Vec<_> = rows.iter().map(Value::as_object).collect::<Option<_>>()?;
    let mut keys: Vec<&str> = Vec::new();
    for (key, value) in rows.iter().flat_map(|row| row.iter()) {
        if value.is_object()
            || value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
        {
            return None;
        }
        if !keys.contains(&&**key) {
            keys.push(key);
            if keys.len() > COLUMNS {
                return None;
            }
        }
    }
    let titles: Vec<String> = keys.iter().map(|key| key.to_uppercase()).collect();
    let columns: Vec<Column> = titles.iter().map(|title| Column::Text(title)).collect();
    let cells = rows
        .iter()
        .map(|row| keys.iter().map(|key| row.get(*key).map(cell).unwrap_or_default()).collect());
    Some(table(&columns, cells.collect()))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let between = if items.iter().any(Value::is_object) { "\n" } else { ", " };
            items.iter().map(cell).collect::<Vec<_>>().join(between)
        }
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| format!("{key}: {}", cell(value));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
    }
}

fn unknown(info: &'static ProviderInfo, name: &str) -> Failure {
    let names = info.operations.iter().map(|operation| operation.id.name());
    let all = format!("to list all: {}", command_line(&["call", info.name], &[]));
    Failure::usage(format!("{} has no operation {name:?}", info.title))
        .hint(match nearest(name, names) {
            Some(meant) => format!("did you mean {meant}? {all}"),
            None => all,
        })
        .of(info)
}

/// Builds the JSON object that the arguments describe.
pub fn input(operation: &OperationInfo, args: &Call) -> Result<Value, Failure> {
    let wrong = |field: &str, why: &str| {
        Failure::from(Error::invalid(field, why).with_operation(operation.id))
            .hint(usage(operation))
    };
    let mut input = match &args.input {
        Some(file) => match serde_json::from_str(&read_input(file)?) {
            Ok(Value::Object(input)) => input,
            // We omit the parser's message, because it could quote a password.
            _ => return Err(wrong("--input", "is not a JSON object")),
        },
        None => Map::new(),
    };
    let is_secret = |field: &&FieldInfo| field.kind == FieldKind::Secret;
    if let Some(file) = &args.input
        && operation.fields.iter().filter(is_secret).any(|field| input.contains_key(field.name))
    {
        check_private(file)?;
    }
    let mut stdin_is_used = args.input.as_deref() == Some(Path::new("-"));
    for (argument, number) in args.fields.iter().zip(1..) {
        // We do not repeat an argument that names no field. It may be a secret, for example in base64,
        // which can end with `=`.
        let Some((key, value)) = argument.split_once('=') else {
            return Err(Failure::usage(format!("argument {number} is not of the form KEY=VALUE"))
                .hint(usage(operation)));
        };
        let Some(field) = operation.fields.iter().find(|field| field.name == key) else {
            return Err(match nearest(key, operation.fields.iter().map(|field| field.name)) {
                Some(meant) => wrong(key, &format!("unknown field; did you mean {meant}?")),
                None => wrong(&format!("argument {number}"), "unknown field"),
            });
        };
        if value == "-" && std::mem::replace(&mut stdin_is_used, true) {
            return Err(wrong(key, "stdin can be read only once"));
        }
        let value = match value.strip_prefix('@') {
            Some(file) if is_secret(&field) => read(Path::new(file))?.expose().to_owned(),
            Some(file) => read_open(Path::new(file))?.expose().to_owned(),
            None if value == "-" => read(Path::new("-"))?.expose().to_owned(),
            None if is_secret(&field) => {
                return Err(wrong(key, "is a secret, and other users can read arguments")
                    .hint(format!("use {key}=@FILE, {key}=- for stdin, or --input FILE")));
            }
            None => value.to_owned(),
        };
        let value = convert(field.kind, value).map_err(|why| wrong(key, why))?;
        if input.insert(key.to_owned(), value).is_some() {
            return Err(wrong(key, "is given twice"));
        }
    }
    // On a terminal, ask for secrets that are missing.
    for field in operation.fields.iter().filter(is_secret).filter(|field| field.required) {
        if !input.contains_key(field.name) && is_interactive() && !stdin_is_used {
            let secret = hidden::ask(&format!("{}:", field.name))?;
            input.insert(field.name.to_owned(), Value::from(secret.expose()));
        }
    }
    let missing = |field: &&FieldInfo| field.required && !input.contains_key(field.name);
    match operation.fields.iter().find(missing) {
        Some(field) => Err(wrong(field.name, "is required")),
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

/// Lists the operation's fields in the form in which they are typed.
fn usage(operation: &OperationInfo) -> String {
    if operation.fields.is_empty() {
        return format!("{} has no fields", operation.id.name());
    }
    let fields: Vec<_> = operation.fields.iter().map(shown).collect();
    format!("the fields of {} are {}", operation.id.name(), fields.join(" "))
}

fn shown(field: &FieldInfo) -> String {
    let typed = typed(field);
    if field.required { typed } else { format!("[{typed}]") }
}

/// Returns the field as a person types it, such as `comment=TEXT`.
fn typed(field: &FieldInfo) -> String {
    let value = match field.kind {
        FieldKind::Text => "TEXT",
        FieldKind::Secret => "@FILE",
        FieldKind::Integer => "NUMBER",
        FieldKind::Boolean => "true|false",
        FieldKind::Json => "JSON",
    };
    format!("{}={value}", field.name)
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
    fields: &'static [FieldInfo],
}

fn list(context: &Context, info: &'static ProviderInfo) -> Result<(), Failure> {
    let operations = info.operations;
    let operation = |entry: &OperationInfo| OperationAnswer {
        operation: entry.id.name(),
        method: entry.method,
        path: entry.path,
        summary: entry.summary,
        fields: entry.fields,
    };
    let answer =
        Operations { provider: info.name, operations: operations.iter().map(operation).collect() };
    context.output.answer(&answer, || {
        let row = |entry: &OperationInfo| {
            let fields: Vec<_> = entry.fields.iter().map(shown).collect();
            vec![entry.id.name().to_owned(), format!("{}\n{}", entry.summary, fields.join(" "))]
        };
        let columns = ["OPERATION", "DESCRIPTION AND FIELDS"].map(Column::Text);
        table(&columns, operations.iter().map(row).collect())
    })
}
