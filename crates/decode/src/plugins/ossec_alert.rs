//! Alerts that another server sends by syslog.

use super::Plugin;
use super::PluginOutput;
use super::PluginValue;
use super::reader::Reader;
use super::reader::cut;

use model::Field;
use model::Span;

/// `Alert Level: 5; Rule: 5716 - Failed.; Location: web1->/var/log/auth.log; user: root;  text`
pub(super) struct OssecAlert;

/// An alert of another server. Spans are into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayedAlert {
    /// The rule that fired there, and fires here without matching anything.
    pub rule: u32,
    /// The location as the other server saw it.
    pub location: Span,
    /// The original text, which becomes the log.
    pub log: Span,
}

/// Bytes of the original text.
const LOG_BYTES_MAX: usize = 4094;

/// The items a server writes between the location and the original text.
const ITEMS: [&[u8]; 14] = [
    b"classification: ",
    b"srcip: ",
    b"srccity: ",
    b"dstcity: ",
    b"dstip: ",
    b"user: ",
    b"Previous MD5: ",
    b"Current MD5: ",
    b"Previous SHA1: ",
    b"Current SHA1: ",
    b"Size changed: ",
    b"User ownership: ",
    b"Group ownership: ",
    b"Permissions changed: ",
];

impl Plugin for OssecAlert {
    fn name(&self) -> &'static str {
        "OSSECAlert_Decoder"
    }

    fn about(&self) -> &'static str {
        "alerts of another OSSEC server: rule, location, source address, user, original text"
    }

    fn decode(&self, log: &[u8], out: &mut PluginOutput) {
        // Fixed: what is no alert stays a normal event; OSSEC loses it.
        if let Some((alert, items)) = read(log) {
            out.alert = Some(alert);
            for (field, value) in [(Field::SrcIp, items.source), (Field::DstUser, items.user)] {
                if let Some(value) = value {
                    out.set(field, PluginValue::Log(value));
                }
            }
        }
    }
}

/// The items that become fields.
#[derive(Default)]
struct Items {
    source: Option<Span>,
    user: Option<Span>,
}

fn read(log: &[u8]) -> Option<(RelayedAlert, Items)> {
    let mut reader = Reader::new(log);
    reader.until(b';')?;
    reader.find(b": ")?;
    let id = reader.until(b' ')?;
    let rule = std::str::from_utf8(reader.bytes(id)).ok()?.parse().ok()?;
    // A description may contain a semicolon.
    reader.find(b"; Location: ")?;
    let location = reader.until(b';')?;
    let items = read_items(&mut reader);
    reader.run(|byte| byte == b' ');
    let text = reader.rest().trim_ascii_end().len();
    if text == 0 || location.range().is_empty() {
        return None;
    }
    let log = cut(reader.take(text), LOG_BYTES_MAX);
    Some((RelayedAlert { rule, location, log }, items))
}

/// Reads items up to the original text. That follows after two blanks or, from OSSEC's own
/// sender, after one, where only the known names tell an item from it.
fn read_items(reader: &mut Reader<'_>) -> Items {
    let mut items = Items::default();
    loop {
        let mut item = *reader;
        let known = item.word(b" ").and_then(|()| {
            let name = ITEMS.into_iter().find(|name| item.rest().starts_with(name))?;
            item.word(name)?;
            Some((name, item.until(b';')?))
        });
        match known {
            Some((b"srcip: ", value)) => items.source = Some(value),
            Some((b"user: ", value)) => items.user = Some(value),
            Some(_) => {}
            None => return items,
        }
        *reader = item;
    }
}
