//! `anyvpn man`: manual pages.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man as Page;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::{ShownPath, plain, reason};

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn man | man -l -
  anyvpn man --output-dir ~/.local/share/man/man1   Then: man anyvpn-port")]
pub struct Man {
    /// Write a page for every command to FOLDER, and replace existing pages
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    pages: Vec<ShownPath>,
}

pub fn run(context: &Context, command: Command, args: &Man) -> Result<(), Failure> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.output_dir else {
        return context.output.lines(page(&command)?.trim_end());
    };
    let failed = |path: &PathBuf, error: &std::io::Error| {
        let why = if folder.is_file() { "it is not a folder".to_owned() } else { reason(error) };
        Failure::other(format!("cannot write {}: {why}", path.display()))
            .hint("choose a folder that you can write to with --output-dir")
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut answer = Answer { pages: Vec::new() };
    let mut left = vec![&command];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|command| !command.is_hide_set()));
        let path = folder.join(Page::new(command.clone()).get_filename());
        fs::write(&path, page(command)?).map_err(|error| failed(&path, &error))?;
        answer.pages.push(path.into());
    }
    answer.pages.sort();
    context.output.answer(&answer, || {
        let folder = plain(&folder.display().to_string());
        format!("Wrote {} manual pages to\n{folder}", answer.pages.len())
    })
}

fn page(command: &Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    Page::new(command.clone())
        .render(&mut page)
        .map_err(|error| Failure::other(format!("cannot create the page: {}", reason(&error))))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
