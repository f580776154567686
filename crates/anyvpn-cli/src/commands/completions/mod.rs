//! `anyvpn completions`: scripts for shells.

pub mod complete;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::context::Context;
use crate::failure::Failure;

const SCRIPTS: [(&str, &str); 4] = [
    ("bash", include_str!("anyvpn.bash")),
    ("zsh", include_str!("anyvpn.zsh")),
    ("fish", include_str!("anyvpn.fish")),
    ("powershell", include_str!("anyvpn.ps1")),
];

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn completions bash > ~/.local/share/bash-completion/completions/anyvpn
  anyvpn completions zsh > ~/.zfunc/_anyvpn    A folder in zsh's $fpath
  anyvpn completions fish > ~/.config/fish/completions/anyvpn.fish
  anyvpn completions powershell >> $PROFILE")]
pub struct Completions {
    /// The shell
    #[arg(value_parser = PossibleValuesParser::new(SCRIPTS.map(|(shell, _)| shell)))]
    shell: String,
}

pub fn run(context: &Context, args: &Completions) -> Result<(), Failure> {
    let script = SCRIPTS.iter().find(|(shell, _)| *shell == args.shell);
    context.output.lines(script.map_or("", |(_, script)| script.trim_end()))
}
