//! Databases of networks in MaxMind's format, brought by the user.

use anyhow::Context as _;
use maxminddb::{Reader, geoip2};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use unchain_core::detect::Whereabouts;

/// Open databases. What one does not know, the next may.
#[derive(Debug, Default)]
pub(crate) struct Geo(Vec<Reader<Vec<u8>>>);

impl Geo {
    /// Opens them.
    pub(crate) fn open(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let readers: anyhow::Result<Vec<_>> = paths.iter().map(|path| open(path)).collect();
        Ok(Self(readers?))
    }

    /// What they know about an address.
    pub(crate) fn find(&self, address: IpAddr) -> Option<Whereabouts> {
        let mut found = Whereabouts::default();
        for reader in &self.0 {
            // A record of another kind than expected says nothing; so does a damaged one.
            let Ok(result) = reader.lookup(address) else {
                continue;
            };
            if let Ok(Some(asn)) = result.decode::<geoip2::Asn<'_>>() {
                found.asn = found.asn.or(asn.autonomous_system_number);
                let name = asn.autonomous_system_organization.map(str::to_owned);
                found.organisation = found.organisation.or(name);
            }
            if let Ok(Some(place)) = result.decode::<geoip2::Country<'_>>() {
                found.country = found.country.or(place.country.iso_code.map(str::to_owned));
            }
        }
        (found != Whereabouts::default()).then_some(found)
    }
}

fn open(path: &Path) -> anyhow::Result<Reader<Vec<u8>>> {
    Reader::open_readfile(path).with_context(|| {
        format!(
            "`{}` cannot be read as a database of networks; --geoip wants a file in MaxMind's format (.mmdb)",
            path.display()
        )
    })
}
