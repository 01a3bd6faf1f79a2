//! Containment on the command line: what is read of the accounts, and what the responder decides.
//!
//! The commands share how facts are read and whom a plan must spare. Must not know how a plan is made or judged.

mod acting;
mod apply;
mod aws;
mod carry;
mod inspect;
mod plan;
mod policy;
mod record;
mod undo;
mod verify;
mod write;

pub(crate) use acting::Stopping;
pub(crate) use apply::{Apply, Chosen, DryRun};
pub(crate) use carry::again;
pub(crate) use inspect::Inspect;
pub(crate) use plan::{PlanCommand, judged, planned as made};
pub(crate) use policy::PolicyCommand;
pub(crate) use record::{Record, RecordArgs, verification};
pub(crate) use undo::UndoCommand;
pub(crate) use verify::VerifyCommand;

use crate::judge::{Containment, SettingsArg};
use crate::output::words::{clipped, counted, pasted};
use anyhow::{Context as _, anyhow, bail};
pub(crate) use aws::AwsArgs;
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use unchain_case::Case;
use unchain_core::contain::{
    Action, Facts, FactsError, Owner, OwnerKind, Plan, Settings, from_json,
};
use unchain_core::lineage::Lineage;
use unchain_core::text::{Untrusted, terminal};

/// What was read of the accounts is shown in so many lines at most.
const SHOWN: usize = 12;

/// Where the state of the accounts is read.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Accounts")]
pub(crate) struct FactsArgs {
    /// The state of the accounts: files that `unchain inspect --save` or the AWS CLI wrote, or folders of
    /// them (*.json, *.csv); may be repeated. Without it AWS is asked
    #[arg(long, value_name = "PATH")]
    facts: Vec<PathBuf>,
    /// The account of files that name none, such as `list-access-keys`, also in their name
    #[arg(long, value_name = "ACCOUNT", value_parser = account_id)]
    account: Option<String>,
    /// An account to read beside the caller's own, where AWS is asked: needs --role-for or --role-name; may be repeated
    #[arg(long = "in", value_name = "ACCOUNT", value_parser = account_id, conflicts_with = "facts")]
    accounts: Vec<String>,
    #[command(flatten)]
    aws: AwsArgs,
}

/// The accounts as they were found, and who looked.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// What is known of them.
    pub(crate) facts: Facts,
    /// The principal that asked AWS; none where files were read.
    pub(crate) caller: Option<Untrusted>,
}

/// What a responder decides about whom to spare.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Whom to spare")]
pub(crate) struct Sparing {
    /// The ARN of a user or role that must keep access: your own, the one for emergencies; may be repeated.
    /// A lineage is not followed above it, nor above a root user that is named here
    #[arg(long, value_name = "ARN", value_parser = exempt)]
    exempt: Vec<Untrusted>,
    /// The ARN of a role whose other sessions must go on, also with `--level evict`; may be repeated
    #[arg(long, value_name = "ARN", value_parser = principal)]
    shared: Vec<Untrusted>,
    #[command(flatten)]
    settings: SettingsArg,
}

impl FactsArgs {
    /// Whether anything here was given: files, or how AWS is asked.
    pub(crate) fn is_given(&self) -> bool {
        !self.facts.is_empty() || !self.accounts.is_empty() || !self.aws.words().is_empty()
    }

    /// These options as words of a command that a person may paste.
    pub(crate) fn words(&self) -> String {
        let shown =
            |path: &PathBuf| pasted(&path.to_string_lossy()).unwrap_or_else(|| "…".to_owned());
        let facts = self
            .facts
            .iter()
            .map(|path| format!(" --facts {}", shown(path)));
        let accounts = self
            .accounts
            .iter()
            .map(|account| format!(" --in {account}"));
        facts.chain(accounts).chain([self.aws.words()]).collect()
    }

    /// How AWS is asked.
    pub(crate) fn aws(&self) -> &AwsArgs {
        &self.aws
    }

    /// Reads what is named, or asks AWS where nothing is, and says what could not be read.
    pub(crate) fn read(&self) -> anyhow::Result<Accounts> {
        self.read_about(&BTreeSet::new())
    }

    /// Reads what is named, or asks AWS where nothing is: also in the accounts that a plan is about.
    pub(crate) fn read_for(&self, plan: &Plan) -> anyhow::Result<Accounts> {
        self.read_about(&accounts(plan))
    }

