//! What each section says when nothing is wrong with it, and how repeated sections go together.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use config::address::{AddressEntry, Host};
use config::schedule::{Days, TimeOfDay};
use config::sections::{
    AgentlessState, Allowed, Checks, Connection, CryptoAccept, CryptoMethod, DatabaseKind,
    Elevation, Expect, LogFormat, MailFormat, MailServer, Protocol, ReportField, ResponseLocation,
    SyslogFormat, Transport,
};
use config::{OssecConf, Spanned, ossec_conf};
use model::SourceId;

/// Reads sections in which nothing is wrong.
fn read(sections: &str) -> OssecConf {
    let (conf, codes) = read_with_findings(sections);
    assert_eq!(codes, [] as [&str; 0], "{sections}");
    conf
}

fn read_with_findings(sections: &str) -> (OssecConf, Vec<&'static str>) {
    let text = format!("<ossec_config>{sections}</ossec_config>");
    let (conf, findings) = ossec_conf::read(SourceId(0), text.as_bytes());
    (conf, findings.iter().map(|finding| finding.code).collect())
}

fn texts(list: &[Spanned<String>]) -> Vec<&str> {
    list.iter().map(|text| text.value.as_str()).collect()
}

fn text(value: &Option<Spanned<String>>) -> &str {
    value.as_ref().map_or("", |text| text.value.as_str())
}

fn address(text: &str) -> AddressEntry {
    AddressEntry::parse(text).unwrap()
}

#[test]
fn what_installers_write() {
    let conf = r#"
  <global>
    <email_notification>yes</email_notification>
    <email_to>root@localhost</email_to>
    <smtp_server>127.0.0.1</smtp_server>
    <email_from>ossecm@host.example.org</email_from>
  </global>
  <rules>
    <include>rules_config.xml</include>
    <include>local_rules.xml</include>
  </rules>
  <syscheck>
    <frequency>79200</frequency>
    <directories check_all="yes">/etc,/usr/bin,/usr/sbin</directories>
    <directories check_all="yes">/bin,/sbin,/boot</directories>
    <ignore>/etc/mtab</ignore>
    <ignore>C:\WINDOWS/System32/LogFiles</ignore>
    <windows_registry>HKEY_LOCAL_MACHINE\Software</windows_registry>
  </syscheck>
  <rootcheck><disabled>yes</disabled></rootcheck>
  <global>
    <white_list>127.0.0.1</white_list>
    <white_list>::1</white_list>
    <white_list>localhost.localdomain</white_list>
  </global>
  <remote><connection>syslog</connection></remote>
  <remote><connection>secure</connection></remote>
  <alerts>
    <log_alert_level>1</log_alert_level>
    <email_alert_level>7</email_alert_level>
  </alerts>
  <command>
    <name>host-deny</name>
    <executable>host-deny.sh</executable>
    <expect>srcip</expect>
    <timeout_allowed>yes</timeout_allowed>
  </command>
  <command>
    <name>restart-ossec</name>
    <executable>restart-ossec.sh</executable>
    <expect></expect>
  </command>
  <active-response>
    <!-- comments are left out -->
    <command>host-deny</command>
    <location>local</location>
    <level>6</level>
    <timeout>600</timeout>
  </active-response>
  <localfile>
    <log_format>syslog</log_format>
    <location>/var/log/messages</location>
  </localfile>
  <localfile>
    <log_format>full_command</log_format>
    <command>ss -tan | grep LISTEN | awk '{print $1,$4}' | sort</command>
  </localfile>"#;
    let (conf, codes) = read_with_findings(conf);
    // The one thing that such a file has wrong: anybody's syslog is asked for, nobody's taken.
    assert_eq!(codes, ["no-allowed-ips"]);
    assert_eq!((conf.remotes.len(), conf.commands.len(), conf.localfiles.len()), (2, 2, 2));
    assert_eq!(conf.syscheck.directories.len(), 6);
    assert_eq!(conf.localfiles[1].command.as_deref().map(str::len), Some(50));
    let agent = "<client><server-ip>192.0.2.1</server-ip><config-profile></config-profile></client>\
        <active-response><disabled>no</disabled></active-response>";
    assert_eq!(text(&read(agent).client.unwrap().config_profile), "");
}

