//! Countries of addresses. `fixture/places.mmdb` knows two documentation networks: 203.0.113.0/24 in
//! Utrecht and 2001:db8::/32 in Germany.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use engine::{Engine, GeoIp, Options, Policy};
use model::{Event, RamMemory, Source, Sources};

fn database() -> GeoIp {
    GeoIp::from_bytes(include_bytes!("fixture/places.mmdb").to_vec()).unwrap()
}

#[test]
fn places_of_addresses() {
    let database = database();
    for (address, place) in [
        ("203.0.113.9", Some("NL / Utrecht")),
        ("2001:db8::1", Some("DE")),
        ("198.51.100.1", None),
        ("not an address", None),
        ("", None),
    ] {
        assert_eq!(database.place(address.as_bytes()).as_deref(), place, "{address}");
    }
    assert_eq!(database.place(b"\xff\xfe"), None);
}

#[test]
fn damaged_databases_are_refused_or_know_nothing() {
    let bytes = include_bytes!("fixture/places.mmdb");
    assert!(GeoIp::from_bytes(b"no database".to_vec()).is_err());
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 0x55;
        if let Ok(database) = GeoIp::from_bytes(damaged) {
            // Any answer will do, as long as there is one.
            let _ = database.place(b"203.0.113.9");
        }
    }
}

/// A rule on `srcgeoip` sees the place of the decoded address.
#[test]
fn rules_see_the_place() {
    let decoders = b"<decoder name=\"door\"><program_name>^door$</program_name>\
        <regex>from (\\S+)$</regex><order>srcip</order></decoder>";
    let rules = b"<group name=\"door,\"><rule id=\"1\" level=\"0\" noalert=\"1\">\
        <category>syslog</category><description>lines</description></rule>\
        <rule id=\"200001\" level=\"5\"><srcgeoip>^NL / Utrecht</srcgeoip>\
        <description>somebody in Utrecht</description></rule></group>";
    let mut sources = Sources::default();
    let ids = [decoders.as_slice(), rules].map(|text| sources.add(Source::new("f", text)));
    let decoders = decode::load(&decode::LoadInput {
        files: &[(ids[0], decoders)],
        options: decode::DecodeOptions::default(),
        order_fields_max: 256,
    });
    assert_eq!(decoders.diagnostics, []);
    let rules = rules::load(rules::LoadInput {
        files: &[(ids[1], rules)],
        sources: &sources,
        lists: Vec::new(),
        decoder_ids: &|name| decoders.decoders.id(name),
        decoders_complete: true,
        decoders: &[],
        options: rules::LoadOptions::default(),
    });
    assert_eq!(rules.diagnostics, []);
    let geoip = Some(database());
    let policy = Policy::new(decoders.decoders, rules.ruleset, geoip, Options::default());
    let mut engine = Engine::new(Arc::new(policy), Box::new(RamMemory::default()), 1);
    for (address, alerts) in [("203.0.113.9", true), ("2001:db8::1", false), ("192.0.2.1", false)] {
        let line = format!("Mar  1 10:00:00 host door: opened from {address}").into_bytes();
        let outcome = engine.process(Event { line, ..Event::default() });
        assert_eq!(outcome.is_alert(), alerts, "{address}");
    }
}
