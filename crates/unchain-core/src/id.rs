//! Identifiers of AWS, made only by parsing.
//!
//! Each is a borrowed view of the text it was parsed from, so that a record is typed without copies.
//! Real logs hold masked and invented ids; what does not parse is kept as [`Field::Other`] and
//! survives a round trip.

use std::fmt;
use wide::u8x16;

/// Why a text is not the identifier that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {what}: {why}")]
pub struct IdError {
    what: &'static str,
    why: &'static str,
}

/// A value of the expected form, or the text that stood in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field<'a, T> {
    /// A value of the expected form.
    Known(T),
    /// Some other text, kept as it was.
    Other(&'a str),
}

/// An identifier that can be read from text and gives the same text back.
pub trait Id<'a>: Copy {
    /// Reads the identifier.
    ///
    /// # Errors
    /// The text has another form.
    fn parse(text: &'a str) -> Result<Self, IdError>;

    /// The text it was read from.
    fn as_str(&self) -> &'a str;
}

impl<'a, T: Id<'a>> Field<'a, T> {
    /// Reads `text`, keeping it where it does not parse.
    pub fn read(text: &'a str) -> Self {
        T::parse(text).map_or(Self::Other(text), Self::Known)
    }

    /// The text, whatever it is.
    pub fn as_str(&self) -> &'a str {
        match self {
            Self::Known(id) => id.as_str(),
            Self::Other(text) => text,
        }
    }

    /// The identifier, where it has the expected form.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(id) => Some(id),
            Self::Other(_) => None,
        }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<'a>(&'a str);

        impl<'a> Id<'a> for $name<'a> {
            fn parse(text: &'a str) -> Result<Self, IdError> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                check(text).map(|()| Self(text)).map_err(|why| IdError { what: $what, why })
            }

            fn as_str(&self) -> &'a str {
                self.0
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
    };
}

fn ensure(ok: bool, why: &'static str) -> Result<(), &'static str> {
    if ok { Ok(()) } else { Err(why) }
}

id!(
    /// An access key id: 16 to 128 word characters (STS API reference, `Credentials.AccessKeyId`).
    AccessKeyId,
    "an access key id",
    |t| ensure(
        (16..=128).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
        "it has 16 to 128 letters, digits or underscores"
    )
);
id!(
    /// An account id: twelve digits. Not a number, since leading zeros count.
    AccountId,
    "an account id",
    |t| ensure(t.len() == 12 && t.bytes().all(|b| b.is_ascii_digit()), "it has exactly 12 digits")
);
id!(
    /// The `principalId` of a user identity: a unique id, `unique-id:session-name` for a role
    /// session, `account:name` for a federated user
    /// (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).
    PrincipalId,
    "a principal id",
    |t| ensure(!t.is_empty() && !t.chars().any(char::is_control), "it is empty or has control characters")
);
id!(
    /// A role session name: 2 to 64 of `[\w+=,.@-]` (STS API reference, AssumeRole).
    RoleSessionName,
    "a role session name",
    |t| ensure(
        (2..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)),
        "it has 2 to 64 of letters, digits and _+=,.@-"
    )
);
id!(
    /// The serial number of an MFA device: the ARN of a virtual one, or a hardware serial; 9 to 256
    /// of `[\w+=/:,.@-]` (STS API reference, GetSessionToken `SerialNumber`).
    MfaSerial,
    "an MFA serial number",
    |t| ensure(
        (9..=256).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=/:,.@-".contains(&b)),
        "it has 9 to 256 of letters, digits and _+=/:,.@-"
    )
);
id!(
    /// A source identity: 2 to 64 of `[\w+=,.@-]`, not beginning with `aws:` (STS API reference,
    /// AssumeRole `SourceIdentity`).
    SourceIdentity,
    "a source identity",
    |t| ensure(
        (2..=64).contains(&t.len())
            && !t.starts_with("aws:")
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)),
        "it has 2 to 64 of letters, digits and _+=,.@-"
    )
);
id!(
    /// A CloudTrail `eventID`: a GUID in lower case.
    EventId,
    "an event id",
    |t| ensure(uuid_bytes(t).is_some(), "it is a GUID in lower case")
);
id!(
    /// An ARN of any partition: `arn:partition:service:region:account:resource`.
    Arn,
    "an ARN",
    |t| {
        let mut parts = t.splitn(6, ':');
        let arn = parts.next() == Some("arn");
        let partition = parts.next().is_some_and(|p| !p.is_empty());
        let service = parts.next().is_some_and(|s| !s.is_empty());
        let resource = parts.nth(2).is_some_and(|r| !r.is_empty());
        ensure(arn && partition && service && resource, "it has six parts, `arn:partition:service:region:account:resource`")
    }
);