#[test]
fn global() {
    let conf = read(
        "<global><smtp_server>mail.example.org</smtp_server><helo_server>me</helo_server>\
         <smtp_port>465</smtp_port><email_maxperhour>9999</email_maxperhour>\
         <auth_smtp>yes</auth_smtp><secure_smtp>yes</secure_smtp>\
         <smtp_tls_verify>no</smtp_tls_verify><smtp_user>u</smtp_user>\
         <smtp_password>p w</smtp_password><email_idsname>x</email_idsname>\
         <email_reply_to>r@example.org</email_reply_to><email_from>f@example.org</email_from>\
         <email_to>a@example.org</email_to><email_notification>yes</email_notification>\
         <custom_alert_output>$TIMESTAMP $RULEID: $FULLLOG\n</custom_alert_output>\
         <allow_list>10.1</allow_list><white_list>!192.0.2.0/24</white_list>\
         <allow_list>host.example.org</allow_list><jsonout_output>yes</jsonout_output>\
         <compress_alerts>1</compress_alerts><host_information>8</host_information></global>\
         <global><email_to>b@example.org</email_to><logall_json>yes</logall_json></global>",
    );
    let mail = &conf.global.mail;
    assert_eq!(texts(&mail.email_to), ["a@example.org", "b@example.org"]);
    let host = Host::Name("mail.example.org".to_owned());
    assert_eq!(mail.smtp_server.as_deref(), Some(&MailServer::Host(host)));
    assert_eq!((mail.smtp_port, mail.email_maxperhour), (Some(465), 9999));
    assert!(mail.auth_smtp && mail.secure_smtp && !mail.smtp_tls_verify);
    assert_eq!((text(&mail.smtp_user), text(&mail.smtp_password)), ("u", "p w"));
    assert_eq!((text(&mail.helo_server), text(&mail.email_idsname)), ("me", "x"));
    let allowed: Vec<&Allowed> = conf.global.allow_list.iter().map(|entry| &entry.value).collect();
    let expected = [
        &Allowed::Address(address("10.0.0.1")),
        &Allowed::Address(address("!192.0.2.0/24")),
        &Allowed::Name("host.example.org".to_owned()),
    ];
    assert_eq!(allowed, expected);
    let form = text(&conf.global.custom_alert_output);
    assert_eq!(form, "$TIMESTAMP $RULEID: $FULLLOG\n", "blanks are part of it");
    let program = read("<global><smtp_server>/usr/sbin/sendmail -t</smtp_server></global>");
    let expected = MailServer::Program("/usr/sbin/sendmail -t".to_owned());
    assert_eq!(program.global.mail.smtp_server.as_deref(), Some(&expected));
}

#[test]
fn email_alerts() {
    let on = "<global><email_from>f@x</email_from><smtp_server>127.0.0.1</smtp_server>\
        <email_to>a@x</email_to><email_notification>yes</email_notification></global>";
    let sections = "<email_alerts><email_to>b@x</email_to><level>10</level>\
        <rule_id>1, 2 ,3</rule_id><group>sshd|su</group><event_location>web</event_location>\
        <format>sms</format><do_not_delay/><do_not_group /></email_alerts>\
        <email_alerts><rule_id>5</rule_id><email_to>c@x</email_to></email_alerts>";
    let (conf, codes) = read_with_findings(&format!("{sections}{on}"));
    assert_eq!(codes, ["old-format"]);
    let [first, second] = conf.email_alerts.as_slice() else { panic!("{conf:?}") };
    assert_eq!((first.email_to.as_str(), first.level), ("b@x", 10));
    assert_eq!((first.rule_ids.as_slice(), first.format), ([1, 2, 3].as_slice(), MailFormat::Sms));
    assert_eq!((text(&first.group), text(&first.event_location)), ("sshd|su", "web"));
    assert!(first.do_not_delay && first.do_not_group);
    assert_eq!((second.rule_ids.as_slice(), second.format), ([5].as_slice(), MailFormat::Full));
}

