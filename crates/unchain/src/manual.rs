//! Completions and man pages, made from the same definitions as the help.

use crate::args::{Cli, Context};
use crate::exit::Exit;
use anyhow::Context as _;
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Print a completion script for a shell
///
/// For bash: unchain completions bash > ~/.local/share/bash-completion/completions/unchain
///
/// For zsh: unchain completions zsh > ~/.zfunc/_unchain
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell: bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

/// Print the man page, or write one for each command
///
/// To read it: unchain man | man -l -
///
/// To install all: unchain man --out ~/.local/share/man/man1
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Completions {
    /// Prints the script.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "unchain", &mut script);
        context.out.write_all(&script)?;
        Ok(Exit::Clean)
    }
}

impl Man {
    /// Prints the page, or writes all.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let Some(folder) = &self.out else {
            clap_mangen::Man::new(Cli::command()).render(&mut context.out)?;
            return Ok(Exit::Clean);
        };
        let name = folder.display();
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .with_context(|| format!("cannot write man pages into `{name}`; check that it is a folder you may write to"))?;
        Ok(Exit::Clean)
    }
}