/// What an access key id's prefix says of it (IAM User Guide, "IAM identifiers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `AKIA`: a long-term key of a user or of root.
    LongTerm,
    /// `ASIA`: a temporary key.
    Temporary,
    /// Any other prefix.
    Other,
}

impl AccessKeyId<'_> {
    /// What the prefix says. A prefix is not proof: see `lineage`, which trusts the session context
    /// of the uses more.
    pub fn kind(&self) -> KeyKind {
        match self.0.as_bytes().get(..4) {
            Some(b"AKIA") => KeyKind::LongTerm,
            Some(b"ASIA") => KeyKind::Temporary,
            _ => KeyKind::Other,
        }
    }

    /// The account that the key id encodes. A hint only: publishers mask ids, and ids issued before
    /// 2019 do not encode it.
    pub fn account(&self) -> Option<String> {
        encoded_account(self.0)
    }
}

impl<'a> PrincipalId<'a> {
    /// The part before the colon: `AIDA…`, `AROA…`, an account id.
    pub fn unique_id(&self) -> &'a str {
        self.0.split_once(':').map_or(self.0, |(id, _)| id)
    }

    /// The role session name or federated user name, after the colon.
    pub fn session(&self) -> Option<&'a str> {
        self.0.split_once(':').map(|(_, session)| session)
    }
}

impl<'a> Arn<'a> {
    fn part(&self, n: usize) -> &'a str {
        self.0.splitn(6, ':').nth(n).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &'a str {
        self.part(1)
    }

    /// `iam`, `sts`, …
    pub fn service(&self) -> &'a str {
        self.part(2)
    }

    /// The account, or an empty text.
    pub fn account(&self) -> &'a str {
        self.part(4)
    }

    /// All after the fifth colon: `user/path/name`, `assumed-role/role/session`.
    pub fn resource(&self) -> &'a str {
        self.part(5)
    }

    /// The last part of the resource: a user's or role's name without its path.
    pub fn name(&self) -> &'a str {
        let resource = self.resource();
        resource.rsplit_once('/').map_or(resource, |(_, name)| name)
    }
}

impl EventId<'_> {
    /// The sixteen bytes of the GUID.
    pub fn bytes(&self) -> [u8; 16] {
        uuid_bytes(self.0).unwrap_or_default()
    }
}

/// The bytes of a GUID in lower case, `8-4-4-4-12`; anything else is `None`, so that printing the
/// bytes gives the text back.
pub fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let &[
        ..,
        b'-',
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = bytes
    else {
        return None;
    };
    // The digits without the hyphens, eight to a word.
    let [a, b] = [word(bytes, 0, 4)?, word(bytes, 9, 14)?];
    let [c, d] = [word(bytes, 19, 24)?, word(bytes, 28, 32)?];
    let [first, second] = [eight_bytes(a, b)?, eight_bytes(c, d)?];
    let id = u128::from(first) | u128::from(second) << 64;
    Some(id.to_le_bytes())
}

/// Twice four bytes as one number.
fn word(bytes: &[u8; 36], first: usize, second: usize) -> Option<u64> {
    let half = |at: usize| bytes.get(at..)?.first_chunk::<4>();
    let half = |at| Some(u64::from(u32::from_le_bytes(*half(at)?)));
    Some(half(first)? | half(second)? << 32)
}

/// Sixteen lower-case hexadecimal digits, the first in the lowest byte, as the bytes they spell. All at once:
/// every record has an event id, and a table look-up for each digit costs eight times as much.
#[inline]
fn eight_bytes(first: u64, second: u64) -> Option<u64> {
    let text = (u128::from(first) | u128::from(second) << 64).to_le_bytes();
    let text = u8x16::new(text);
    let [zero, ten] = [b'0', 10].map(u8x16::splat);
    // Whatever comes before `0` or `a` becomes large.
    let digit = text - zero;
    let letter = text - u8x16::splat(b'a' - 10);
    let is_digit = digit.min(u8x16::splat(9)).simd_eq(digit);
    let is_letter = letter.min(u8x16::splat(15)).simd_eq(letter) & letter.max(ten).simd_eq(letter);
    if (is_digit | is_letter).to_bitmask() != 0xffff {
        return None;
    }
    let nibbles = u128::from_le_bytes(((digit & is_digit) | (letter & is_letter)).to_array());
    let low = four_bytes(u64::try_from(nibbles & u128::from(u64::MAX)).ok()?);
    let high = four_bytes(u64::try_from(nibbles >> 64).ok()?);
    Some(low | high << 32)
}

