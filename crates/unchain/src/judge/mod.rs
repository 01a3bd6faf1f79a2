//! Judging a lineage with what the user knows: settings, a baseline, a database of networks.

mod geo;
mod settings;

pub(crate) use settings::Containment;

use clap::Args;
use geo::Geo;
use settings::Said;
use std::path::{Path, PathBuf};
use unchain_case::Case;
use unchain_core::detect::{self, Baseline, Incident, Networks, Scene, Settings};
use unchain_core::finding::Finding;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::report::{Findings, Report};

/// The settings file that is read when none is named.
const SETTINGS: &str = "unchain.toml";

/// What the user knows and the log does not say.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Judging")]
pub(crate) struct JudgeArgs {
    /// Own networks, expected automation, identity providers, names of accounts; `./unchain.toml` is
    /// read if it is there. docs/settings.md describes it
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The case of a quiet time: role pairs and networks in it are usual
    #[arg(long, value_name = "CASE")]
    baseline: Option<PathBuf>,
    /// A database of networks in MaxMind's format (ASN, City or Country); may be repeated
    #[arg(long, value_name = "MMDB")]
    geoip: Vec<PathBuf>,
}

/// Where the settings file is, for commands that judge nothing.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SettingsArg {
    /// Whom to spare, always: `[containment]`; `./unchain.toml` is read if it is there.
    /// docs/settings.md describes it
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

impl SettingsArg {
    /// Reads the file.
    pub(crate) fn read(&self) -> anyhow::Result<Said> {
        said(self.settings.as_deref())
    }
}

/// What the settings file says, the named one or that in the working folder.
fn said(named: Option<&Path>) -> anyhow::Result<Said> {
    let default = || Some(Path::new(SETTINGS)).filter(|path| path.is_file());
    match named.or_else(default) {
        Some(path) => settings::read(path),
        None => Ok(Said::default()),
    }
}

/// The same, read and understood.
#[derive(Debug)]
pub(crate) struct Judge {
    settings: Settings,
    geo: Geo,
    baseline: Option<Ledger>,
}

impl JudgeArgs {
    /// The settings file alone.
    pub(crate) fn settings(&self) -> SettingsArg {
        SettingsArg {
            settings: self.settings.clone(),
        }
    }

    /// Reads the files. Done before long work, so that a mistake in them is known at once.
    pub(crate) fn read(&self) -> anyhow::Result<Judge> {
        Ok(Judge {
            settings: said(self.settings.as_deref())?.judging,
            geo: Geo::open(&self.geoip)?,
            baseline: self.baseline.as_deref().map(load).transpose()?,
        })
    }
}

fn load(path: &Path) -> anyhow::Result<Ledger> {
    Ok(Case::open_existing(path)?.load()?)
}

impl Judge {
    /// Runs every detection on a report's lineage.
    pub(crate) fn findings(&self, report: &Report<'_, '_>) -> Findings {
        self.judged(report, |scene, found, incidents| {
            report.findings(scene, found, incidents)
        })
    }

    /// Runs every detection on a report's lineage and hands over what was found, and in what.
    pub(crate) fn judged<T>(
        &self,
        report: &Report<'_, '_>,
        then: impl FnOnce(&Scene<'_, '_>, &[Finding], &[Incident]) -> T,
    ) -> T {
        let lineage = report.lineage();
        let networks = self.networks(lineage.ledger());
        let baseline = self.baseline.as_ref().map(|ledger| {
            let quiet = Lineage::build(ledger);
            Baseline::of(&quiet, &self.networks(ledger))
        });
        let scene = Scene::new(lineage, &self.settings, &networks, baseline.as_ref());
        let found = detect::run(&scene);
        let incidents = detect::incidents(&scene, &found);
        then(&scene, &found, &incidents)
    }

    fn networks(&self, ledger: &Ledger) -> Networks {
        Networks::new(ledger, &self.settings, &|address| self.geo.find(address))
    }
}
