//! `anyvpn completions`

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory as _, ValueEnum as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn completions bash > ~/.local/share/bash-completion/completions/anyvpn
  anyvpn completions zsh > ~/.zfunc/_anyvpn    A folder of zsh's fpath
  anyvpn completions fish > ~/.config/fish/completions/anyvpn.fish
  anyvpn completions powershell >> $PROFILE")]
pub struct Completions {
    /// Which shell
    #[arg(value_parser = shell())]
    shell: Shell,
}

fn shell() -> impl TypedValueParser<Value = Shell> {
    PossibleValuesParser::new(["bash", "zsh", "fish", "powershell"])
        .try_map(|name| Shell::from_str(&name, false))
}

pub fn run(context: &Context, args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "anyvpn", &mut script);
    context.output.lines(String::from_utf8_lossy(&script).trim_end())
}
