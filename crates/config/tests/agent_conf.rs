//! agent.conf: whom a block is for, and what becomes of an agent's own configuration.

use config::agent_conf::{self, AgentConf, AgentFacts, RemoteCommands};
use config::{OssecConf, ossec_conf};
use model::SourceId;

const WEB: AgentFacts<'_> = AgentFacts {
    name: Some("web01"),
    os: "Linux web01 6.1.0 #1 SMP x86_64 - OSSEC HIDS v4.2.0",
    profile: Some("web, dmz"),
};

fn read(text: &str) -> (AgentConf, Vec<&'static str>) {
    let (conf, findings) = agent_conf::read(SourceId(1), text.as_bytes());
    assert!(findings.iter().all(|finding| finding.at.is_some() && finding.hint.is_some()));
    (conf, findings.iter().map(|finding| finding.code).collect())
}

#[test]
fn whom_a_block_is_for() {
    let unknown = AgentFacts { name: None, profile: None, ..WEB };
    let table = [
        ("", true, true),
        ("name=\"web01\"", true, false),
        ("name=\"WEB\"", true, false),
        ("name=\"^web01$\"", true, false),
        ("name=\"^eb\"", false, false),
        ("name=\"db|web\"", true, false),
        ("os=\"Linux\"", true, true),
        ("os=\"Windows\"", false, false),
        ("os=\"^Linux\" name=\"db\"", false, false),
        ("profile=\"web\"", true, false),
        ("profile=\"web, dmz\"", true, false),
        ("profile=\"dmz, web\"", false, false),
        ("profile=\"db|dmz\"", true, false),
        ("overwrite=\"yes\"", true, true),
        ("name=\"\"", true, false),
    ];
    for (attributes, web, other) in table {
        let (conf, codes) = read(&format!("<agent_config {attributes}></agent_config>"));
        assert_eq!(codes, [] as [&str; 0], "{attributes}");
        let applies = |agent| conf.blocks.iter().all(|block| block.applies_to(agent));
        assert_eq!((applies(&WEB), applies(&unknown)), (web, other), "{attributes}");
    }
}

#[test]
fn blocks_add_and_override() {
    let own = "<ossec_config><syscheck><frequency>100</frequency><disabled>yes</disabled>\
        <directories check_all=\"yes\">/etc</directories></syscheck>\
        <localfile><log_format>syslog</log_format><location>/a</location></localfile>\
        </ossec_config>";
    let (mut conf, findings) = ossec_conf::read(SourceId(0), own.as_bytes());
    assert_eq!(findings, []);
    let (blocks, codes) = read(
        "<agent_config><syscheck><frequency>200</frequency>\
         <directories check_all=\"yes\" realtime=\"yes\">/etc,/srv</directories></syscheck>\
         <localfile><log_format>syslog</log_format><location>/b</location></localfile>\
         </agent_config>\
         <agent_config name=\"db\"><syscheck><frequency>300</frequency></syscheck></agent_config>\
         <agent_config profile=\"web\"><rootcheck><disabled>yes</disabled></rootcheck>\
         <localfile><log_format>command</log_format><command>w</command></localfile>\
         </agent_config>",
    );
    assert_eq!(codes, [] as [&str; 0]);
    let mut refused = conf.clone();
    let findings = blocks.apply(&WEB, RemoteCommands::Accept, &mut conf);
    assert_eq!(findings, []);
    assert_eq!((conf.syscheck.frequency, conf.syscheck.disabled), (200, true));
    // What the agent watches already stays as it is, and does not take others along.
    let realtime: Vec<bool> = conf.syscheck.directories.iter().map(|it| it.realtime).collect();
    assert_eq!(realtime, [false, true]);
    assert!(conf.rootcheck.disabled);
    assert_eq!(conf.localfiles.len(), 3);

    let findings = blocks.apply(&WEB, RemoteCommands::Refuse, &mut refused);
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["remote-command"]);
    assert_eq!(refused.localfiles, conf.localfiles[..2]);
}

#[test]
fn an_agents_own_commands_are_not_refused() {
    let own = "<ossec_config><localfile><log_format>command</log_format><command>w</command>\
        </localfile></ossec_config>";
    let (mut conf, _) = ossec_conf::read(SourceId(0), own.as_bytes());
    let (blocks, _) = read("<agent_config/>");
    assert_eq!(blocks.apply(&WEB, RemoteCommands::Refuse, &mut conf), []);
    assert_eq!(conf.localfiles.len(), 1);
}

#[test]
fn a_mistake_costs_no_other_block() {
    let (blocks, codes) = read(
        "<agent_config nam=\"x\"><syscheck><disabled>maybe</disabled><frequency>5</frequency>\
         </syscheck></agent_config>\
         <agent_config><client><server-ip>::1</server-ip></client><nonsense/></agent_config>\
         <ossec_config/>\
         <agent_config><localfile><log_format>eventlog</log_format><location>Security</location>\
         </localfile></agent_config>",
    );
    let expected =
        ["unknown-attribute", "bad-yes-or-no", "not-for-agents", "unknown-section", "unknown-root"];
    assert_eq!(codes, expected);
    let mut conf = OssecConf::default();
    blocks.apply(&WEB, RemoteCommands::Refuse, &mut conf);
    assert_eq!((conf.syscheck.frequency, conf.localfiles.len()), (5, 1));
    assert_eq!(conf.client, None);
}

#[test]
fn a_torn_file_has_no_blocks() {
    let (blocks, codes) = read("<agent_config></agent_config><agent_config><syscheck>");
    assert!(blocks.blocks.is_empty() && !codes.is_empty());
}
