//! What a place says, in words that are safe to show. Must not know where it stands.

use super::fan::Group;
use super::select::{self, Place, Slice, What};
use super::symbols::{self, Outline};
use crate::html::{counted, plain};
use crate::timeline::forest::whose;
use std::collections::BTreeMap;
use unchain_core::lineage::{Edge, NodeKind};
use unchain_core::report::{End, Report};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// How much text a card has room for, in characters: a kind with its state, a name, what else there is to say.
const KIND: usize = 35;
const NAME: usize = 26;
const MORE: usize = 32;

/// A place in words. All of them are defused; none is markup.
#[derive(Debug)]
pub(crate) struct Card {
    /// How it looks; none for what is no node.
    pub(crate) look: Option<(Outline, &'static str)>,
    /// What it is.
    pub(crate) kind: String,
    /// Whether it works at the instant; none for what cannot be asked this.
    pub(crate) status: Option<&'static str>,
    /// The same, or the worst of those that it stands for.
    pub(crate) worst: Option<&'static str>,
    /// What it is called.
    pub(crate) name: String,
    /// Whose it is, or what else there is to say in a few words.
    pub(crate) more: String,
    /// What following it does to the drawing; none for a node.
    pub(crate) action: Option<Action>,
}

/// The words on a card; what is too long is cut.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) kind: String,
    pub(crate) state: &'static str,
    pub(crate) name: String,
    pub(crate) more: String,
}

/// What following a place that stands for several does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Draws them.
    Show,
    /// Draws them as one again.
    Fold,
}

/// How a node came to be, in words.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) api: String,
    pub(crate) time: Timestamp,
    pub(crate) basis: &'static str,
    pub(crate) cross_account: bool,
    /// Further calls of the same caller that say so.
    pub(crate) others: usize,
}

impl Card {
    pub(crate) fn of(report: &Report<'_, '_>, what: &What) -> Self {
        match what {
            What::Node(node) => Self::node(report, *node),
            What::Group(group, shown) => Self::group(report, group, *shown),
            What::Further(slice) => Self::further(slice),
            What::Beyond(_) => Self::plain("not drawn", "What came of it", "draw from there"),
            What::Between(count, _) => {
                let name = counted(*count, "generation");
                Self::plain("not drawn", &name, "between; draw them")
            }
        }
    }

    fn plain(kind: &str, name: &str, more: &str) -> Self {
        let [kind, name, more] = [kind, name, more].map(str::to_owned);
        Self {
            look: None,
            kind,
            status: None,
            worst: None,
            name,
            more,
            action: Some(Action::Show),
        }
    }

    fn node(report: &Report<'_, '_>, node: u32) -> Self {
        let end = report.end(node);
        let kind = kind_of(report, node);
        let name = name_of(report, node);
        let principal = end.principal_arn.as_ref();
        let more = match principal.filter(|principal| **principal != name) {
            Some(principal) => short(principal.raw()),
            None => account(&end),
        };
        let status = has_state(kind).then(|| report.life(node).status.name());
        Self {
            look: Some((symbols::outline(kind), symbols::symbol(kind))),
            kind: spaced(kind.name()),
            status,
            worst: status,
            name: if name.is_empty() {
                "unnamed".to_owned()
            } else {
                short(name.raw())
            },
            more,
            action: None,
        }
    }

    fn group(report: &Report<'_, '_>, group: &Group, shown: select::Shown) -> Self {
        let first = group.members.first().map_or(0, |edge| edge.child);
        let principal = report.lineage().principal(first);
        let states = if has_state(group.kind) {
            group.states(report)
        } else {
            BTreeMap::new()
        };
        let worst = states.keys().next().map(|status| status.name());
        let said = states
            .iter()
            .map(|(status, count)| format!("{count} {}", state(status.name())));
        let leads = if group.lead_on { " that made more" } else { "" };
        Self {
            look: Some((symbols::outline(group.kind), symbols::symbol(group.kind))),
            kind: format!(
                "{}{leads}",
                counted(group.members.len(), &spaced(group.kind.name()))
            ),
            status: None,
            worst,
            name: short(whose(principal.raw())),
            more: said.collect::<Vec<_>>().join(", "),
            action: Some(match shown {
                select::Shown::Folded => Action::Show,
                select::Shown::Open => Action::Fold,
            }),
        }
    }

    fn further(slice: &Slice) -> Self {
        let (name, more) = if slice.earlier {
            ("earlier", "go back to them")
        } else {
            ("further", "go on to them")
        };
        Self::plain("not drawn", &format!("{} {name}", slice.count), more)
    }

