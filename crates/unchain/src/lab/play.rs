//! `unchain lab play`: a story, step by step, in a lab of its own or in a running one.

use super::{address, host_time};
use crate::args::Context;
use crate::exit::Exit;
use anyhow::{Context as _, bail};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use unchain_core::text::terminal;
use unchain_lab::Lab;
use unchain_lab::story::{Client, LeftOut, Place, Player, Story, Told, Wire, playable, with_noise};
use unchain_lab::trail::deliver_to;
use unchain_lab::world::{Settings, World};

/// Play an attack through real API calls, and say what each did
#[derive(Debug, Args)]
pub(super) struct Play {
    /// The name of a story, or a file in the trail language
    story: String,
    /// Where the lab's log files are to lie (of a running lab: where it puts them)
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// Write what really happened, with the keys that the lab gave
    #[arg(long, value_name = "FILE", requires = "logs")]
    truth: Option<PathBuf>,
    /// Play it in a running lab, by the address it printed
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Have `aws-cli` make the calls; it needs --endpoint
    #[arg(long, value_name = "CLIENT", requires = "endpoint", value_parser = ["aws-cli"])]
    with: Option<String>,
    /// Benign records for every record of the story
    #[arg(long, value_name = "N", default_value = "0")]
    noise: u32,
    /// What the identifiers of a lab of its own follow from
    #[arg(long, default_value = "1", conflicts_with = "endpoint")]
    seed: u64,
}

impl Play {
    pub(super) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let text = match Story::named(&self.story) {
            Some(story) => story.text.to_owned(),
            None => std::fs::read_to_string(&self.story).with_context(|| {
                format!(
                    "`{}` is neither a story nor a file; `unchain lab stories` lists the stories",
                    self.story
                )
            })?,
        };
        let text = with_noise(&text, self.noise)?;
        let (trail, left_out) = playable(&text)?;
        let lab = Lab::new(World::new(self.seed, Settings::default()));
        let wire = self.wire(&lab)?;
        let mut player = Player::new(wire, &trail).map_err(anyhow::Error::msg)?;
        let mut troubles = 0_usize;
        let mut say = |told: &Told| {
            troubles += usize::from(told.trouble.is_some());
            writeln!(context.out, "{}", terminal(&told.to_string()))
                .map_err(|error| error.to_string())
        };
        player.play(&mut say).map_err(anyhow::Error::msg)?;
        let (truth, wrong) = player
            .truth(self.logs.as_deref())
            .map_err(anyhow::Error::msg)?;
        if let Some(path) = &self.truth {
            let text = serde_json::to_string_pretty(&truth)?;
            std::fs::write(path, text + "\n")
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        close(context.out, &left_out, (troubles, &wrong))
    }

    fn wire<'l>(&self, lab: &'l Lab) -> anyhow::Result<Wire<'l>> {
        let place = match &self.endpoint {
            Some(endpoint) => Place::There(address(endpoint)?),
            None => {
                if let Some(folder) = &self.logs {
                    std::fs::create_dir_all(folder)
                        .with_context(|| format!("cannot make `{}`", folder.display()))?;
                    if std::fs::read_dir(folder)?.next().is_some() {
                        bail!(
                            "`{}` is not empty; a story's logs need a folder of their own",
                            folder.display()
                        );
                    }
                    deliver_to(&mut lab.world(), Some(folder.clone()));
                }
                Place::Here(lab)
            }
        };
        let client = match &self.with {
            Some(_) => Client::AwsCli("aws".to_owned()),
            None => Client::Own,
        };
        Ok(Wire {
            place,
            client,
            now: host_time,
        })
    }
}

/// What was not played, and what went otherwise.
fn close(
    out: &mut dyn Write,
    left_out: &[LeftOut],
    (troubles, wrong): (usize, &[String]),
) -> anyhow::Result<Exit> {
    for LeftOut { line, why } in left_out {
        writeln!(out, "line {line} is left out: {}", terminal(why))?;
    }
    for line in wrong {
        writeln!(out, "the log: {}", terminal(line))?;
    }
    if troubles + wrong.len() == 0 {
        writeln!(out, "everything went as the story tells")?;
    }
    Ok(Exit::complete(troubles + wrong.len() == 0))
}