/// Four bytes of eight nibbles, the first in the lowest byte.
#[inline]
fn four_bytes(nibbles: u64) -> u64 {
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (quads | quads >> 16) & 0xffff_ffff
}

/// A principal id as (unique id, session name); the session is empty unless both parts are there.
pub fn split_principal(principal: &str) -> (&str, &str) {
    match principal.split_once(':') {
        Some((id, session)) if !id.is_empty() && !session.is_empty() => (id, session),
        _ => (principal, ""),
    }
}

/// Whether `arn` is [`assumed_role`] of a role and session, found without making it.
pub fn is_session_of(arn: &str, role: &str, session: &str) -> bool {
    let Some(stem) = arn
        .strip_suffix(session)
        .and_then(|stem| stem.strip_suffix('/'))
    else {
        return false;
    };
    usual_session(stem.as_bytes(), role.as_bytes()).unwrap_or_else(|| same_fields(stem, role))
}

/// [`same_fields`] for ARNs as nearly all are, in which each field has its place; `None` for others.
fn usual_session(stem: &[u8], role: &[u8]) -> Option<bool> {
    let (account, role) = role.strip_prefix(b"arn:aws:iam::")?.split_first_chunk()?;
    let (own_account, own) = stem.strip_prefix(b"arn:aws:sts::")?.split_first_chunk()?;
    let account: &[u8; 12] = Some(account).filter(|a| !a.contains(&b':'))?;
    let role = role.strip_prefix(b":role/")?;
    let own = own.strip_prefix(b":assumed-role/")?;
    let name = role.rsplit(|b| *b == b'/').next()?;
    Some(account == own_account && own == name)
}

fn same_fields(stem: &str, role: &str) -> bool {
    let (mut stem, mut role) = (stem.splitn(6, ':'), role.splitn(6, ':'));
    let same = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
    let arn = stem.next() == Some("arn") && role.next() == Some("arn");
    let partition = same(stem.next(), role.next());
    let services = stem.next() == Some("sts") && role.next().is_some();
    let regions = stem.next() == Some("") && role.next().is_some();
    let account = same(stem.next(), role.next());
    let name = role.next().and_then(|resource| resource.rsplit('/').next());
    let own = stem
        .next()
        .and_then(|resource| resource.strip_prefix("assumed-role/"));
    arn && partition && services && regions && account && same(own, name)
}

/// The session's ARN of a role's ARN: the role's path is dropped (CloudTrail user guide,
/// "userIdentity element").
pub fn assumed_role(role: &str, session: &str) -> String {
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let (Some(partition), Some(account), Some(resource)) =
        (parts.get(1), parts.get(4), parts.get(5))
    else {
        return role.to_owned();
    };
    let name = resource.rsplit('/').next().unwrap_or_default();
    format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}")
}

/// Writes a GUID's bytes in lower case.
pub fn uuid_text(bytes: [u8; 16]) -> String {
    let n = u128::from_be_bytes(bytes);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        n >> 80 & 0xffff,
        n >> 64 & 0xffff,
        n >> 48 & 0xffff,
        n & 0xffff_ffff_ffff
    )
}

