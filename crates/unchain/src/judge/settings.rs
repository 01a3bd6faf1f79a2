//! `unchain.toml`: reading and checking it, with the line of every mistake. docs/settings.md describes it.

use crate::contain;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use unchain_core::detect::{Allowed, Block, Detection, REGISTRY, Settings};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    network: Vec<NetworkRow>,
    #[serde(default)]
    allow: Vec<AllowRow>,
    #[serde(default)]
    identity_provider: Vec<ProviderRow>,
    #[serde(default)]
    accounts: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    containment: ContainmentTable,
}

/// Both are ARNs of users and roles.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContainmentTable {
    #[serde(default)]
    exempt: Vec<Spanned<String>>,
    #[serde(default)]
    shared: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkRow {
    name: Spanned<String>,
    blocks: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowRow {
    principal: Spanned<String>,
    #[serde(default)]
    detections: Vec<Spanned<String>>,
    until: Option<Spanned<String>>,
    reason: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderRow {
    /// An ARN or an issuer in which `*` stands for any text.
    name: String,
}

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// For the detections.
    pub(crate) judging: Settings,
    /// For plans.
    pub(crate) containment: Containment,
}

/// Whom every containment spares.
#[derive(Debug, Default)]
pub(crate) struct Containment {
    /// The principals that must keep access.
    pub(crate) exempt: Vec<Untrusted>,
    /// The roles whose other sessions must go on.
    pub(crate) shared: Vec<Untrusted>,
}

/// A mistake: where, and what.
type Mistake = (Range<usize>, String);

/// Reads a settings file.
///
/// # Errors
///
/// The first mistake, with its line.
pub(crate) fn read(path: &Path) -> anyhow::Result<Said> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the settings `{}` cannot be read", path.display()))?;
    let found = parse(&text).map_err(|(span, what)| {
        let before = text.get(..span.start).unwrap_or(&text);
        let line = before.matches('\n').count() + 1;
        anyhow::anyhow!("{} line {line}: {what}", path.display())
    });
    match found {
        Ok(said) => Ok(said),
        Err(mistake) => bail!("{mistake}; docs/settings.md describes the file"),
    }
}

fn parse(text: &str) -> Result<Said, Mistake> {
    let file: File = toml::from_str(text).map_err(|error| {
        let words = error.message().trim().replace('\n', ", ");
        (error.span().unwrap_or_default(), words)
    })?;
    let mut settings = Settings {
        providers: file
            .identity_provider
            .into_iter()
            .map(|row| row.name)
            .collect(),
        ..Settings::default()
    };
    for row in file.network {
        network(row, &mut settings)?;
    }
    for row in file.allow {
        settings.allowed.push(allow(row)?);
    }
    for (id, name) in file.accounts {
        let digits = id.get_ref().len() == 12 && id.get_ref().bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err((
                id.span(),
                format!("`{}` is no account id of twelve digits", id.get_ref()),
            ));
        }
        settings.accounts.insert(id.into_inner(), name);
    }
    Ok(Said {
        judging: settings,
        containment: Containment {
            exempt: named(file.containment.exempt, contain::exempt)?,
            shared: named(file.containment.shared, contain::principal)?,
        },
    })
}

fn named(
    arns: Vec<Spanned<String>>,
    read: fn(&str) -> Result<Untrusted, String>,
) -> Result<Vec<Untrusted>, Mistake> {
    let each = arns.into_iter().map(|arn| {
        let named = read(arn.get_ref());
        named.map_err(|what| (arn.span(), format!("`{}` is {what}", arn.get_ref())))
    });
    each.collect()
}

fn network(row: NetworkRow, settings: &mut Settings) -> Result<(), Mistake> {
    let name = said(&row.name, "a network needs a name")?;
    for block in row.blocks {
        let parsed = Block::parse(block.get_ref()).map_err(|what| (block.span(), what))?;
        settings.networks.push((name.clone(), parsed));
    }
    Ok(())
}

fn allow(row: AllowRow) -> Result<Allowed, Mistake> {
    for id in &row.detections {
        if Detection::find(id.get_ref()).is_none() {
            return Err((id.span(), unknown(id.get_ref())));
        }
    }
    let until = row.until.map(|until| {
        let text = until.get_ref();
        // A day means its end.
        let whole_day = if text.len() == "2026-12-31".len() {
            86_399
        } else {
            0
        };
        let time = Timestamp::parse(text).map(|time| time.plus(whole_day));
        time.ok_or_else(|| {
            let what = format!("`{text}` is no day or instant such as 2026-12-31");
            (until.span(), what)
        })
    });
    Ok(Allowed {
        principal: said(
            &row.principal,
            "an allowed principal is an ARN, `*` stands for any text",
        )?,
        detections: row
            .detections
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        until: until.transpose()?,
        reason: said(
            &row.reason,
            "say why it is expected, for whoever reads this next year",
        )?,
    })
}

