//! Identifiers that follow from names: the same name in the same account is the same key in every
//! trail, so a test can be read without a table. It knows the forms of AWS identifiers and nothing of
//! what they stand for.

/// Every session token holds this text, so that a test can search any output for a leaked token.
pub const TOKEN_MARKER: &str = "UNCHAINTESTTOKEN";

/// The kinds of identifier that encode their account, by the prefix AWS gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `AKIA`, a long-term access key.
    LongTermKey,
    /// `ASIA`, a temporary access key.
    TemporaryKey,
    /// `AIDA`, a user.
    User,
    /// `AROA`, a role.
    Role,
}

/// Makes the identifier that `name` has in `account` (twelve digits).
///
/// The account is encoded as AWS encodes it: the first six of the ten bytes behind the prefix hold a set
/// bit, the forty bits of the account number, and seven bits of noise.
///
/// ```
/// use unchain_trail::{Prefix, identifier};
/// let key = identifier(Prefix::LongTermKey, "111122223333", "A");
/// assert!(key.starts_with("AKIA") && key.len() == 20);
/// assert_eq!(key, identifier(Prefix::LongTermKey, "111122223333", "A"));
/// ```
#[must_use]
pub fn identifier(prefix: Prefix, account: &str, name: &str) -> String {
    let (letters, extra) = match prefix {
        Prefix::LongTermKey => ("AKIA", false),
        Prefix::TemporaryKey => ("ASIA", false),
        Prefix::User => ("AIDA", true),
        Prefix::Role => ("AROA", true),
    };
    let mut noise = Noise::new(&[letters, account, name]);
    let number = account.parse::<u64>().unwrap_or(0) & 0xff_ffff_ffff;
    let head = (1_u64 << 47) | (number << 7) | (noise.next() & 0x7f);
    let body = (u128::from(head) << 32) | u128::from(noise.next() >> 32);
    let mut text = letters.to_owned();
    for place in (0..16_u32).rev() {
        text.push(base32(body >> (place * 5)));
    }
    if extra {
        text.push(base32(u128::from(noise.next())));
    }
    text
}

/// A stream of numbers that follows from some names: FNV-1a to start, then splitmix64. It needs to be
/// stable and well spread, not secure.
#[derive(Debug, Clone)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(names: &[&str]) -> Self {
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        for name in names {
            for byte in name.bytes().chain(std::iter::once(0xff)) {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        Self(state)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A version 4 GUID, as event and request ids are.
pub(crate) fn guid(names: &[&str]) -> String {
    let mut noise = Noise::new(names);
    let (high, low) = (noise.next(), noise.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48 & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// Seventeen hexadecimal digits, as behind `i-` in an instance id.
pub(crate) fn instance_id(name: &str) -> String {
    let mut noise = Noise::new(&["instance", name]);
    format!("i-0{:016x}", noise.next())
}

/// A session token: the length and alphabet of a real one, the marker inside.
pub(crate) fn session_token(key: &str) -> String {
    const LENGTH: usize = 796;
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut noise = Noise::new(&["token", key]);
    let mut text = format!("IQoJb3JpZ2luX2VjE{TOKEN_MARKER}");
    while text.len() < LENGTH {
        let mut bits = noise.next();
        for _ in 0..10 {
            let at = usize::try_from(bits & 63).unwrap_or(0);
            text.extend(ALPHABET.get(at).copied().map(char::from));
            bits >>= 6;
        }
    }
    text.truncate(LENGTH);
    text.push_str("==");
    text
}

/// An address of the range kept for documentation, for a caller whose address the trail does not give.
pub(crate) fn address(name: &str) -> String {
    let number = Noise::new(&["address", name]).next() % 253 + 1;
    format!("203.0.113.{number}")
}

fn base32(bits: u128) -> char {
    match u8::try_from(bits & 31) {
        Ok(digit @ 0..26) => char::from(b'A' + digit),
        Ok(digit) => char::from(b'2' + (digit - 26)),
        Err(_) => 'A',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes the account of an identifier, by the published rule.
    fn account_of(id: &str) -> u64 {
        let body = id.get(4..20).unwrap();
        let mut bits = 0_u128;
        for letter in body.bytes() {
            let digit = match letter {
                b'A'..=b'Z' => letter - b'A',
                _ => letter - b'2' + 26,
            };
            bits = (bits << 5) | u128::from(digit);
        }
        let head = u64::try_from(bits >> 32).unwrap();
        (head & 0x7fff_ffff_ff80) >> 7
    }

    #[test]
    fn identifiers_encode_their_account() {
        for account in ["111122223333", "000000000001", "999999999999"] {
            for prefix in [
                Prefix::LongTermKey,
                Prefix::TemporaryKey,
                Prefix::User,
                Prefix::Role,
            ] {
                let id = identifier(prefix, account, "alice");
                assert_eq!(account_of(&id), account.parse::<u64>().unwrap(), "{id}");
                assert!(
                    matches!(id.as_bytes()[4], b'Q'..=b'Z' | b'2'..=b'7'),
                    "{id}"
                );
            }
        }
        assert_eq!(identifier(Prefix::User, "111122223333", "alice").len(), 21);
        assert_eq!(
            identifier(Prefix::TemporaryKey, "111122223333", "B").len(),
            20
        );
    }

    #[test]
    fn names_and_accounts_tell_identifiers_apart() {
        let ids = ["A", "B", "C"].map(|name| identifier(Prefix::LongTermKey, "111122223333", name));
        assert_eq!(
            ids.iter().collect::<std::collections::BTreeSet<_>>().len(),
            3
        );
    }

    #[test]
    fn a_guid_has_the_form_of_version_4() {
        let id = guid(&["some", "event"]);
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }

    #[test]
    fn every_token_holds_the_marker() {
        let token = session_token("ASIAEXAMPLE");
        assert!(token.contains(TOKEN_MARKER));
        assert!((700..900).contains(&token.len()));
    }
}
