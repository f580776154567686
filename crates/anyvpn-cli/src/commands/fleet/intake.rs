//! `anyvpn fleet import`

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyvpn_fleet::{Format, Imported, Order, Placed, read_orders};
use serde::Serialize;

use super::Import;
use super::place::{failed, open_providers};
use crate::context::Context;
use crate::failure::Failure;
use crate::file::stdin;
use crate::text::{plain, reason};

/// The maximum number of mistakes that are shown.
const SHOWN: usize = 20;

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum FileFormat {
    Csv,
    Jsonl,
}

#[derive(Default, Serialize)]
struct Answer {
    new: usize,
    changed: usize,
    same: usize,
    dry_run: bool,
}

pub async fn import(context: &Context, args: Import) -> Result<(), Failure> {
    let orders = read(context, &args)?;
    let profiles: BTreeSet<_> = orders.iter().map(|(_, order)| order.profile.clone()).collect();
    let providers = open_providers(context, profiles, None).await?;
    let mut mistakes = Vec::new();
    for (line, order) in &orders {
        let customers = providers.get(&order.profile).and_then(|provider| provider.customers());
        if let Some(Err(error)) = customers.map(|customers| order.check_reachable(customers)) {
            let fields = error.fields().iter();
            let why: Vec<_> =
                fields.map(|(field, whys)| format!("{field}: {}", whys.join(", "))).collect();
            mistakes.push(format!("line {line}: order {}: {}", order.id, why.join("; ")));
        }
    }
    refuse(context, mistakes)?;
    let sealer = args.key.sealer(context, true)?;
    let (lines, orders): (Vec<_>, Vec<Order>) = orders.into_iter().unzip();
    let placed = orders.iter().map(|order| {
        let sealed = sealer.generate(order).map_err(|error| Failure::other(error.to_string()))?;
        Ok(Placed { order: order.clone(), sealed })
    });
    let placed = placed.collect::<Result<Vec<_>, Failure>>()?;
    let store = args.place.open().await?;
    let imported = store.import(placed, args.dry_run).await.map_err(failed)?;
    let mut answer = Answer { dry_run: args.dry_run, ..Answer::default() };
    let mut mistakes = Vec::new();
    for (line, imported) in lines.into_iter().zip(imported) {
        match imported {
            Imported::New => answer.new += 1,
            Imported::Changed => answer.changed += 1,
            Imported::Same => answer.same += 1,
            Imported::Refused(why) => mistakes.push(format!("line {line}: {why}")),
            _ => {}
        }
    }
    refuse(context, mistakes)?;
    context.output.answer(&answer, || {
        let Answer { new, changed, same, dry_run } = answer;
        let what = if dry_run { "Nothing was imported. It would be" } else { "Imported" };
        format!("{what}: {new} new, {changed} changed, {same} the same.")
    })
}

fn read(context: &Context, args: &Import) -> Result<Vec<(u64, Order)>, Failure> {
    let is_stdin = args.file == Path::new("-");
    let input: Box<dyn Read> = if is_stdin {
        Box::new(stdin().map_err(|error| unreadable(&args.file, &error))?)
    } else {
        Box::new(std::fs::File::open(&args.file).map_err(|error| unreadable(&args.file, &error))?)
    };
    let extension = args.file.extension().and_then(|extension| extension.to_str());
    let format = match (args.format, extension) {
        (Some(FileFormat::Csv), _) | (None, Some("csv")) => Format::Csv,
        (Some(FileFormat::Jsonl), _) | (None, Some("jsonl" | "ndjson")) => Format::JsonLines,
        _ => {
            return Err(Failure::usage("the name of the file does not say its form")
                .hint("give --format csv or --format jsonl"));
        }
    };
    let profile = context.fleet_profile()?;
    let read = read_orders(input, format, Some(&profile));
    read.or_else(|mistakes| {
        refuse(context, mistakes.iter().map(ToString::to_string).collect())?;
        Ok(Vec::new())
    })
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {}", file.display(), reason(error)))
}

/// Fails if there are mistakes, and lists each of them on a line.
fn refuse(context: &Context, mistakes: Vec<String>) -> Result<(), Failure> {
    let Some(first) = mistakes.first() else { return Ok(()) };
    let count = mistakes.len();
    if count > 1 {
        mistakes.iter().take(SHOWN).for_each(|mistake| context.output.explain(mistake));
    }
    let what = match count {
        1 => plain(first),
        _ => format!("{count} orders have mistakes"),
    };
    let detail = mistakes.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    Err(Failure::usage(what)
        .hint("nothing was imported; correct the file and import it again")
        .detail(detail))
}