/// The text, which must not be empty.
fn said(text: &Spanned<String>, hint: &str) -> Result<String, Mistake> {
    if text.get_ref().trim().is_empty() {
        return Err((text.span(), hint.to_owned()));
    }
    Ok(text.get_ref().clone())
}

/// Names the detections that a misspelled one could be.
fn unknown(id: &str) -> String {
    let begins = |known: &str| {
        known
            .split('-')
            .any(|part| part.len() > 3 && id.contains(part))
    };
    let near: Vec<&str> = REGISTRY
        .iter()
        .map(|d| d.id)
        .filter(|known| begins(known))
        .collect();
    let hint = if near.is_empty() {
        "`unchain explain` lists them".to_owned()
    } else {
        format!("perhaps {}", near.join(", "))
    };
    format!("no detection is called `{id}`: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[network]]
        name = "office"
        blocks = ["192.0.2.0/24", "2001:db8::/32"]
        [[allow]]
        principal = "arn:aws:iam::111122223333:role/deploy-*"
        detections = ["role-chaining"]
        until = "2026-12-31"
        reason = "the release pipeline"
        [[identity-provider]]
        name = "token.actions.githubusercontent.com"
        [accounts]
        111122223333 = "shop"
        [containment]
        exempt = ["arn:aws:iam::111122223333:role/responder"]
        shared = ["arn:aws:iam::111122223333:role/web-server"]
    "#;

    #[test]
    fn a_file_is_understood() {
        let Said {
            judging: settings,
            containment,
        } = parse(GOOD).unwrap();
        assert_eq!((containment.exempt.len(), containment.shared.len()), (1, 1));
        assert_eq!(
            settings.network("192.0.2.7".parse().unwrap()),
            Some("office")
        );
        assert_eq!(
            settings.accounts.get("111122223333").map(String::as_str),
            Some("shop")
        );
        assert!(settings.knows_provider("token.actions.githubusercontent.com"));
        let who = ["arn:aws:iam::111122223333:role/deploy-web".to_owned()];
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let allows = |time| settings.allows("role-chaining", &who, at(time)).is_some();
        assert!(allows("2026-12-31T23:59:59Z"));
        assert!(!allows("2027-01-01T00:00:00Z"));
        assert!(
            settings
                .allows("assume-root", &who, at("2026-01-01T00:00:00Z"))
                .is_none()
        );
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let mistake = |from: &str, to: &str| {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let (span, what) = parse(&text).unwrap_err();
            (
                text.get(..span.start).unwrap().matches('\n').count() + 1,
                what,
            )
        };
        let (line, what) = mistake("192.0.2.0/24", "192.0.2.1/24");
        assert_eq!(
            (line, what.contains("beyond its first 24")),
            (4, true),
            "{what}"
        );
        let (line, what) = mistake("role-chaining", "role-chainin");
        assert_eq!(
            (line, what.contains("perhaps role-chaining")),
            (7, true),
            "{what}"
        );
        let (line, what) = mistake("until =", "untill =");
        assert_eq!((line, what.contains("untill")), (8, true), "{what}");
        let (line, what) = mistake("the release pipeline", " ");
        assert_eq!((line, what.contains("say why")), (9, true), "{what}");
        let (line, what) = mistake("2026-12-31", "soon");
        assert_eq!(
            (line, what.contains("no day or instant")),
            (8, true),
            "{what}"
        );
        let (line, what) = mistake("111122223333 =", "11112222333 =");
        assert_eq!((line, what.contains("twelve digits")), (13, true), "{what}");
        for wrong in ["role/resp*", "policy/responder"] {
            let (line, what) = mistake("role/responder", wrong);
            assert_eq!(
                (line, what.contains("one user or role")),
                (15, true),
                "{what}"
            );
        }
        let (line, what) = mistake("role/web-server", "root");
        assert_eq!(
            (line, what.contains("one user or role")),
            (16, true),
            "{what}"
        );
        assert!(
            parse(&GOOD.replace("role/responder", "root")).is_ok(),
            "root is climbed to, and can be spared"
        );
        let (_, what) = mistake("[accounts]", "[accounts");
        assert!(!what.contains('\n'), "{what}");
    }
}
