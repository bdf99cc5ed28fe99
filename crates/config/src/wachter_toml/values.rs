//! What single settings may be.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use model::Diagnostic;
use toml::de::DeValue;

use super::GatewayAt;
use crate::messages;

/// Bytes of the name of a set, as ipset has them.
const NAME_BYTES_MAX: usize = 31;
/// Bytes of the name of a host or container.
const PLACE_BYTES_MAX: usize = 255;
const URL_BYTES_MAX: usize = 2048;

/// One of some words.
pub(super) fn word<T: Copy>(
    value: &DeValue<'_>,
    words: &[(&str, T)],
    bad: impl FnOnce() -> Diagnostic,
) -> Result<T, Diagnostic> {
    let word = value.as_str().and_then(|word| words.iter().find(|(known, _)| *known == word));
    word.map(|(_, meaning)| *meaning).ok_or_else(bad)
}

pub(super) fn integer<T: TryFrom<u64>>(
    key: &str,
    value: &DeValue<'_>,
    range: RangeInclusive<u64>,
    unit: &str,
) -> Result<T, Diagnostic> {
    let number = value
        .as_integer()
        .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok())
        .filter(|number| range.contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| messages::bad_integer(key, *range.start(), *range.end(), unit))
}

pub(super) fn yes(key: &str, value: &DeValue<'_>) -> Result<bool, Diagnostic> {
    value.as_bool().ok_or_else(|| messages::bad_boolean(key))
}

pub(super) fn loopback(value: &DeValue<'_>) -> Result<SocketAddr, Diagnostic> {
    let address: Option<SocketAddr> = value.as_str().and_then(|text| text.parse().ok());
    let address = address.ok_or_else(|| messages::bad_listener("listen"))?;
    match address.ip().to_canonical().is_loopback() {
        true => Ok(address),
        false => Err(messages::listener_not_local("listen")),
    }
}

/// The name of a set or table: no option, no path, no blank.
pub(super) fn name(key: &str, value: &DeValue<'_>) -> Result<String, Diagnostic> {
    let fits = |text: &&str| is_plain(text, b"._-") && text.len() <= NAME_BYTES_MAX;
    let name = value.as_str().filter(fits).map(str::to_owned);
    name.ok_or_else(|| messages::bad_name(key, NAME_BYTES_MAX))
}

/// Names of commands.
pub(super) fn names(key: &str, value: &DeValue<'_>) -> Result<Vec<String>, Diagnostic> {
    let list = value.as_array().ok_or_else(|| messages::bad_names(key))?;
    let name = |value: &toml::Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
    list.iter().map(name).collect::<Option<_>>().ok_or_else(|| messages::bad_names(key))
}

pub(super) fn path(key: &str, value: &DeValue<'_>) -> Result<PathBuf, Diagnostic> {
    let path = value.as_str().filter(|path| path.starts_with('/') && !path.contains('\0'));
    path.map(PathBuf::from).ok_or_else(|| messages::bad_path(key))
}

/// Where the gateway is.
pub(super) fn gateway(value: &DeValue<'_>) -> Result<GatewayAt, Diagnostic> {
    let text = value.as_str().unwrap_or_default();
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    let is_host = is_plain(name, b"._-@:") && !name.contains("@-");
    let at = match kind {
        "here" if text == "here" => Some(GatewayAt::Here),
        "namespace" if is_plain(name, b"._-+") => Some(GatewayAt::Namespace(name.to_owned())),
        "container" if is_plain(name, b"._-+") => Some(GatewayAt::Container(name.to_owned())),
        "ssh" if is_host => Some(GatewayAt::Ssh(name.to_owned())),
        _ => None,
    };
    at.ok_or_else(messages::bad_gateway)
}

pub(super) fn url(key: &str, value: &DeValue<'_>) -> Result<String, Diagnostic> {
    let is_url = |text: &&str| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        !host.is_empty()
            && text.len() <= URL_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let url = value.as_str().filter(is_url).map(str::to_owned);
    url.ok_or_else(|| messages::bad_url(key))
}

/// A word of letters, digits and these, that begins with none of `.` and `-`.
fn is_plain(text: &str, others: &[u8]) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    (1..=PLACE_BYTES_MAX).contains(&text.len())
        && text.bytes().all(known)
        && !text.starts_with(['.', '-'])
}
