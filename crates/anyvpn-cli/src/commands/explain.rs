//! `anyvpn explain`

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, Meaning};
use crate::text::{Column, nearest, table};

/// The guide's page of each kind, below a line `# KIND`. A test writes it from `docs/errors`.
const PAGES: &str = include_str!("../errors.txt");

#[derive(Args)]
pub struct Explain {
    /// The kind, as the error names it; without it, all are listed
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
    match (all.iter().find(|it| it.kind == kind), page) {
        (Some(meaning), Some(page)) => {
            let page = page.trim_end();
            context.output.answer(&Explained { meaning, page }, || page.to_owned())
        }
        _ => Err(unknown(kind, &all)),
    }
}

fn unknown(kind: &str, all: &[Meaning]) -> Failure {
    let list = "anyvpn explain lists all";
    Failure::usage(format!("there is no kind of error {kind:?}")).hint(
        match nearest(kind, all.iter().map(|it| it.kind)) {
            Some(meant) => format!("did you mean {meant}? {list}"),
            None => list.to_owned(),
        },
    )
}

fn text(kinds: &[Meaning]) -> String {
    let row = |it: &Meaning| vec![it.kind.to_owned(), it.meaning.clone(), it.exit_code.to_string()];
    let columns =
        [Column::Whole("KIND"), Column::Text("WHAT IT MEANS"), Column::Number("EXIT CODE")];
    table(&columns, kinds.iter().map(row).collect())
}
