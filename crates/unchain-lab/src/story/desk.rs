//! What no API client can do: sign-in pages, Identity Center, and services that fetch credentials for workloads. The
//! lab offers them at its control address.

use unchain_trail::Step;

use super::answer::Answer;
use super::keys::Keys;
use super::player::Player;

/// Whether a step is one of those.
pub(super) fn knows(step: &Step) -> bool {
    let _ = step;
    false
}

/// Plays such a step.
pub(super) fn act(_player: &mut Player<'_>, _step: &Step) -> Result<Answer, String> {
    Err("not here yet".to_owned())
}

/// A key that a console session makes for one request.
pub(super) fn mint(_player: &mut Player<'_>, _session: &str) -> Result<Keys, String> {
    Err("not here yet".to_owned())
}