    /// The words that are on the card.
    pub(crate) fn shown(&self) -> Shown {
        let state = self.status.map(state).unwrap_or_default();
        Shown {
            kind: cut(&self.kind, KIND - state.len()),
            state,
            name: cut(&self.name, NAME),
            more: cut(&self.more, MORE),
        }
    }

    /// The card in one line for those who do not see it. It begins with the words that others see, so that both
    /// can speak of the same.
    pub(crate) fn spoken(&self, call: Option<&Call>) -> String {
        let Shown {
            kind,
            state,
            name,
            more,
        } = self.shown();
        let mut words = vec![kind, state.to_owned(), name, more];
        words.extend(match self.action {
            Some(Action::Fold) => Some("fold them".to_owned()),
            Some(Action::Show) if self.look.is_some() => Some("show them".to_owned()),
            Some(Action::Show) | None => None,
        });
        words.extend(call.map(Call::spoken));
        words.retain(|word| !word.is_empty());
        words.join(", ")
    }
}

/// A status as a card has room for it.
fn state(name: &'static str) -> &'static str {
    if name == "not-yet-issued" {
        "not yet"
    } else {
        name
    }
}

/// The first characters of a text; those that are twice as wide count twice.
pub(crate) fn cut(text: &str, room: usize) -> String {
    let wide = |c: char| if u32::from(c) < 0x1100 { 1 } else { 2 };
    if text.chars().map(wide).sum::<usize>() <= room {
        return text.to_owned();
    }
    let mut left = room - 1;
    let fits = |c: &char| {
        let fits = wide(*c) <= left;
        left = left.saturating_sub(wide(*c));
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.push('…');
    kept
}

impl Call {
    /// The call that leads to a place.
    pub(crate) fn of(report: &Report<'_, '_>, place: &Place) -> Option<Self> {
        let edge: &Edge = place.edge.as_ref()?;
        let lineage = report.lineage();
        Some(Self {
            api: plain(&Untrusted::new(lineage.ledger().text(edge.api))),
            time: Timestamp::from_seconds(i64::from(edge.time)),
            basis: edge.basis.name(),
            cross_account: lineage.crosses_accounts(edge),
            others: place.calls - 1,
        })
    }

    fn spoken(&self) -> String {
        let across = if self.cross_account {
            ", cross-account"
        } else {
            ""
        };
        let others = match self.others {
            0 => String::new(),
            others => format!(" and {}", counted(others, "more call")),
        };
        let time = self.time.to_string().replace('T', " ").replace('Z', "");
        format!(
            "by {}{others} at {time} UTC, {}{across}",
            self.api, self.basis
        )
    }
}

/// A node in one word: its key id, else the id of its workload, else its principal.
pub(crate) fn name_of(report: &Report<'_, '_>, node: u32) -> Untrusted {
    let workload = report.end(node).workload;
    workload.unwrap_or_else(|| report.label(node))
}

/// Whether it can be asked if something still works.
fn has_state(kind: NodeKind) -> bool {
    let lasting = [
        NodeKind::IdentityCenterSession,
        NodeKind::LoginProfile,
        NodeKind::MfaDevice,
    ];
    kind.is_credential() || lasting.contains(&kind)
}

fn kind_of(report: &Report<'_, '_>, node: u32) -> NodeKind {
    report
        .lineage()
        .node(node)
        .map_or(NodeKind::Identity, |node| node.kind)
}

fn account(end: &End) -> String {
    end.account
        .as_ref()
        .map_or_else(String::new, |account| format!("in {}", plain(account)))
}

fn spaced(name: &str) -> String {
    name.replace('-', " ")
}

/// What of an ARN tells it from others; any other text whole.
fn short(text: &str) -> String {
    let resource = text
        .strip_prefix("arn:")
        .and_then(|rest| rest.splitn(5, ':').nth(4));
    let kept = resource.map_or(text, |resource| {
        resource.trim_start_matches("assumed-role/")
    });
    plain(&Untrusted::new(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_its_room() {
        assert_eq!(cut("GetSessionToken", 20), "GetSessionToken");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("漢字漢字", 4), "漢…");
        assert_eq!(cut("", 4), "");
    }

    #[test]
    fn an_arn_is_shown_by_what_tells_it_from_others() {
        assert_eq!(
            short("arn:aws:sts::111122223333:assumed-role/app/build"),
            "app/build"
        );
        assert_eq!(short("arn:aws:iam::111122223333:user/alice"), "user/alice");
        assert_eq!(short("arn:aws:iam::111122223333:mfa/a:b"), "mfa/a:b");
        for text in ["ec2.amazonaws.com", "arn:cut", "", "arn"] {
            assert_eq!(short(text), text);
        }
        assert_eq!(short("arn:a:b:c:d:\u{202e}"), "\\u{202e}");
    }
}
