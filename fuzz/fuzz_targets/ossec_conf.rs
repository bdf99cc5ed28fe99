//! Any bytes are read as `ossec.conf` and as `agent.conf`; every finding has a place in the file and
//! says what to do, and what is read from a server's file can be put into an agent's.
#![no_main]

use config::agent_conf::{self, AgentFacts, RemoteCommands};
use config::ossec_conf;
use libfuzzer_sys::fuzz_target;
use model::{Diagnostic, SourceId};

fuzz_target!(|text: &[u8]| {
    let check = |findings: &[Diagnostic]| {
        for finding in findings {
            let (_, span) = finding.at.expect("a place");
            assert!(span.start <= span.end && span.end as usize <= text.len(), "{finding:?}");
            assert!(finding.hint.is_some() && !finding.message.is_empty(), "{finding:?}");
        }
    };
    let (mut conf, findings) = ossec_conf::read(SourceId(0), text);
    check(&findings);
    let (blocks, findings) = agent_conf::read(SourceId(0), text);
    check(&findings);
    let agent = AgentFacts { name: Some("web01"), os: "Linux", profile: Some("web, dmz") };
    check(&blocks.apply(&agent, RemoteCommands::Refuse, &mut conf));
});
