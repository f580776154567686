//! `anyvpn fleet import`

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyvpn_fleet::{Format, Imported, Mistake, OrderFile, Placed, Sealer, read_orders};
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
    let OrderFile { orders, mut mistakes, ignored, .. } = read(context, &args)?;
    let profiles: BTreeSet<_> = orders.iter().map(|(_, order)| order.profile.clone()).collect();
    let providers = open_providers(context, profiles, None).await?;
    let mut reachable = Vec::new();
    for (line, order) in orders {
        let customers = providers.get(&order.profile).and_then(|provider| provider.customers());
        match customers.map_or(Ok(()), |customers| order.check_reachable(customers)) {
            Ok(()) => reachable.push((line, order)),
            Err(error) => mistakes.push(Mistake::of_error(line, &order, &error)),
        }
    }
    // A trial with a temporary key finds the other mistakes, and leaves nothing behind.
    let is_trial = args.dry_run || !mistakes.is_empty();
    let sealer = match is_trial {
        true => temporary_sealer()?,
        false => args.key.sealer(context, true)?,
    };
    let store = if is_trial { args.place.look(context).await? } else { args.place.open().await? };
    let placed = reachable.iter().map(|(_, order)| {
        let sealed = sealer.generate(order).map_err(|error| Failure::other(error.to_string()))?;
        Ok(Placed { order: order.clone(), sealed })
    });
    let placed = placed.collect::<Result<Vec<_>, Failure>>()?;
    let imported = store.import(placed, is_trial).await.map_err(failed)?;
    let mut answer = Answer { dry_run: args.dry_run, ..Answer::default() };
    for ((line, order), imported) in reachable.iter().zip(imported) {
        match imported {
            Imported::New => answer.new += 1,
            Imported::Changed => answer.changed += 1,
            Imported::Same => answer.same += 1,
            Imported::Refused(why) => mistakes.push(Mistake::of(*line, order, &why)),
            _ => {}
        }
    }
    refuse(context, mistakes)?;
    if !ignored.is_empty() {
        context.output.note(&format!(
            "Not imported: {}. A new order gets a new password.",
            ignored.join(", ")
        ));
    }
    context.output.answer(&answer, || {
        let Answer { new, changed, same, dry_run } = answer;
        let what = if dry_run { "Nothing was imported. It would be" } else { "Imported" };
        format!("{what}: {new} new, {changed} changed, {same} the same.")
    })
}

fn temporary_sealer() -> Result<Sealer, Failure> {
    let sealer = Sealer::generate_key().and_then(|key| Sealer::new(&key));
    sealer.map_err(|error| Failure::other(error.to_string()))
}

fn read(context: &Context, args: &Import) -> Result<OrderFile, Failure> {
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
    Ok(read_orders(input, format, Some(&profile)))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {}", file.display(), reason(error)))
}

/// Fails if there are mistakes. Prints the first ones, one per line.
fn refuse(context: &Context, mut mistakes: Vec<Mistake>) -> Result<(), Failure> {
    mistakes.sort_by_key(|mistake| mistake.line);
    let count = mistakes.len();
    let shown: Vec<_> = mistakes.iter().take(SHOWN).map(ToString::to_string).collect();
    let what = match &shown[..] {
        [] => return Ok(()),
        [only] => plain(only),
        _ => {
            shown.iter().for_each(|mistake| context.output.explain(mistake));
            match count - shown.len() {
                0 => format!("{count} orders have mistakes"),
                hidden => format!("{count} orders have mistakes; {hidden} are not shown"),
            }
        }
    };
    Err(Failure::usage(what)
        .hint("nothing was imported; correct the file and import it again")
        .detail(shown.join("\n")))
}
