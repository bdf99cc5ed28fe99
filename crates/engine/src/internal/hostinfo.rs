//! Open ports of hosts, as a port scan reports them.

use memchr::memchr;
use model::{Memory, Table};

use super::{Finding, Internal, Message, Outcome, push_clean};

/// Bytes of an address.
const ADDRESS_BYTES_MAX: usize = 64;

/// Decodes `Host: ADDRESS (NAME), PORTS`. The record of an address is its last `, PORTS`.
// Fixed: addresses are compared whole, a host that returns to earlier ports is reported, and
// malformed messages do not switch the decoder off.
pub fn decode(message: &Message<'_>, memory: &mut dyn Memory, out: &mut Finding) -> Outcome {
    out.clear();
    push_clean(&mut out.log, message.text);
    let Some((address, ports)) = parse(&out.log) else { return Outcome::Malformed };
    let event = if !memory.get(Table::HostInfo, address, &mut out.stored) {
        Internal::HostNew
    } else if out.stored == ports {
        return Outcome::Silent;
    } else {
        Internal::HostModified
    };
    memory.put(Table::HostInfo, address, ports);
    Outcome::Event(event)
}

/// The address, and what comes from the first comma on.
fn parse(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"Host: ")?;
    let (host, ports) = rest.split_at_checked(memchr(b',', rest)?)?;
    let address = host.get(..memchr(b' ', host).unwrap_or(host.len()))?;
    (1..=ADDRESS_BYTES_MAX).contains(&address.len()).then_some((address, ports))
}

#[cfg(test)]
mod tests {
    use super::*;

    use model::{RamMemory, Timestamp};

    #[test]
    fn hosts_are_new_then_modified() {
        let mut memory = RamMemory::default();
        let mut out = Finding::default();
        for (text, outcome) in [
            ("Host: 10.0.0.10 (a), open ports: 22 (tcp)", Outcome::Event(Internal::HostNew)),
            ("Host: 10.0.0.10 (b), open ports: 22 (tcp)", Outcome::Silent),
            ("Host: 10.0.0.1 (), open ports: 22 (tcp)", Outcome::Event(Internal::HostNew)),
            ("Host: 10.0.0.10, open ports: 23 (tcp)", Outcome::Event(Internal::HostModified)),
            ("Host: 10.0.0.10, open ports: 22 (tcp)", Outcome::Event(Internal::HostModified)),
            ("Host: 10.0.0.10 (a)", Outcome::Malformed),
            ("Host: , open", Outcome::Malformed),
            ("host: 10.0.0.1, open", Outcome::Malformed),
            ("", Outcome::Malformed),
        ] {
            let received = Timestamp::utc(1);
            let message = Message { location: b"hosts", text: text.as_bytes(), received };
            assert_eq!(decode(&message, &mut memory, &mut out), outcome, "{text}");
            assert_eq!(out.log, text.as_bytes());
        }
    }
}
