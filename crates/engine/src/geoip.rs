//! Countries of addresses, from a MaxMind database.

use std::net::IpAddr;

use maxminddb::Reader;

/// A database, read into memory by the caller.
pub struct GeoIp {
    reader: Reader<Vec<u8>>,
}

/// The bytes are not a MaxMind database.
#[derive(Debug, thiserror::Error)]
#[error("not a GeoIP database: {0}")]
pub struct NotADatabase(#[from] maxminddb::MaxMindDbError);

impl GeoIp {
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, NotADatabase> {
        Ok(Self { reader: Reader::from_source(bytes)? })
    }

    /// `CC / Region` or `CC` of an address; `None` if it is no address or not known.
    pub fn place(&self, address: &[u8]) -> Option<String> {
        let address: IpAddr = std::str::from_utf8(address).ok()?.parse().ok()?;
        let found: maxminddb::geoip2::City<'_> =
            self.reader.lookup(address).ok()?.decode().ok()??;
        let country = found.country.iso_code?;
        let region = found.subdivisions.first().and_then(|region| region.names.english);
        Some(match region {
            Some(region) => format!("{country} / {region}"),
            None => country.to_owned(),
        })
    }
}

impl std::fmt::Debug for GeoIp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeoIp").finish_non_exhaustive()
    }
}