    fn read_about(&self, about: &BTreeSet<String>) -> anyhow::Result<Accounts> {
        let accounts = if self.facts.is_empty() {
            self.aws.read(&self.accounts, about)?
        } else {
            Accounts {
                facts: self.files()?,
                caller: None,
            }
        };
        warn(&accounts.facts);
        Ok(accounts)
    }

    fn files(&self) -> anyhow::Result<Facts> {
        let mut facts = Facts::default();
        for path in &self.facts {
            if !path.is_dir() {
                self.file(&mut facts, path)?;
                continue;
            }
            let found = listed(path)?;
            if found.is_empty() {
                bail!(
                    "`{}` holds neither *.json nor *.csv; name a folder of what the AWS CLI printed",
                    path.display()
                );
            }
            for file in found {
                self.member(&mut facts, &file)?;
            }
        }
        Ok(facts)
    }

    /// A file that happens to lie in a folder may be of another kind.
    fn member(&self, facts: &mut Facts, path: &Path) -> anyhow::Result<()> {
        match self.file(facts, path) {
            Err(error) if matches!(error.downcast_ref(), Some(FactsError::Unknown)) => {
                say(&format!(
                    "`{}` is the answer of no call that is read here, and was left out",
                    path.display()
                ));
                Ok(())
            }
            other => other,
        }
    }

    fn file(&self, facts: &mut Facts, path: &Path) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(path).with_context(|| {
            let hint = if path.exists() {
                "it must be text in UTF-8, as the AWS CLI writes it"
            } else {
                "check the spelling and the working folder"
            };
            format!("cannot read `{}`; {hint}", path.display())
        })?;
        let named = account_in(path);
        let account = named.as_deref().or(self.account.as_deref());
        let read = facts.read(text.trim_start_matches('\u{feff}'), account);
        read.with_context(|| {
            let hint =
                "`unchain inspect --help` names the calls; `--account` says whose answer it is";
            format!("`{}` cannot be read as facts; {hint}", path.display())
        })
    }
}

fn listed(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let cannot = || format!("cannot read the folder `{}`", folder.display());
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let kind = path.extension().map(|kind| kind.to_ascii_lowercase());
        let wanted = kind.is_some_and(|kind| kind == "json" || kind == "csv");
        if wanted && path.is_file() {
            found.insert(path);
        }
    }
    Ok(found)
}

/// The account that a file's name carries: `list-access-keys.111122223333.json`.
fn account_in(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let mut runs = name.split(|c: char| !c.is_ascii_digit());
    runs.find(|run| run.len() == 12).map(str::to_owned)
}

/// The accounts that a plan changes, and those of its lineage.
pub(crate) fn accounts(plan: &Plan) -> BTreeSet<String> {
    let changed = changed(plan, |_| true);
    let subjects = plan.subjects.iter();
    let subjects = subjects.filter_map(|subject| Some(subject.account.as_ref()?.raw().to_owned()));
    let sound = |account: &String| account_id(account).is_ok();
    changed.into_iter().chain(subjects).filter(sound).collect()
}

/// The accounts in which steps of a plan make calls.
pub(crate) fn changed(plan: &Plan, wanted: impl Fn(u32) -> bool) -> BTreeSet<String> {
    let steps = plan.steps.iter().filter(|step| wanted(step.number));
    let calls = steps.filter_map(|step| match &step.action {
        Action::Call(call) => Some(call.account.raw().to_owned()),
        Action::Wait(_) | Action::Verify { .. } => None,
    });
    calls.collect()
}

/// The plan that a file has, or else the one that the case knows by this digest or id.
pub(crate) fn planned(path: &Path, case: &Path) -> anyhow::Result<Plan> {
    let shown = path.display();
    if !path.exists()
        && case.is_file()
        && let Some(name) = path.to_str()
        && let Some(plan) = Case::open_existing(case)?.plan(name)?
    {
        return Ok(plan);
    }
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read `{shown}`; name the file that `unchain plan` wrote")
    })?;
    let plan = from_json(&text);
    plan.with_context(|| format!("`{shown}` is no plan; name the file that `unchain plan` wrote"))
}

fn account_id(text: &str) -> Result<String, String> {
    let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.to_owned())
        .ok_or_else(|| "not an account id of twelve digits".to_owned())
}

