//! SonicWall firewalls.

use super::Plugin;
use super::PluginOutput;
use super::PluginValue;
use super::reader::Reader;

use model::Category;
use model::Field;
use model::Span;

/// `… pri=6 c=262144 m=98 msg="…" n=1 src=10.0.0.1:1:WAN dst=10.0.0.2:2:WAN proto=tcp/2`
pub(super) struct SonicWall;

/// Bytes of a protocol's name.
const PROTOCOL_BYTES_MAX: usize = 6;
/// The category of attacks.
const ATTACKS: &[u8] = b"32";

impl Plugin for SonicWall {
    fn name(&self) -> &'static str {
        "SonicWall_Decoder"
    }

    fn about(&self) -> &'static str {
        "SonicWall: priority, id, addresses, ports, protocol, action, web requests"
    }

    fn decode(&self, log: &[u8], out: &mut PluginOutput) {
        out.category = Some(Category::Syslog);
        let mut reader = Reader::new(log);
        let Some(kind) = find(&mut reader, b"pri=", kind) else { return };
        out.set(Field::Status, PluginValue::Log(kind.priority));
        out.set(Field::Id, PluginValue::Log(kind.id));
        if let Some(flow) = find(&mut reader, b"src=", flow) {
            out.set(Field::SrcIp, PluginValue::Log(flow.source.0));
            out.set(Field::SrcPort, PluginValue::Log(flow.source.1));
            out.set(Field::DstIp, PluginValue::Log(flow.destination.0));
            out.set(Field::DstPort, PluginValue::Log(flow.destination.1));
            if let Some(protocol) = protocol(&mut reader) {
                out.set(Field::Protocol, PluginValue::Log(protocol));
            }
        }
        if reader.bytes(kind.category) == ATTACKS {
            out.category = Some(Category::Ids);
            return;
        }
        let action = match reader.bytes(kind.id) {
            b"98" | b"597" | b"598" => "pass",
            b"36" | b"37" | b"38" | b"173" | b"174" => "drop",
            b"537" => "close",
            b"97" => {
                out.category = Some(Category::Squid);
                if let Some(request) = find(&mut reader, b"result=", request) {
                    out.set(Field::Id, PluginValue::Log(request.result));
                    out.set(Field::Url, PluginValue::Joined(request.host, request.path));
                }
                return;
            }
            _ => return,
        };
        out.category = Some(Category::Firewall);
        out.set(Field::Action, PluginValue::Word(action));
    }
}

/// `pri=6 c=262144 m=98 `
struct Kind {
    priority: Span,
    category: Span,
    id: Span,
}

/// `src=10.0.0.1:1:WAN dst=10.0.0.2:2:`, each side as address and port.
struct Flow {
    source: (Span, Span),
    destination: (Span, Span),
}

/// `result=200 dstname=example.org arg=/`
struct Request {
    result: Span,
    host: Span,
    path: Span,
}

/// Reads `part` at the first `word` behind which it fits; the reader moves only if there is one.
fn find<T>(
    reader: &mut Reader<'_>,
    word: &[u8],
    part: fn(&mut Reader<'_>) -> Option<T>,
) -> Option<T> {
    let mut search = *reader;
    while search.find(word).is_some() {
        let mut here = search;
        if let Some(found) = part(&mut here) {
            *reader = here;
            return Some(found);
        }
    }
    None
}

fn kind(reader: &mut Reader<'_>) -> Option<Kind> {
    let priority = reader.some(digit)?;
    reader.word(b" c=")?;
    let category = reader.some(digit)?;
    reader.word(b" m=")?;
    let id = reader.some(digit)?;
    reader.word(b" ")?;
    // The priority is a single digit.
    (priority.range().len() == 1).then_some(Kind { priority, category, id })
}

fn flow(reader: &mut Reader<'_>) -> Option<Flow> {
    let source = address(reader)?;
    // The name of the interface.
    reader.some(|byte| byte != b' ')?;
    reader.word(b" dst=")?;
    Some(Flow { source, destination: address(reader)? })
}

/// `10.0.0.1:80:`
fn address(reader: &mut Reader<'_>) -> Option<(Span, Span)> {
    let address = reader.some(|byte| digit(byte) || byte == b'.')?;
    reader.word(b":")?;
    let port = reader.some(digit)?;
    reader.word(b":")?;
    Some((address, port))
}

/// `WAN proto=tcp/80`; the interface belongs to the destination before it.
fn protocol(reader: &mut Reader<'_>) -> Option<Span> {
    reader.run(|byte| byte != b' ');
    reader.word(b" proto=")?;
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'@' | b'_');
    let protocol = reader.some(name)?;
    reader.word(b"/")?;
    (protocol.range().len() <= PROTOCOL_BYTES_MAX).then_some(protocol)
}

fn request(reader: &mut Reader<'_>) -> Option<Request> {
    let result = reader.some(digit)?;
    reader.word(b" dstname=")?;
    let host = reader.some(|byte| byte != b' ')?;
    reader.word(b" arg=")?;
    let path = reader.some(|byte| byte != b' ')?;
    reader.rest().is_empty().then_some(Request { result, host, path })
}

fn digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}