#[test]
fn remote() {
    let conf = read(
        "<remote><CONNECTION>secure</CONNECTION><crypto_accept>AES</crypto_accept></remote>\
         <remote><connection>syslog</connection><Port>10514</Port><protocol>TCP</protocol>\
         <local_ip>10.1</local_ip><ipv6>YES</ipv6><allowed-ips>10.0.0.0/8</allowed-ips>\
         <denied-ips>10.0.0.9</denied-ips></remote>\
         <remote><connection>syslog</connection><allowed-ips>::1</allowed-ips></remote>",
    );
    let listeners: Vec<(Connection, u16, Protocol)> = conf
        .remotes
        .iter()
        .map(|remote| (remote.connection, remote.port, remote.protocol))
        .collect();
    let expected = [
        (Connection::Secure, 1514, Protocol::Udp),
        (Connection::Syslog, 10_514, Protocol::Tcp),
        (Connection::Syslog, 514, Protocol::Udp),
    ];
    assert_eq!(listeners, expected);
    assert_eq!(conf.remotes[0].crypto_accept, CryptoAccept::Aes);
    assert_eq!(conf.remotes[1].local_ip, "10.0.0.1".parse().ok());
    let allowed: Vec<AddressEntry> = conf.allowed_ips().copied().collect();
    assert_eq!(allowed, [address("10.0.0.0/8"), address("::1")]);
    assert_eq!(conf.denied_ips().count(), 1);
}

#[test]
fn a_listener_that_cannot_be_is_left_out_alone() {
    let (conf, codes) = read_with_findings(
        "<remote><connection>secure</connection></remote>\
         <remote><connection>secure</connection><port>1515</port></remote>\
         <remote><connection>syslog</connection><allowed-ips>any</allowed-ips></remote>",
    );
    assert_eq!(codes, ["secure-repeated"]);
    assert_eq!(conf.remotes.len(), 2);
}

#[test]
fn commands_and_responses_in_any_order() {
    let conf = read(
        "<active-response><repeated_offenders>30, 60,120</repeated_offenders></active-response>\
         <active-response><command>block</command><location>LOCAL, AS defined-agent</location>\
         <agent_id>003</agent_id><level>6</level><rules_id>1,2</rules_id><rules_id>3</rules_id>\
         <rules_group>sshd,|su,</rules_group><timeout>600</timeout><disabled>yes</disabled>\
         </active-response>\
         <active-response><command>block</command><location>all</location><level>0</level>\
         </active-response>\
         <command><name>block</name><executable>firewalls/pf.sh</executable>\
         <expect>UserName srcip,filename</expect><timeout_allowed>yes</timeout_allowed></command>",
    );
    assert_eq!(conf.commands[0].expect, Expect { user: true, srcip: true, filename: true });
    let responses = &conf.active_responses;
    assert_eq!(
        (responses.disabled, responses.repeated_offenders.as_slice()),
        (false, &[30, 60, 120][..])
    );
    let [first, second] = responses.list.as_slice() else { panic!("{responses:?}") };
    let location = ResponseLocation { server: true, local: true, defined_agent: true, all: false };
    assert_eq!((first.location, first.disabled), (location, true));
    assert_eq!((first.rules_id.as_slice(), first.level), ([1, 2, 3].as_slice(), Some(6)));
    assert_eq!(first.timeout.as_ref().map(|timeout| timeout.value), Some(600));
    assert_eq!((text(&first.agent_id), text(&first.rules_group)), ("003", "sshd,|su,"));
    assert_eq!((second.level, second.disabled), (Some(0), false));
}

