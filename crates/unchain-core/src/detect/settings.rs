//! What the user knows and the log does not say: own networks, automation, identity providers, names
//! of accounts. Reading the file is the program's part (`unchain.toml`).

use crate::time::Timestamp;
use core::net::IpAddr;
use std::collections::BTreeMap;

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    base: u128,
    bits: u8,
    v4: bool,
}

impl Block {
    /// Reads `192.0.2.0/24`, `2001:db8::/32` or one address.
    ///
    /// # Errors
    ///
    /// Why it is no block, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{text}` is no address or block such as 192.0.2.0/24"))?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|bits| *bits <= width)
                .ok_or_else(|| {
                    format!("`{text}`: the part after `/` is a number from 0 to {width}")
                })?,
        };
        let (value, v4) = number(address);
        let block = Self {
            base: mask(value, bits, v4),
            bits,
            v4,
        };
        if block.base != value {
            return Err(format!("`{text}` has bits set beyond its first {bits}"));
        }
        Ok(block)
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (value, v4) = number(address.to_canonical());
        v4 == self.v4 && mask(value, self.bits, v4) == self.base
    }
}

fn number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    }
}

/// The first `bits` of an address, the others zero.
fn mask(value: u128, bits: u8, v4: bool) -> u128 {
    let width: u32 = if v4 { 32 } else { 128 };
    let rest = width.saturating_sub(u32::from(bits));
    value
        .checked_shr(rest)
        .and_then(|kept| kept.checked_shl(rest))
        .unwrap_or(0)
}

/// Automation or people whose findings are expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Principals: an ARN in which `*` stands for any text.
    pub principal: String,
    /// Only these detections; all if empty.
    pub detections: Vec<String>,
    /// Not after this instant.
    pub until: Option<Timestamp>,
    /// Why, in the user's words.
    pub reason: String,
}

/// What the user knows.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Own networks by name.
    pub networks: Vec<(String, Block)>,
    /// Findings that are expected.
    pub allowed: Vec<Allowed>,
    /// Identity providers that belong here: an ARN or issuer in which `*` stands for any text.
    pub providers: Vec<String>,
    /// Names of accounts by id. An account that is named is one of ours.
    pub accounts: BTreeMap<String, String>,
}

impl Settings {
    /// The user's name for the network of an address.
    pub fn network(&self, address: IpAddr) -> Option<&str> {
        let named = self
            .networks
            .iter()
            .find(|(_, block)| block.contains(address));
        named.map(|(name, _)| name.as_str())
    }

    /// Whether an identity provider is listed.
    pub fn knows_provider(&self, provider: &str) -> bool {
        self.providers
            .iter()
            .any(|pattern| matches(pattern, provider))
    }

    /// The entry that expects a finding of this detection, now seen, about any of these principals.
    pub fn allows(
        &self,
        detection: &str,
        principals: &[String],
        seen: Timestamp,
    ) -> Option<&Allowed> {
        self.allowed.iter().find(|entry| {
            let named =
                entry.detections.is_empty() || entry.detections.iter().any(|d| d == detection);
            named
                && entry.until.is_none_or(|until| seen <= until)
                && principals.iter().any(|p| matches(&entry.principal, p))
        })
    }
}

/// Whether a text follows a pattern in which `*` stands for any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_their_addresses() {
        let holds = |block: &str, address: &str| {
            Block::parse(block)
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(holds("192.0.2.0/24", "192.0.2.255"));
        assert!(!holds("192.0.2.0/24", "192.0.3.0"));
        assert!(holds("0.0.0.0/0", "203.0.113.9"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(holds("192.0.2.7", "::ffff:192.0.2.7"));
        assert!(Block::parse("192.0.2.1/24").is_err());
        assert!(Block::parse("192.0.2.0/33").is_err());
        assert!(Block::parse("office").is_err());
    }

    #[test]
    fn stars_stand_for_any_text() {
        assert!(matches(
            "arn:aws:iam::*:role/deploy-*",
            "arn:aws:iam::1:role/deploy-x"
        ));
        assert!(!matches(
            "arn:aws:iam::*:role/deploy-*",
            "arn:aws:iam::1:role/other"
        ));
        assert!(matches("*", ""));
        assert!(matches("abc", "abc"));
        assert!(!matches("abc", "abcd"));
        assert!(!matches("a*bc*c", "abc"));
    }
}
