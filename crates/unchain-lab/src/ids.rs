//! Identifiers as AWS forms them, from a seeded stream: the same seed and the same calls give the same ids, so a
//! story is repeatable. They are well spread, not secret.

use serde::{Deserialize, Serialize};
use unchain_trail::{Prefix, identifier};

/// Makes identifiers; two from one maker never agree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ids {
    seed: u64,
    made: u64,
}

impl Ids {
    /// A maker whose whole sequence follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    /// The next number of the stream (splitmix64).
    pub fn number(&mut self) -> u64 {
        self.made = self.made.wrapping_add(1);
        let mut mixed = self
            .seed
            .wrapping_add(self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An access key id or unique id that encodes its account
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
    pub fn identifier(&mut self, prefix: Prefix, account: &str) -> String {
        let name = self.number().to_string();
        identifier(prefix, account, &name)
    }

    /// A unique id of another kind: `AGPA` group, `ANPA` policy, `AIPA` instance profile.
    pub fn unique(&mut self, prefix: &str, account: &str) -> String {
        let id = self.identifier(Prefix::User, account);
        format!("{prefix}{}", id.get(4..).unwrap_or_default())
    }

    /// A version 4 GUID, as request and event ids are.
    pub fn guid(&mut self) -> String {
        let (high, low) = (self.number(), self.number());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48 & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }

    /// Random text of `length` characters out of the alphabet of base64.
    pub fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::with_capacity(length + 10);
        while text.len() < length {
            let bits = self.number();
            text.extend((0..10_u32).filter_map(|place| {
                let at = usize::try_from((bits >> (place * 6)) & 63).ok()?;
                ALPHABET.get(at).copied().map(char::from)
            }));
        }
        text.truncate(length);
        text
    }

    /// A secret access key: forty characters.
    pub fn secret(&mut self) -> String {
        self.text(40)
    }

    /// A session token of about the usual length; its first letters are those every AWS token begins with.
    pub fn session_token(&mut self) -> String {
        format!("IQoJb3JpZ2luX2VjE{}==", self.text(779))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_seed_and_do_not_repeat() {
        let (mut one, mut two) = (Ids::new(7), Ids::new(7));
        let first = one.identifier(Prefix::TemporaryKey, "111122223333");
        assert_eq!(first, two.identifier(Prefix::TemporaryKey, "111122223333"));
        assert_ne!(first, one.identifier(Prefix::TemporaryKey, "111122223333"));
        assert_eq!(one.secret().len(), 40);
        assert_eq!(one.guid().len(), 36);
        assert!(one.unique("AGPA", "111122223333").starts_with("AGPA"));
    }
}