#[test]
fn responses_are_turned_off_one_by_one_or_all() {
    let off = "<active-response><disabled>yes</disabled></active-response>";
    assert!(read(off).active_responses.disabled);
    let on = "<active-response><disabled>no</disabled></active-response>";
    assert!(!read(&format!("{off}{on}")).active_responses.disabled);
}

#[test]
fn a_command_with_a_mistake_is_not_unknown() {
    let (conf, codes) = read_with_findings(
        "<command><name>block</name><executable>/bin/sh</executable><expect/></command>\
         <active-response><command>block</command><location>local</location><level>6</level>\
         </active-response>",
    );
    assert_eq!(codes, ["bad-file-name"]);
    assert!(conf.commands.is_empty());
}

#[test]
fn syslog_outputs() {
    let conf = read(
        "<syslog_output><server>10.1</server></syslog_output>\
         <syslog_output><server>log.example.org</server><port>6514</port><format>json</format>\
         <level>3</level><rule_id>1 2</rule_id><group>a</group><location>b</location>\
         <use_fqdn>yes</use_fqdn><tls>yes</tls><tls_verify>no</tls_verify><tls_ca>/ca.pem</tls_ca>\
         </syslog_output>\
         <syslog_output><server>::1</server><protocol>tcp</protocol></syslog_output>",
    );
    let [first, second, third] = conf.syslog_outputs.as_slice() else { panic!("{conf:?}") };
    assert_eq!(first.server.value, Host::Address("10.0.0.1".parse().unwrap()));
    assert_eq!((first.port, &first.transport), (514, &Transport::Udp));
    assert_eq!((second.port, second.format, second.level), (6514, SyslogFormat::Json, 3));
    assert!(
        matches!(&second.transport, Transport::Tls { verify: false, ca } if text(ca) == "/ca.pem")
    );
    assert_eq!(third.transport, Transport::Tcp);
}

#[test]
fn database_output_is_one_over_all_sections() {
    let conf = read(
        "<database_output><hostname>db</hostname><type>mysql</type><port>1</port></database_output>\
         <database_output><username>u</username><password>p</password><database>d</database>\
         <hostname>db2</hostname><socket>/run/db</socket></database_output>",
    );
    let database = conf.database_output.unwrap();
    assert_eq!((database.kind, database.hostname.as_str()), (DatabaseKind::MySql, "db2"));
    assert_eq!((database.port, text(&database.socket)), (Some(1), "/run/db"));
}

#[test]
fn reports() {
    let conf = read(
        "<global><smtp_server>127.0.0.1</smtp_server><email_from>f@x</email_from></global>\
         <reports><title>Logins</title><title>again</title><type>email</type>\
         <frequency>daily</frequency><email_to>a@x</email_to><category>login</category>\
         <level>3</level><level>5</level><rule>1,2</rule><user type=\"relation\">srcip</user>\
         <showlogs>YES</showlogs></reports><reports><email_to>b@x</email_to></reports>",
    );
    let [first, second] = conf.reports.as_slice() else { panic!("{conf:?}") };
    assert_eq!((first.title.as_str(), second.title.as_str()), ("Logins", "OSSEC Report (unnamed)"));
    let filters: Vec<(ReportField, &str)> =
        first.filters.iter().map(|filter| (filter.field, filter.value.as_str())).collect();
    let expected =
        [(ReportField::Group, "login"), (ReportField::Level, "5"), (ReportField::Rule, "1,2")];
    assert_eq!(filters, expected);
    assert_eq!(first.relations, [(ReportField::User, ReportField::SrcIp)]);
    assert!(first.showlogs && !second.showlogs);
}

