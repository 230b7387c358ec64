//! `remit completions`: for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// Which shell.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit completions bash > ~/.local/share/bash-completion/completions/remit")]
pub struct CompletionsArgs {
    pub shell: Shell,
}

pub fn run(arguments: &CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "remit", &mut script);
    // A reader that went away has seen what it wanted.
    let _ = std::io::Write::write_all(&mut std::io::stdout().lock(), &script);
}
