//! What carrying a plan out and undoing it have in common: which plan, who approves it, the journal, how it stops.

use super::acting::ASKED;
use super::plan::print::title;
use crate::output::words::{clipped, paragraph, pasted, shown};
use anyhow::{Context as _, anyhow, bail};
use std::fs::{File, TryLockError};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use unchain_case::{Case, CaseError};
use unchain_core::contain::{
    Action, Approved, Happened, Plan, Receipt, Refusal, Step, Stop, Work, digest,
};
use unchain_core::text::{Untrusted, terminal};

/// Digits of the digest that a person types.
const TYPED: usize = 8;

/// Approval by the digest that was given, or by its beginning that a person types.
pub(super) fn approval<'p>(
    plan: &'p Plan,
    given: Option<&str>,
    what: &str,
) -> anyhow::Result<Approved<'p>> {
    if let Some(given) = given {
        return Ok(Approved::by_digest(plan, given)?);
    }
    let whole = digest(plan)?;
    if !io::stdin().is_terminal() {
        bail!(
            "nobody is there to approve the plan; read it, and give its digest with `--approve {whole}`"
        );
    }
    let mut err = io::stderr().lock();
    let asked = write!(
        err,
        "\nType the first {TYPED} digits of the digest to {what}: "
    );
    asked.and_then(|()| err.flush())?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    let typed = typed.trim().to_ascii_lowercase();
    if typed.len() < TYPED || !whole.starts_with(&typed) {
        bail!("this is not the digest of the plan, and nothing was done; read the plan again");
    }
    Ok(Approved::by_digest(plan, &whole)?)
}

/// Writes a line of the journal, and tells people what came of a step.
pub(super) fn journal(
    case: &mut Case,
    plan: &Plan,
    width: usize,
) -> impl FnMut(&Receipt) -> Result<(), CaseError> {
    move |receipt| {
        case.add_receipt(receipt)?;
        let step = plan.steps.iter().find(|step| step.number == receipt.step);
        if let (Some(step), Some(word)) = (step, word(receipt)) {
            // Where a word about progress cannot be written there is nobody to tell.
            let begin = format!("{:>4}  {word:<10} ", step.number);
            let _ = paragraph(
                &mut io::stderr(),
                width,
                (&begin, "        "),
                &title(plan, step),
            );
        }
        Ok(())
    }
}

fn word(receipt: &Receipt) -> Option<&'static str> {
    Some(match &receipt.what {
        Happened::Begun { .. } | Happened::Verified => return None,
        Happened::Done { answer, .. } if answer.get("gone").is_some() => "gone",
        Happened::Done { already: true, .. } => "already so",
        Happened::Done { .. } if receipt.work == Work::Undo => "undone",
        Happened::Done { .. } => "done",
        Happened::Failed(_) => "failed",
        Happened::Waited => "waited",
        Happened::Surprise { .. } => "surprise",
    })
}

/// Why it stopped, and how to go on.
pub(super) fn stopped(stop: Stop<CaseError>, again: &str) -> anyhow::Error {
    if matches!(&stop, Stop::Throttled { refusal, .. } if refusal.code.raw() == ASKED) {
        return anyhow!("stopped as asked, between two calls; go on with `{again}`");
    }
    let words = terminal(&stop.to_string()).into_owned();
    let (what, hint) = words.split_once("; ").unwrap_or((&words, "see why"));
    let what = match &stop {
        Stop::Late { .. } | Stop::Undone => return anyhow!("{what}; {hint}"),
        Stop::Surprise { .. } => format!("{what}; {hint}"),
        _ => format!("{what}; {hint}, with `{again}`"),
    };
    match stop {
        Stop::Journal(error) => anyhow::Error::new(error).context(what),
        Stop::Surprise {
            expected, found, ..
        } => anyhow!("found {}", clipped(&found.to_string()))
            .context(format!("expected {}", clipped(&expected.to_string())))
            .context(what),
        Stop::Denied { refusal, .. }
        | Stop::Throttled { refusal, .. }
        | Stop::Unanswered { refusal, .. }
        | Stop::Refused { refusal, .. } => anyhow!(said(&refusal)).context(what),
        _ => anyhow!(what),
    }
}

/// What a service said.
pub(super) fn said(refusal: &Refusal) -> String {
    format!("{}: {}", shown(&refusal.code), shown(&refusal.message))
}

/// The command that goes on, with what says as whom.
pub(crate) fn again(command: &str, (plan, case): (&str, &Path), words: &str) -> String {
    let word = |text: &str| pasted(text).unwrap_or_else(|| "…".to_owned());
    let case = match case.to_string_lossy() {
        case if case == "unchain.case" => String::new(),
        case => format!(" --case {}", word(&case)),
    };
    format!("unchain {command} {}{case}{words}", word(plan))
}

/// The case with the journal: made if it is not there.
pub(super) fn open(path: &Path) -> anyhow::Result<Case> {
    Case::open(path)
        .context("the journal is kept in the case; name one that can be written with `--case`")
}

/// Sees to it that no other run acts by the same case for as long as the answer is kept. The lock is on a file beside the
/// case, as the locks of SQLite on the case itself are not to be touched; whoever dies gives it back.
pub(super) fn alone(case: &Path) -> anyhow::Result<File> {
    let mut path = case.as_os_str().to_owned();
    path.push("-acting");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.with_context(|| {
        let path = Path::new(&path).display();
        format!("cannot write `{path}`; name a case in a folder that can be written, with `--case`")
    })?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => bail!(
            "another `unchain apply` or `unchain undo` is at work by `{}`, and nothing was done; let it end first",
            case.display()
        ),
        // Where a file system has no locks, the places in the journal still tell two runs apart.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Steps by their numbers, in the order of the plan.
pub(super) fn steps(plan: &Plan, wanted: impl Fn(u32) -> bool) -> Vec<&Step> {
    let steps = plan.steps.iter();
    let calls = steps.filter(|step| matches!(step.action, Action::Call(_)));
    calls.filter(|step| wanted(step.number)).collect()
}

/// A plan's name and what it is about.
pub(super) fn head(plan: &Plan, digest: &str) -> String {
    let pivot = shown(&Untrusted::new(plan.pivot.raw()));
    format!("PLAN  {}, for {pivot}\n  digest   {digest}", plan.id)
}
