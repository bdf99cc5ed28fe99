//! The numbers of an installation in the text form that Prometheus reads.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use supervisor::RoleState;
use supervisor::counters::{ALL, Counters, Kind};

use crate::sources::SourceState;

/// What all names begin with.
const PREFIX: &str = "wachter_";

/// All of it.
pub(crate) fn render(counters: &Counters, roles: &[RoleState], sources: &[SourceState]) -> String {
    let mut out = String::new();
    for meaning in ALL {
        let value = counters.get(meaning.counter);
        let kind = match meaning.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Hidden => continue,
        };
        head(&mut out, meaning.name, meaning.help, kind);
        let _ = writeln!(out, "{PREFIX}{} {value}", meaning.name);
    }
    for_roles(&mut out, roles);
    for_sources(&mut out, sources);
    out
}

fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(out, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}");
}

fn for_roles(out: &mut String, roles: &[RoleState]) {
    type Value = fn(&RoleState) -> u64;
    let values: [(&str, &str, &str, Value); 3] = [
        ("role_up", "1 while the process is at work.", "gauge", |role| u64::from(role.is_ready)),
        ("role_restarts_total", "Starts after an unwanted end.", "counter", |role| role.restarts),
        ("role_resident_bytes", "Memory of the process that is in RAM.", "gauge", |role| {
            resident_bytes(role.process)
        }),
    ];
    for (name, help, kind, value) in values {
        head(out, name, help, kind);
        for role in roles {
            let daemon = label(&role.daemon);
            let _ = writeln!(out, "{PREFIX}{name}{{role=\"{daemon}\"}} {}", value(role));
        }
    }
}

fn for_sources(out: &mut String, sources: &[SourceState]) {
    type Value = fn(&SourceState) -> i64;
    let values: [(&str, &str, &str, Value); 5] = [
        ("source_lines_total", "Messages of the source.", "counter", |it| number(it.lines)),
        ("source_bytes_behind", "Bytes not yet read.", "gauge", |it| number(it.bytes_behind)),
        ("source_rotations_total", "Rotations seen.", "counter", |it| number(it.rotations)),
        ("source_last_seconds", "When the last message came.", "gauge", |it| it.last),
        ("source_silent", "1 if silent for longer than usual.", "gauge", |it| it.is_silent.into()),
    ];
    for (name, help, kind, value) in values {
        head(out, name, help, kind);
        for source in sources {
            let path = label(&source.name);
            let _ = writeln!(out, "{PREFIX}{name}{{source=\"{path}\"}} {}", value(source));
        }
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A label's value, with what would end it escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Memory of a process that is in RAM; 0 where it cannot be read.
pub(crate) fn resident_bytes(process: u32) -> u64 {
    let path = Path::new("/proc").join(process.to_string()).join("status");
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use supervisor::counters::Counter;
    use sys::board::Board;

    use super::*;

    #[test]
    fn every_line_has_its_form() {
        let counters = Counters::new(Board::create().unwrap());
        counters.add(Counter::Alerts, 3);
        let role = RoleState {
            daemon: "ossec-execd".to_owned(),
            process: std::process::id(),
            restarts: 2,
            ..RoleState::default()
        };
        let source = SourceState { name: "/a\"\\b".to_owned(), lines: 9, ..SourceState::default() };
        let text = render(&counters, &[role], &[source]);
        for line in [
            "# TYPE wachter_alerts_total counter",
            "wachter_alerts_total 3",
            "wachter_role_restarts_total{role=\"ossec-execd\"} 2",
            "wachter_source_lines_total{source=\"/a\\\"\\\\b\"} 9",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("wachter_ "), "hidden cells are not shown");
        let resident = text.lines().find(|line| line.starts_with("wachter_role_resident_bytes{"));
        let bytes: u64 = resident.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        assert!(bytes > 100_000, "{bytes}");
    }
}