/// The ARN of a user, role or role session, without wildcards.
pub(crate) fn principal(text: &str) -> Result<Untrusted, String> {
    sparable(text)
        .filter(|owner| owner.kind != OwnerKind::Root)
        .map(|_| Untrusted::new(text))
        .ok_or_else(|| {
            "not the ARN of one user or role, such as arn:aws:iam::111122223333:role/responder"
                .to_owned()
        })
}

/// The same for whom a plan may spare: also the root user, below which a lineage that it began is then cut off.
pub(crate) fn exempt(text: &str) -> Result<Untrusted, String> {
    sparable(text).map(|_| Untrusted::new(text)).ok_or_else(|| {
        "not the ARN of one user or role, such as arn:aws:iam::111122223333:role/responder, or of a root user, \
         such as arn:aws:iam::111122223333:root"
            .to_owned()
    })
}

fn sparable(text: &str) -> Option<Owner> {
    Owner::of_arn(text).filter(Owner::is_sound)
}

fn warn(facts: &Facts) {
    let unread = facts.unread.len();
    if unread == 0 {
        return;
    }
    say(&format!(
        "{} of the accounts could not be read:",
        counted(unread as u64, "part")
    ));
    let mut err = std::io::stderr().lock();
    for what in facts.unread.iter().take(SHOWN) {
        // Where a warning cannot be written there is nobody to warn.
        let _ = writeln!(err, "  {}", clipped(what));
    }
    if unread > SHOWN {
        let _ = writeln!(err, "  … and {} more", unread - SHOWN);
    }
}

fn say(what: &str) {
    // Where a warning cannot be written there is nobody to warn.
    let _ = writeln!(std::io::stderr(), "warning: {}", terminal(what));
}

impl Sparing {
    /// What somebody types elsewhere than on the command line.
    pub(crate) fn typed(
        (exempt, shared): (&[String], &[String]),
        settings: SettingsArg,
    ) -> anyhow::Result<Self> {
        let named = |typed: &[String], read: fn(&str) -> Result<Untrusted, String>| {
            let each = typed
                .iter()
                .map(|arn| read(arn).map_err(|why| anyhow!("`{}` is {why}", clipped(arn))));
            each.collect::<anyhow::Result<Vec<_>>>()
        };
        Ok(Self {
            exempt: named(exempt, self::exempt)?,
            shared: named(shared, principal)?,
            settings,
        })
    }

    /// What the command line, the settings file and the caller's own lineage say about whom to spare.
    pub(crate) fn settings(
        &self,
        lineage: &Lineage<'_>,
        accounts: &Accounts,
    ) -> anyhow::Result<Settings> {
        let Containment { exempt, shared } = self.settings.read()?.containment;
        let known = |arn: &Untrusted| in_full(&accounts.facts, arn);
        let own = accounts.caller.iter().flat_map(|arn| own(lineage, arn));
        let exempt: BTreeSet<Untrusted> = exempt
            .iter()
            .chain(&self.exempt)
            .chain(&own.collect::<Vec<_>>())
            .map(known)
            .collect();
        let shared: BTreeSet<Untrusted> = shared.iter().chain(&self.shared).map(known).collect();
        Ok(Settings {
            exempt: exempt.into_iter().collect(),
            shared: shared.into_iter().collect(),
            ..Settings::default()
        })
    }
}

/// A principal's ARN as policies compare it: a session's is its role's, with its path where it was read.
fn in_full(facts: &Facts, arn: &Untrusted) -> Untrusted {
    let Some(owner) = Owner::of_arn(arn.raw()) else {
        return arn.clone();
    };
    let read = facts.user(&owner).is_some() || facts.role(&owner).is_some();
    if read || arn.raw().contains(":assumed-role/") {
        return Untrusted::new(facts.arn(&owner));
    }
    arn.clone()
}

/// The users and roles by which a caller came to its session: who denies one of them ends its own access.
fn own(lineage: &Lineage<'_>, caller: &Untrusted) -> Vec<Untrusted> {
    let nodes = lineage.find(caller.raw()).into_iter();
    let above = nodes.flat_map(|found| lineage.ancestors(found.node));
    let above = above.map(|edge| lineage.principal(edge.parent));
    let all = above.chain([caller.clone()]);
    all.filter(|arn| principal(arn.raw()).is_ok()).collect()
}