#[test]
fn agentless() {
    let conf = read(
        "<agentless><type>ssh_generic_diff</type><host>root@a</host><host>use_su me@b</host>\
         <host>use_sudo me@c.example.org</host><state>periodic_diff</state>\
         <frequency>0</frequency><arguments>ls -la /etc</arguments><port>22</port>\
         <run_command>x</run_command></agentless>\
         <agentless><type>t</type><host>root@a</host><state>periodic</state><arguments/>\
         </agentless>",
    );
    let [first, second] = conf.agentless.as_slice() else { panic!("{conf:?}") };
    let hosts: Vec<(&str, Elevation)> =
        first.hosts.iter().map(|host| (host.login.as_str(), host.elevation)).collect();
    let expected = [
        ("root@a", Elevation::None),
        ("me@b", Elevation::Su),
        ("me@c.example.org", Elevation::Sudo),
    ];
    assert_eq!(hosts, expected);
    assert_eq!((first.state, first.frequency), (AgentlessState::PeriodicDiff, 0));
    assert_eq!((second.frequency, text(&second.arguments)), (86_400, ""));
}

#[test]
fn localfiles() {
    let conf = read(
        "<localfile><LOG_FORMAT>apache</LOG_FORMAT><location>/a/*.log</location>\
         <location>/b-%Y.log</location><only-future-events>yes</only-future-events>\
         <query>x</query></localfile>\
         <localfile><log_format>command</log_format><command>df -P</command><Alias>disk</Alias>\
         <frequency>hourly</frequency></localfile>\
         <localfile><log_format>journald</log_format><location>sshd</location></localfile>",
    );
    let [files, command, journal] = conf.localfiles.as_slice() else { panic!("{conf:?}") };
    let locations: Vec<&str> =
        files.locations.iter().map(|location| location.text.as_str()).collect();
    assert_eq!((files.format, locations), (LogFormat::Line, vec!["/a/*.log", "/b-%Y.log"]));
    assert_eq!((command.alias.as_deref(), command.frequency), (Some("disk"), 3600));
    assert!(command.locations.is_empty());
    assert_eq!((journal.format, journal.frequency), (LogFormat::Journald, 360));
}

#[test]
fn log_formats() {
    let table = [
        ("syslog", Some(LogFormat::Line)),
        ("snort-full", Some(LogFormat::SnortFull)),
        ("multi-line: 3", Some(LogFormat::MultiLine(3))),
        ("multi-line :  12", Some(LogFormat::MultiLine(12))),
        ("multi-line:", Some(LogFormat::MultiLine(1))),
        ("multi-line_indented", Some(LogFormat::MultiLineIndented)),
        ("eventchannel", Some(LogFormat::Windows)),
        ("multi-line", None),
        ("multi-line: -1", None),
        ("Syslog", None),
        ("syslog ", None),
        ("", None),
    ];
    for (name, format) in table {
        assert_eq!(LogFormat::parse(name), format, "{name}");
    }
    for name in ["syslog", "nmapg", "mysql_log", "audit", "full_command", "journald"] {
        assert_eq!(LogFormat::parse(name).map(LogFormat::name), Some(name));
    }
    assert_eq!(LogFormat::MultiLine(3).name(), "multi-line");
}