/// The account inside a key id or unique id: characters from the fifth on are base32 (RFC 4648); the
/// account is bits 7 to 46 of the first six bytes, and only ids whose top bit is set carry one.
fn encoded_account(id: &str) -> Option<String> {
    let body = id.as_bytes().get(4..14)?;
    let mut bits: u64 = 0;
    for &b in body {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'2'..=b'7' => b - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u64::from(value);
    }
    // Ten characters are 50 bits; the first six bytes are the top 48 of them.
    let six = bits >> 2;
    let account = (six & 0x7fff_ffff_ff80) >> 7;
    // Forty bits reach past twelve digits; such an id was made up.
    (six >> 47 == 1 && account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn account_is_decoded_from_new_style_ids_only() {
        let account = |t: &'static str| AccessKeyId::parse(t).ok().and_then(|k| k.account());
        assert_eq!(
            account("ASIAQNZGKIQY56JQ7WML").as_deref(),
            Some("029608264753")
        );
        assert_eq!(
            account("ASIA52RQV423TWB3UWEE").as_deref(),
            Some("950363612855")
        );
        assert_eq!(
            account("ASIAY34FZKBOKMUTVV7A").as_deref(),
            Some("609629065308")
        );
        assert_eq!(account("AKIAIOSFODNN7EXAMPLE"), None);
    }

    #[test]
    fn kinds_and_parts() {
        assert_eq!(AccessKeyId::parse("AKIA****************").ok(), None);
        assert_eq!(
            Field::<AccessKeyId<'_>>::read("AKIA****************").as_str(),
            "AKIA****************"
        );
        let arn = Arn::parse("arn:aws-us-gov:sts::123456789012:assumed-role/App/i-0abc").unwrap();
        assert_eq!(
            (arn.partition(), arn.account(), arn.name()),
            ("aws-us-gov", "123456789012", "i-0abc")
        );
        assert!(Arn::parse("arn:aws:iam").is_err());
        assert!(AccountId::parse("12345").is_err());
        let principal = PrincipalId::parse("AROAEXAMPLE:web").unwrap();
        assert_eq!(
            (principal.unique_id(), principal.session()),
            ("AROAEXAMPLE", Some("web"))
        );
    }

    #[test]
    fn the_usual_form_of_a_session_is_judged_as_any_form() {
        let accounts = [
            "123456789012",
            "1234567890:2",
            "12345678901",
            "",
            ":::::::::::::",
        ];
        let names = ["App", "a/App", "a:b/App", "App:role/App", "", "/"];
        let (mut usual, mut same) = (0, 0);
        for (own_account, account) in accounts.iter().flat_map(|a| accounts.map(|b| (a, b))) {
            for (own, name) in names.iter().flat_map(|a| names.map(|b| (a, b))) {
                let role = format!("arn:aws:iam::{account}:role/{name}");
                let stem = format!("arn:aws:sts::{own_account}:assumed-role/{own}");
                let any = same_fields(&stem, &role);
                let quick = usual_session(stem.as_bytes(), role.as_bytes());
                assert!(quick.is_none_or(|quick| quick == any), "{stem} {role}");
                usual += usize::from(quick.is_some());
                same += usize::from(quick == Some(true));
            }
        }
        assert!(usual > same && same > 0);
    }

    fn round_trip<'a, T: Id<'a>>(text: &'a str) -> bool {
        Field::<T>::read(text).as_str() == text
    }

    proptest! {
        #[test]
        fn every_text_survives_every_reader(text in ".*") {
            prop_assert!(round_trip::<AccessKeyId<'_>>(&text));
            prop_assert!(round_trip::<AccountId<'_>>(&text));
            prop_assert!(round_trip::<Arn<'_>>(&text));
            prop_assert!(round_trip::<PrincipalId<'_>>(&text));
            prop_assert!(round_trip::<RoleSessionName<'_>>(&text));
            prop_assert!(round_trip::<MfaSerial<'_>>(&text));
            prop_assert!(round_trip::<SourceIdentity<'_>>(&text));
            prop_assert!(round_trip::<EventId<'_>>(&text));
        }

        #[test]
        fn the_arn_of_a_session_follows_or_not(role in "[a-z:/]{0,24}", session in "[a-z/]{0,4}", arn in "[a-z:/]{0,30}") {
            let role = format!("arn:aws:iam::123456789012:role/{role}");
            let made = assumed_role(&role, &session);
            prop_assert!(is_session_of(&made, &role, &session));
            prop_assert_eq!(is_session_of(&arn, &role, &session), arn == made);
        }

        #[test]
        fn a_guid_prints_as_it_was_read(bytes: [u8; 16]) {
            let text = uuid_text(bytes);
            prop_assert_eq!(EventId::parse(&text).map(|id| id.bytes()), Ok(bytes));
        }

        #[test]
        fn only_lower_case_digits_make_a_guid(
            guid: [u8; 16],
            at in 0usize..36,
            other in r"[0-9a-fA-G/:`\-\u{1}@\u{7f}p]",
        ) {
            let mut text = uuid_text(guid);
            text.replace_range(at..=at, &other);
            let fits = |(at, b): (usize, u8)| match at {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
            };
            let bytes = uuid_bytes(&text);
            prop_assert_eq!(bytes.is_some(), text.bytes().enumerate().all(fits));
            prop_assert!(bytes.is_none_or(|bytes| uuid_text(bytes) == text));
        }
    }
}
