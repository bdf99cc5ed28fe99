//! The headers of recorded lines are read as OSSEC 4.3.0 read them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use decode::header::Forms;
use decode::header::parse;
use serde_json::Value;

#[test]
fn recorded_headers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/oracle");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no recorded answers in {}", folder.display());
        return;
    };
    let mut seen = BTreeSet::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with("single-") {
            continue;
        }
        for record in fs::read_to_string(&path).unwrap().lines() {
            let record: Value = serde_json::from_str(record).unwrap();
            let event = record["event"].as_str().unwrap().to_owned();
            if !seen.insert(event.clone()) {
                continue;
            }
            let line: Vec<u8> = event.bytes().filter(|byte| !byte.is_ascii_control()).collect();
            let text =
                |span: model::Span| String::from_utf8_lossy(&line[span.range()]).into_owned();
            for forms in [Forms::Strict, Forms::Extended] {
                let header = parse(&line, forms);
                // Without a host in the header, the server's own name was recorded.
                if let Some(hostname) = header.hostname {
                    assert_eq!(record["hostname"], text(hostname), "{name}: {event}");
                }
                let program_name = header.program_name.map(text);
                assert_eq!(record["program_name"].as_str(), program_name.as_deref(), "{event}");
                assert_eq!(record["log"], text(header.log), "{name}: {event}");
            }
        }
    }
    println!("{} lines compared", seen.len());
}