#[test]
fn syscheck() {
    let conf = read(
        "<syscheck><frequency>7200</frequency><scan_time>9:30 pm</scan_time>\
         <scan_day>weekends</scan_day><scan_on_start>no</scan_on_start><skip_nfs>yes</skip_nfs>\
         <prefilter_cmd>/usr/bin/prelink -y</prefilter_cmd><nodiff>/etc/shadow</nodiff>\
         <directories check_all=\"yes\" check_perm=\"no\" realtime=\"yes\" report_changes=\"yes\" \
         no_recurse=\"yes\" restrict=\".conf$\"> /etc , /srv/*</directories>\
         <directories check_size=\"yes\">C:\\x</directories><alert_new_files>yes</alert_new_files>\
         </syscheck><syscheck><ignore>/etc/mtab</ignore><ignore>/etc/mtab</ignore></syscheck>",
    );
    let syscheck = &conf.syscheck;
    assert_eq!((syscheck.frequency, syscheck.ignore.len()), (7200, 1));
    assert_eq!(syscheck.scan_time, Some(TimeOfDay { hour: 21, minute: 30 }));
    let weekends = Days { days: [true, false, false, false, false, false, true] };
    assert_eq!(syscheck.scan_day, Some(weekends));
    assert!(!syscheck.scan_on_start && syscheck.skip_nfs && syscheck.alert_new_files);
    let paths: Vec<&str> =
        syscheck.directories.iter().map(|directory| directory.path.as_str()).collect();
    assert_eq!(paths, ["/etc", "/srv/*", "C:\\x"]);
    let [etc, _, windows] = syscheck.directories.as_slice() else { panic!("{syscheck:?}") };
    let all = Checks {
        md5: true,
        sha1: true,
        sha256: true,
        size: true,
        owner: true,
        group: true,
        permissions: false,
    };
    assert_eq!(etc.checks, all);
    assert_eq!(etc.restrict.as_ref().map(|pattern| pattern.as_str()), Some(".conf$"));
    assert!(etc.realtime && etc.report_changes && etc.no_recurse && !windows.realtime);
    assert!(windows.checks.sha256 && windows.checks.size && !windows.checks.md5);
}

#[test]
fn a_bad_directory_does_not_take_the_next_along() {
    let (conf, codes) = read_with_findings(
        "<syscheck><directories check_all=\"yes\">/a,b,/a,/c</directories></syscheck>",
    );
    assert_eq!(codes, ["not-absolute", "path-repeated"]);
    assert_eq!(conf.syscheck.directories.len(), 2);
}

#[test]
fn rootcheck() {
    let conf = read(
        "<rootcheck><rootkit_files>/a</rootkit_files><rootkit_trojans>/b</rootkit_trojans>\
         <system_audit>/c</system_audit><frequency>1</frequency><scanall>yes</scanall>\
         <base_directory>/mnt</base_directory><ignore>/tmp</ignore><check_if>no</check_if>\
         <windows_audit>./x</windows_audit><check_winapps>-</check_winapps></rootcheck>\
         <rootcheck><system_audit>/d</system_audit><disabled>yes</disabled></rootcheck>",
    );
    let rootcheck = &conf.rootcheck;
    assert_eq!(texts(&rootcheck.system_audit), ["/c", "/d"]);
    assert_eq!((rootcheck.frequency, rootcheck.base_directory.as_str()), (1, "/mnt"));
    assert!(rootcheck.disabled && rootcheck.scanall && !rootcheck.readall);
    assert!(!rootcheck.checks.interfaces && rootcheck.checks.ports);
}

#[test]
fn client() {
    let conf = read(
        "<client><server-ip>192.0.2.1</server-ip><server-hostname>b.example.org</server-hostname>\
         <port>1515</port><notify_time>2000</notify_time><local_ip>10.1</local_ip></client>\
         <client><server-ip>::1</server-ip><crypto_method>blowfish</crypto_method>\
         <config-profile>web, db</config-profile></client>",
    );
    let client = conf.client.unwrap();
    let servers: Vec<&Host> = client.servers.iter().map(|server| &server.value).collect();
    let expected = [
        &Host::Address("192.0.2.1".parse().unwrap()),
        &Host::Name("b.example.org".to_owned()),
        &Host::Address("::1".parse().unwrap()),
    ];
    assert_eq!(servers, expected);
    assert_eq!((client.port, client.crypto_method), (1515, CryptoMethod::Blowfish));
    assert_eq!((client.notify_time, client.time_reconnect), (2000, 6000));
    assert_eq!(text(&client.config_profile), "web, db");
    let usual = read("<client><server-ip>::1</server-ip><notify_time>0</notify_time></client>");
    let usual = usual.client.map(|client| (client.notify_time, client.time_reconnect));
    assert_eq!(usual, Some((600, 1800)));
}
