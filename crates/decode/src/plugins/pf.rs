//! OpenBSD's packet filter, as `tcpdump` prints it.

use super::Plugin;
use super::PluginOutput;
use super::PluginValue;
use super::reader::Reader;

use memchr::memchr_iter;
use model::Field;
use model::Span;

/// `rule 2/(match) pass in on xl0: 10.0.0.1.6667 > 10.0.0.2.80: P 1:2(1)`
pub(super) struct PacketFilter;

impl Plugin for PacketFilter {
    fn name(&self) -> &'static str {
        "PF_Decoder"
    }

    fn about(&self) -> &'static str {
        "OpenBSD packet filter: action, addresses, ports, protocol"
    }

    fn decode(&self, log: &[u8], out: &mut PluginOutput) {
        // It ends where the log stops fitting; what was found before stays.
        let _complete = read(log, out);
    }
}

fn read(log: &[u8], out: &mut PluginOutput) -> Option<()> {
    let mut reader = Reader::new(log);
    reader.until(b')')?;
    reader.word(b" ")?;
    let action = match reader.peek()? {
        b'p' => "pass",
        b'b' => "block",
        _ => return None,
    };
    out.set(Field::Action, PluginValue::Word(action));
    reader.find(b": ")?;
    let source = reader.until(b' ')?;
    set_address(log, source, (Field::SrcIp, Field::SrcPort), out);
    reader.word(b"> ")?;
    let destination = reader.until(b':')?;
    set_address(log, destination, (Field::DstIp, Field::DstPort), out);
    reader.run(|byte| byte == b' ');
    let protocol = match reader.peek() {
        Some(b'u') => "UDP",
        Some(b'i') => "ICMP",
        // TCP is not named: flags come instead.
        _ => "TCP",
    };
    out.set(Field::Protocol, PluginValue::Word(protocol));
    Some(())
}

/// Sets an address and, behind a fourth dot, its port.
fn set_address(log: &[u8], span: Span, fields: (Field, Field), out: &mut PluginOutput) {
    let text = log.get(span.range()).unwrap_or_default();
    let start = span.range().start;
    let end = match memchr_iter(b'.', text).nth(3) {
        Some(dot) => {
            out.set(fields.1, PluginValue::Log(Span::new(start + dot + 1, span.range().end)));
            start + dot
        }
        None => span.range().end,
    };
    out.set(fields.0, PluginValue::Log(Span::new(start, end)));
}
