//! `anyvpn explain`: the causes of each kind of error, and what to do about it.

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, Meaning};
use crate::text::{Column, nearest, table};

/// The guide's page for each kind, below a line `# KIND`. A test generates the file from `docs/errors`.
const PAGES: &str = include_str!("../errors.txt");

#[derive(Args)]
pub struct Explain {
    /// The kind of error, such as rate-limited; omit it to list all kinds
    kind: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    kinds: Vec<Meaning>,
}

#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    meaning: &'a Meaning,
    page: &'static str,
}

pub fn run(context: &Context, args: &Explain) -> Result<(), Failure> {
    let all = Meaning::all();
    let Some(kind) = &args.kind else {
        let answer = Listed { kinds: all };
        return context.output.answer(&answer, || text(&answer.kinds));
    };
    let page = PAGES.split("# ").find_map(|page| page.strip_prefix(&**kind)?.strip_prefix('\n'));
    match (all.iter().find(|meaning| meaning.kind == kind), page) {
        (Some(meaning), Some(page)) => {
            let page = page.trim_end();
            context.output.answer(&Explained { meaning, page }, || page.to_owned())
        }
        _ => Err(unknown(kind, &all)),
    }
}

fn unknown(kind: &str, all: &[Meaning]) -> Failure {
    let list = "to list all: anyvpn explain";
    Failure::usage(format!("unknown kind of error {kind:?}")).hint(
        match nearest(kind, all.iter().map(|meaning| meaning.kind)) {
            Some(meant) => format!("did you mean {meant}? {list}"),
            None => list.to_owned(),
        },
    )
}

fn text(kinds: &[Meaning]) -> String {
    let row = |Meaning { kind, meaning, exit_code }: &Meaning| {
        vec![(*kind).to_owned(), meaning.clone(), exit_code.to_string()]
    };
    let columns = [Column::Whole("KIND"), Column::Text("MEANING"), Column::Number("EXIT CODE")];
    table(&columns, kinds.iter().map(row).collect())
}
