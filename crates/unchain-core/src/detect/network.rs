//! From which network a call came.
//!
//! Addresses of one network are one place: people get another address of the same provider every day,
//! and a dual-stack client has two. Where the user gave a database of networks, a network is an
//! autonomous system; else it is the /24 (IPv4) or /48 (IPv6) around the address. `sourceIPAddress` may
//! also be `AWS Internal` or a service's DNS name
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html):
//! then nothing is known of where the caller was.

use super::Numbered;
use super::settings::Settings;
use crate::ledger::{Ledger, Symbol};
use core::net::IpAddr;
use std::collections::HashMap;

/// What a database of networks says about an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The number of its autonomous system.
    pub asn: Option<u32>,
    /// Who runs that.
    pub organisation: Option<String>,
    /// ISO 3166 code of its country.
    pub country: Option<String>,
}

/// A network: a number of [`Networks`], or [`Network::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(u32);

impl Network {
    /// The caller was inside AWS, or the record does not say where.
    pub const NONE: Self = Self(u32::MAX);

    /// Whether it is one.
    pub fn is_some(self) -> bool {
        self != Self::NONE
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    /// The user's own name for it in the settings.
    known: bool,
    private: bool,
    whereabouts: Whereabouts,
}

/// The networks of a ledger's clients.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    of_client: Vec<Network>,
    rows: Vec<Row>,
}

impl Networks {
    /// Finds the network of every client. `lookup` asks the user's database, once for each address.
    pub fn new(
        ledger: &Ledger,
        settings: &Settings,
        lookup: &dyn Fn(IpAddr) -> Option<Whereabouts>,
    ) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let mut by_name: HashMap<String, Network> = HashMap::new();
        let mut by_address: Numbered<(Symbol, Symbol), Network> = Numbered::default();
        let mut of_client = Vec::with_capacity(ledger.clients().len());
        for client in ledger.clients() {
            let network = *by_address
                .entry((client.address, client.endpoint))
                .or_insert_with(|| {
                    let endpoint = ledger.text(client.endpoint);
                    let Some(row) = row(ledger.text(client.address), endpoint, settings, lookup)
                    else {
                        return Network::NONE;
                    };
                    *by_name.entry(row.name.clone()).or_insert_with(|| {
                        rows.push(row);
                        Network(u32::try_from(rows.len() - 1).unwrap_or(u32::MAX))
                    })
                });
            of_client.push(network);
        }
        Self { of_client, rows }
    }

    /// The network of a client of the ledger.
    pub fn of_client(&self, client: u32) -> Network {
        self.of_client
            .get(client as usize)
            .copied()
            .unwrap_or(Network::NONE)
    }

    fn row(&self, network: Network) -> Option<&Row> {
        self.rows.get(network.0 as usize)
    }

    /// Its name: what the settings call it, `AS64500`, `vpce-…`, or the block around the address.
    pub fn name(&self, network: Network) -> &str {
        self.row(network).map_or("", |row| &row.name)
    }

    /// Whether the settings name it.
    pub fn is_known(&self, network: Network) -> bool {
        self.row(network).is_some_and(|row| row.known)
    }

    /// Whether its addresses are private: calls that come through a VPC endpoint, and edited logs.
    pub fn is_private(&self, network: Network) -> bool {
        self.row(network).is_some_and(|row| row.private)
    }

    /// What the user's database says about it.
    pub fn whereabouts(&self, network: Network) -> Option<&Whereabouts> {
        self.row(network).map(|row| &row.whereabouts)
    }
}

fn row(
    address: &str,
    endpoint: &str,
    settings: &Settings,
    lookup: &dyn Fn(IpAddr) -> Option<Whereabouts>,
) -> Option<Row> {
    let address: IpAddr = address.parse().ok()?;
    let private = is_private(address);
    if let Some(known) = settings.network(address) {
        return Some(Row {
            name: known.to_owned(),
            known: true,
            private,
            whereabouts: Whereabouts::default(),
        });
    }
    let whereabouts = lookup(address).unwrap_or_default();
    let name = match whereabouts.asn {
        _ if private && !endpoint.is_empty() => endpoint.to_owned(),
        Some(asn) => format!("AS{asn}"),
        None => block(address),
    };
    Some(Row {
        name,
        known: false,
        private,
        whereabouts,
    })
}

/// The block around an address in which it is taken to move.
fn block(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// RFC 1918, RFC 4193, RFC 6598, loopback and link-local addresses.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
