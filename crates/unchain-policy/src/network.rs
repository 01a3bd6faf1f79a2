//! Address ranges of the `IpAddress` operators.

use std::net::IpAddr;

/// A range of addresses in CIDR form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or one address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= width)?,
            None => width,
        };
        Some(Self { address, prefix })
    }

    /// Whether `address` is in the range; one of the other family never is.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                same(u32::from(net) ^ u32::from(address), 32, self.prefix)
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                same(u128::from(net) ^ u128::from(address), 128, self.prefix)
            }
            _ => false,
        }
    }
}

/// Whether the first `prefix` of `width` bits of `difference` are zero.
fn same(difference: impl Into<u128>, width: u32, prefix: u32) -> bool {
    difference.into().checked_shr(width - prefix).unwrap_or(0) == 0
}
