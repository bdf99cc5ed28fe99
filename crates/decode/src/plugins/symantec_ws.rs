//! Symantec Web Security: items of a number and a value, separated by commas.

use super::Plugin;
use super::PluginOutput;
use super::PluginValue;
use super::reader::Reader;
use super::reader::cut;

use memchr::memchr;
use model::Field;

/// `20070717,73613,1=5,11=10.1.1.3,10=user,3=1,2=1`
pub(super) struct SymantecWebSecurity;

/// Bytes of a user or an address.
const NAME_BYTES_MAX: usize = 128;
/// Bytes of a URL.
const URL_BYTES_MAX: usize = 1024;
/// Bytes of the id.
const ID_BYTES: usize = 9;

impl Plugin for SymantecWebSecurity {
    fn name(&self) -> &'static str {
        "SymantecWS_Decoder"
    }

    fn about(&self) -> &'static str {
        "Symantec Web Security: user, source address, URL, id"
    }

    fn decode(&self, log: &[u8], out: &mut PluginOutput) {
        let mut reader = Reader::new(log);
        while reader.until(b',').is_some() {
            read_item(reader, out);
        }
    }
}

/// Reads the item that `reader` stands at. Of equal items, the first counts.
fn read_item(mut reader: Reader<'_>, out: &mut PluginOutput) {
    let rest = reader.rest();
    let (key, field, bytes_max) = match rest {
        [b'1', b'0', b'=', ..] => (3, Field::DstUser, NAME_BYTES_MAX),
        [b'1', b'1', b'=', ..] => (3, Field::SrcIp, NAME_BYTES_MAX),
        [b'6', b'0', b'=', ..] => (3, Field::Url, URL_BYTES_MAX),
        // compat: rules expect the key, the comma and the next item in the id: `3=1,2=1`.
        [b'3' | b'2', b'=', ..] => {
            if !out.has(Field::Id) {
                out.set(Field::Id, PluginValue::Log(reader.take(ID_BYTES)));
            }
            return;
        }
        _ => return,
    };
    if out.has(field) {
        return;
    }
    reader.take(key);
    let len = memchr(b',', reader.rest()).unwrap_or(reader.rest().len());
    out.set(field, PluginValue::Log(cut(reader.take(len), bytes_max)));
}
