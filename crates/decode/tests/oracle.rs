//! Headers and fields of recorded lines are as OSSEC 4.3.0 found them.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;
use std::fs;

use decode::{DecodeOptions, DecodeScratch, Decoded, DecoderSet, Forms, LoadInput, Name, load};
use model::{Event, Source, Sources};
use testkit::{deviations::Deviations, oracle, shared};

fn decoders(options: DecodeOptions) -> Option<DecoderSet> {
    let path = shared::path("ossec-ruleset/decoder.xml")?;
    let text = fs::read(path).unwrap();
    let mut sources = Sources::default();
    let id = sources.add(Source::new("decoder.xml", text.clone()));
    let loaded = load(&LoadInput { files: &[(id, &text)], options, order_fields_max: 256 });
    assert!(loaded.is_usable(), "{:#?}", loaded.diagnostics);
    Some(loaded.decoders)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fields(set: &DecoderSet, decoded: &Decoded) -> BTreeMap<String, String> {
    let named = |&name: &Name| {
        let label = match name {
            Name::Static(field) => field.label().to_owned(),
            Name::Dynamic(field) => set.dynamic_names()[usize::from(field.0)].clone(),
        };
        (label, text(decoded.fields.value(name, decoded.full_log()).unwrap_or_default()))
    };
    decoded.fields.names().iter().map(named).collect()
}

#[test]
fn recorded_answers() {
    let Some(folder) = shared::path("corpus/oracle") else { return };
    for (forms, strip_control) in [(Forms::Strict, true), (Forms::Extended, false)] {
        let options = DecodeOptions { server_name: b"server".to_vec(), forms, strip_control };
        let Some(set) = decoders(options) else { return };
        let mut scratch = DecodeScratch::default();
        let mut differences = Deviations::default();
        let (mut files, mut lines) = (Vec::new(), 0);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !file.starts_with("single-") {
                continue;
            }
            for (number, recorded) in oracle::read_single(&path).unwrap().iter().enumerate() {
                let at = (file.as_str(), number + 1);
                let event = Event {
                    line: recorded.event.clone().into_bytes(),
                    location: b"stdin".to_vec(),
                    ..Event::default()
                };
                scratch.search.begin_event();
                let decoded = set.decode(event, &mut scratch, Box::default());
                let decoder = decoded.decoder.and_then(|index| set.decoder(index));
                let decoder = decoder.map(|decoder| decoder.name.clone());
                let program = decoded.program_name().map(text);
                differences.compare(at, "program_name", &recorded.program_name, &program);
                differences.compare(at, "log", &recorded.log, &text(decoded.log()));
                differences.compare(at, "decoder", &recorded.decoder, &decoder);
                differences.compare(at, "fields", &recorded.fields, &fields(&set, &decoded));
                // Where the header has none, the name of the machine was recorded.
                if decoded.header.hostname.is_some() {
                    let hostname = text(decoded.hostname());
                    differences.compare(at, "hostname", &recorded.hostname, &hostname);
                }
                lines += 1;
            }
            files.push(file);
        }
        assert!(lines > 0);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let problems = differences.problems(&files, lines);
        assert!(problems.is_empty(), "{forms:?}:\n{}", problems.join("\n"));
        assert_eq!(scratch.search.counts.undecided, 0);
        assert_eq!(scratch.search.counts.out_of_budget, 0);
    }
}
