//! Port scans: nmap's greppable output.

use config::sections::LogFormat;
use memchr::memmem;
use model::Queue;

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out};

/// `Host: 192.0.2.1 (router)⇥Ports: 22/open/tcp//ssh///` becomes
/// `Host: 192.0.2.1 (router), open ports: 22(tcp)`.
pub(super) struct Nmapg;

impl Format for Nmapg {
    fn name(&self) -> &'static str {
        "nmapg"
    }

    fn about(&self) -> &'static str {
        "nmap -oG: the open ports of each host"
    }

    fn queue(&self) -> Queue {
        Queue::HostInfo
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Hosts::default()))
    }
}

/// Bytes of a port and of a protocol that are used.
const PORT_BYTES_MAX: usize = 8;

#[derive(Default)]
struct Hosts {
    joined: Joined,
    malformed: u64,
}

impl LineFormat for Hosts {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        if matches!(line.text.first(), None | Some(b'#')) {
            return;
        }
        let Some((host, rest)) = split_host(line.text) else {
            self.malformed += 1;
            return;
        };
        if let Some(ports) = rest.strip_prefix(b"Ports:") {
            self.joined.begin_with(host, line);
            add_open_ports(ports, &mut self.joined);
            self.joined.give(out);
        } else if !rest.starts_with(b"Status:") {
            // Fixed: OSSEC stops reading here, and after nine such lines for ever.
            self.malformed += 1;
        }
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: self.malformed }
    }
}

/// `Host: ADDRESS (NAME)` and what follows the tab.
fn split_host(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let close = memmem::find(line, b")\t")?;
    let (host, rest) = line.split_at_checked(close + 1)?;
    Some((host.starts_with(b"Host: ").then_some(host)?, rest.get(1..)?))
}

fn add_open_ports(ports: &[u8], joined: &mut Joined) {
    joined.add(b", open ports:");
    let ports = ports.split(|&byte| byte == b'\t').next().unwrap_or_default();
    for item in ports.split(|&byte| byte == b',') {
        let mut parts = item.trim_ascii().split(|&byte| byte == b'/');
        if let (Some(port), Some(b"open"), Some(protocol)) =
            (parts.next(), parts.next(), parts.next())
        {
            joined.add(b" ");
            joined.add(port.get(..PORT_BYTES_MAX).unwrap_or(port));
            joined.add(b"(");
            joined.add(protocol.get(..PORT_BYTES_MAX).unwrap_or(protocol));
            joined.add(b")");
        }
    }
}
