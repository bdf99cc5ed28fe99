//! What the plugins find in logs.

use super::*;

type Found = Vec<(&'static str, String)>;

fn run(name: &str, log: &[u8]) -> (PluginOutput, Found) {
    let mut out = PluginOutput::default();
    find(name.as_bytes()).unwrap().decode(log, &mut out);
    let mut found = Vec::new();
    for (field, value) in out.fields() {
        let mut text = Vec::new();
        value.write(log, &mut text);
        found.push((field.label(), String::from_utf8_lossy(&text).into_owned()));
    }
    (out, found)
}

#[track_caller]
fn check(name: &str, log: &str, expected: &[(&str, &str)]) -> PluginOutput {
    let (out, found) = run(name, log.as_bytes());
    let found: Vec<_> = found.iter().map(|(label, text)| (*label, text.as_str())).collect();
    assert_eq!(found, expected, "{log}");
    out
}

#[test]
fn packet_filter() {
    let name = "PF_Decoder";
    check(
        name,
        "rule 2/(match) pass in on xl0: 10.0.0.1.6667 > 10.0.0.2.80: P 1:2(1) ack 3",
        &[
            ("srcip", "10.0.0.1"),
            ("dstip", "10.0.0.2"),
            ("srcport", "6667"),
            ("dstport", "80"),
            ("proto", "TCP"),
            ("action", "pass"),
        ],
    );
    check(
        name,
        "rule 3/0(match) block in on em0: 10.0.0.1.53 > 10.0.0.2.1024:  udp 20",
        &[
            ("srcip", "10.0.0.1"),
            ("dstip", "10.0.0.2"),
            ("srcport", "53"),
            ("dstport", "1024"),
            ("proto", "UDP"),
            ("action", "block"),
        ],
    );
    check(
        name,
        "rule 3/0(match) block out on em0: 10.0.0.1 > 10.0.0.2: icmp: echo request",
        &[("srcip", "10.0.0.1"), ("dstip", "10.0.0.2"), ("proto", "ICMP"), ("action", "block")],
    );
    check(
        name,
        "rule 3/0(match) block in: 10.0.0.1 - 10.0.0.2:",
        &[("srcip", "10.0.0.1"), ("action", "block")],
    );
    check(name, "rule 3/0(match) scrub in: 10.0.0.1 > 10.0.0.2: x", &[]);
    check(name, "rule 3/0(match)", &[]);
}

#[test]
fn symantec_web_security() {
    let name = "SymantecWS_Decoder";
    check(
        name,
        "20070717,73613,1=5,11=10.1.1.3,10=userc,3=1,2=1",
        &[("dstuser", "userc"), ("srcip", "10.1.1.3"), ("id", "3=1,2=1")],
    );
    check(
        name,
        "20070717,1=5,11=1.2.3.4,1106=News,60=http://a/,10=u,10=v,1000=5.6.7.8,2=27,3=12345",
        &[("dstuser", "u"), ("srcip", "1.2.3.4"), ("id", "2=27,3=12"), ("url", "http://a/")],
    );
    check(name, "10=before,x", &[]);
    let long = "u".repeat(NAME_AND_ONE);
    check(name, &format!("1,10={long},"), &[("dstuser", &long[..NAME_AND_ONE - 1])]);
}

const NAME_AND_ONE: usize = 129;

#[test]
fn sonicwall() {
    let name = "SonicWall_Decoder";
    let start = "id=firewall sn=00 time=\"2007-01-03 14:48:06\" fw=1.1.1.1";
    let out = check(
        name,
        &format!(
            "{start} pri=6 c=262144 m=98 msg=\"Opened\" n=2 src=2.2.2.2:36:WAN dst=1.1.1.1:50:WAN proto=tcp/50"
        ),
        &[
            ("srcip", "2.2.2.2"),
            ("dstip", "1.1.1.1"),
            ("srcport", "36"),
            ("dstport", "50"),
            ("proto", "tcp"),
            ("action", "pass"),
            ("id", "98"),
            ("status", "6"),
        ],
    );
    assert_eq!(out.category, Some(Category::Firewall));
    let out = check(
        name,
        &format!("{start} pri=1 c=32 m=36 msg=\"denied\" n=7 src=2.2.2.2:1:WAN dst=1.1.1.1:2:WAN"),
        &[
            ("srcip", "2.2.2.2"),
            ("dstip", "1.1.1.1"),
            ("srcport", "1"),
            ("dstport", "2"),
            ("id", "36"),
            ("status", "1"),
        ],
    );
    assert_eq!(out.category, Some(Category::Ids));
    let out = check(
        name,
        &format!(
            "{start} pri=6 c=1024 m=97 n=7 src=2.2.2.2:1:WAN dst=1.1.1.1:80:WAN proto=tcp/80 op=GET result=404 dstname=a.org arg=/b"
        ),
        &[
            ("srcip", "2.2.2.2"),
            ("dstip", "1.1.1.1"),
            ("srcport", "1"),
            ("dstport", "80"),
            ("proto", "tcp"),
            ("id", "404"),
            ("url", "a.org/b"),
            ("status", "6"),
        ],
    );
    assert_eq!(out.category, Some(Category::Squid));
    for (id, action) in [("537", "close"), ("173", "drop"), ("598", "pass")] {
        check(
            name,
            &format!("pri=2 c=1 m={id} "),
            &[("action", action), ("id", id), ("status", "2")],
        );
    }
    let out = check(name, &format!("{start} pri=16 c=32 m=36 x"), &[]);
    assert_eq!(out.category, Some(Category::Syslog));
}

#[track_caller]
fn relayed(log: &str) -> Option<(u32, String, String, Found)> {
    let (out, found) = run("OSSECAlert_Decoder", log.as_bytes());
    let alert = out.alert?;
    let text = |span: Span| log[span.range()].to_owned();
    Some((alert.rule, text(alert.location), text(alert.log), found))
}

#[test]
fn relayed_alerts() {
    let start = "Alert Level: 5; Rule: 5716 - SSHD failed.; Location: (r) 1.2.3.4->/var/log/a;";
    let fields = vec![("dstuser", "root".to_owned()), ("srcip", "9.9.9.9".to_owned())];
    let all = " classification:  syslog,sshd,; srcip: 9.9.9.9; user: root;";
    for (rest, log, fields) in [
        ("  sshd[1]: a; b ", "sshd[1]: a; b", vec![]),
        (" sshd[1]: a; b", "sshd[1]: a; b", vec![]),
        (" su: bad; b", "su: bad; b", vec![]),
        (&format!("{all}  Aug 12 x"), "Aug 12 x", fields.clone()),
        (&format!("{all} Aug 12 x"), "Aug 12 x", fields),
        (" user: without end", "user: without end", vec![]),
    ] {
        let expected = Some((5716, "(r) 1.2.3.4->/var/log/a".to_owned(), log.to_owned(), fields));
        assert_eq!(relayed(&format!("{start}{rest}")), expected);
        assert_eq!(relayed(&format!("ossec: {start}{rest}")), expected);
    }
    for log in [
        "Alert Level: 5; Rule: 5716 - SSHD failed.; Location: a;  ",
        "Alert Level: 5; Rule: 5716 - SSHD failed.; Location: ;  x",
        "Alert Level: 5; Rule: 57x6 - SSHD failed.; Location: a;  x",
        "Alert Level: 5; Rule: 99999999999 - SSHD failed.; Location: a;  x",
        "Alert Level: 5; Rule: 5716 - SSHD failed.; x",
        "started",
        "",
    ] {
        assert_eq!(relayed(log), None, "{log}");
    }
}

#[test]
fn names_are_distinct() {
    for (index, plugin) in ALL.iter().enumerate() {
        let first = ALL.iter().position(|other| other.name() == plugin.name());
        assert_eq!(first, Some(index));
        assert!(!plugin.about().is_empty());
    }
    assert!(find(b"pf_decoder").is_none());
}

/// Any bytes: no panic, and every span stays in the log.
#[test]
fn any_bytes() {
    let examples = [
        "rule 2/(match) pass in on xl0: 10.0.0.1.6667 > 10.0.0.2.80: P 1:2(1)",
        "20070717,73613,1=5,11=10.1.1.3,10=userc,60=http://a/,3=1,2=1",
        "fw=1 pri=6 c=1 m=97 src=2.2.2.2:3:W dst=1.1.1.1:5:W proto=tcp/5 result=1 dstname=a arg=/b",
        "Alert Level: 5; Rule: 5716 - S.; Location: a; srcip: 1; user: b;  text",
    ];
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % below
    };
    let marks = b" :;,=.)>/09ps\xFF";
    for _ in 0..40_000 {
        let mut log = examples[random(examples.len())].as_bytes().to_vec();
        for _ in 0..random(5) {
            let at = random(log.len());
            match random(3) {
                0 => log[at] = marks[random(marks.len())],
                1 => log.insert(at, marks[random(marks.len())]),
                _ => {
                    log.remove(at);
                }
            }
        }
        log.truncate(random(log.len() + 8));
        for plugin in ALL {
            let mut out = PluginOutput::default();
            plugin.decode(&log, &mut out);
            let mut spans: Vec<Span> = out.alert.iter().flat_map(|a| [a.location, a.log]).collect();
            for (_, value) in out.fields() {
                match value {
                    PluginValue::Log(span) => spans.push(span),
                    PluginValue::Joined(first, second) => spans.extend([first, second]),
                    PluginValue::Word(_) => {}
                }
            }
            assert!(spans.iter().all(|span| log.get(span.range()).is_some()), "{log:?}");
        }
    }
}
