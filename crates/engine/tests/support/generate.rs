//! Rule sets and events at random, the same for the same seed. Words are few, so that rules often
//! match and events often have values in common.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use engine::Options;
use model::{Event, Queue, Timestamp};
use rules::lists::List;

use super::{Parts, Text};

/// A generator of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/fixture").join(name)
}

fn read(name: &str) -> Text {
    let path = fixture(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (name.to_owned(), text)
}

/// The decoders and templates of the cases, with rules at random.
pub(crate) fn parts(random: &mut Random, options: Options) -> Parts {
    Parts {
        decoders: vec![read("decoders.xml")],
        rules: vec![read("templates.xml"), ("random".to_owned(), rules(random).into_bytes())],
        lists: vec![List::from_text(
            "names",
            b"anna:guest\n192.0.2.:net\n1:\n/a:x\ndoor:\nopen:\n",
        )],
        options,
        server: None,
    }
}

const WORDS: [&str; 10] =
    ["knock", "ring", "open", "door", "night", "anna", "ben", "192.0.2", "=", "17"];
const GROUPS: [&str; 4] = ["hall", "roof", "cellar", "yard"];
const SAME: [&str; 13] = [
    "same_source_ip",
    "same_src_port",
    "same_dst_port",
    "same_user",
    "same_location",
    "same_id",
    "different_url",
    "different_srcip",
    "not_same_source_ip",
    "not_same_user",
    "not_same_agent",
    "not_same_id",
    "same_source_ip",
];
const CATEGORIES: [&str; 7] = ["syslog", "firewall", "ids", "web-log", "squid", "windows", "ossec"];

/// A rule file. Every kind of option occurs; not every combination that comes out is free of errors.
fn rules(random: &mut Random) -> String {
    let mut out = String::new();
    let mut ids: Vec<usize> = Vec::new();
    let mut groups: Vec<&str> = Vec::new();
    for number in 0..10 + random.below(30) {
        let id = 200_001 + number;
        let group = random.pick(&GROUPS);
        writeln!(out, "<group name=\"{group},\">").unwrap();
        rule(random, &mut out, id, &ids, &groups);
        out.push_str("</group>\n");
        ids.push(id);
        groups.push(group);
        if random.percent(4) {
            let old = random.pick(&ids);
            let word = random.pick(&WORDS);
            writeln!(
                out,
                "<group name=\"{group},\"><rule id=\"{old}\" level=\"4\" overwrite=\"yes\">\
                 <match>{word}</match></rule></group>"
            )
            .unwrap();
        }
    }
    out
}

fn rule(random: &mut Random, out: &mut String, id: usize, ids: &[usize], groups: &[&str]) {
    let level = random.pick(&[0, 1, 2, 3, 3, 5, 5, 7, 10]);
    let mut attributes = String::new();
    let mut body = String::new();
    let counts = !ids.is_empty() && random.percent(35);
    if counts {
        write!(
            attributes,
            " frequency=\"{}\" timeframe=\"{}\"",
            random.pick(&[0, 1, 1, 2, 4]),
            random.pick(&[10, 60, 400])
        )
        .unwrap();
        match random.below(5) {
            0 | 1 => writeln!(body, "<if_matched_sid>{}</if_matched_sid>", random.pick(ids)),
            2 | 3 => writeln!(body, "<if_matched_group>{}</if_matched_group>", random.pick(groups)),
            _ => writeln!(body, "<if_matched_regex>{}</if_matched_regex>", random.pick(&WORDS)),
        }
        .unwrap();
        for _ in 0..random.pick(&[0, 1, 1, 2]) {
            writeln!(body, "<{} />", random.pick(&SAME)).unwrap();
        }
    }
    for (attribute, share) in
        [("noalert=\"1\"", 12), ("ignore=\"20\"", 8), ("maxsize=\"40\"", 6), ("accuracy=\"0\"", 6)]
    {
        if random.percent(share) {
            write!(attributes, " {attribute}").unwrap();
        }
    }
    place(random, &mut body, ids, groups);
    for _ in 0..random.pick(&[0, 1, 1, 1, 2, 3]) {
        condition(random, &mut body);
    }
    writeln!(
        out,
        "<rule id=\"{id}\" level=\"{level}\"{attributes}>\n{body}\
         <description>At random.</description>\n</rule>"
    )
    .unwrap();
}

fn place(random: &mut Random, body: &mut String, ids: &[usize], groups: &[&str]) {
    if ids.is_empty() || random.percent(30) {
        if random.percent(40) {
            writeln!(body, "<category>{}</category>", random.pick(&CATEGORIES)).unwrap();
        }
        return;
    }
    match random.below(10) {
        0..=5 => {
            let parents: Vec<String> =
                (0..1 + random.below(3)).map(|_| random.pick(ids).to_string()).collect();
            writeln!(body, "<if_sid>{}</if_sid>", parents.join(", ")).unwrap();
        }
        6 | 7 => writeln!(body, "<if_group>{}</if_group>", random.pick(groups)).unwrap(),
        8 => writeln!(body, "<if_level>{}</if_level>", random.pick(&[3, 7])).unwrap(),
        _ => {}
    }
}

fn condition(random: &mut Random, body: &mut String) {
    let word = random.pick(&WORDS);
    let text = match random.below(28) {
        0..=3 => format!("<match>{word}</match>"),
        4 => format!("<match>^{word}|{}$</match>", random.pick(&WORDS)),
        5 => format!("<match_pcre2>{word}.*{}</match_pcre2>", random.pick(&WORDS)),
        6 => format!("<regex>{word}\\.*{}</regex>", random.pick(&WORDS)),
        7 => format!("<pcre2>(?:{word}|night)\\W</pcre2>"),
        8 => format!(
            "<decoded_as>{}</decoded_as>",
            random.pick(&["door", "badge", "page", "ledger"])
        ),
        9 => format!(
            "<program_name>^{}</program_name>",
            random.pick(&["d", "badge$", "l", "ledger$", "logb"])
        ),
        10 => "<program_name_pcre2>^(?:door|l)</program_name_pcre2>".to_owned(),
        11 => "<id>^1</id>".to_owned(),
        12 => "<url>/a</url>".to_owned(),
        13 => "<url_pcre2>b$</url_pcre2>".to_owned(),
        14 => format!("<action>{}</action>", random.pick(&["open", "ALLOW", "DROP", "GET"])),
        15 => format!("<srcip>{}192.0.2.{}</srcip>", random.pick(&["", "!"]), random.below(4)),
        16 => "<dstip>192.0.2.0/30</dstip>".to_owned(),
        17 => "<srcport>^4</srcport>\n<dstport_pcre2>2</dstport_pcre2>".to_owned(),
        18 => format!("<user>{}</user>", random.pick(&["anna", "ben|cleo"])),
        19 => "<status>ok</status>".to_owned(),
        20 => format!("<hostname>{}</hostname>", random.pick(&["web", "->", "server"])),
        21 => "<extra_data_pcre2>north|x</extra_data_pcre2>".to_owned(),
        22 => format!("<field name=\"{}\">.</field>", random.pick(&["badge", "ZONE"])),
        23 => random.pick(&["<time>12 am - 10 am</time>", "<weekday>mon,sun</weekday>"]).to_owned(),
        24 => format!(
            "<compiled_rule>{}</compiled_rule>",
            random.pick(&["check_id_size", "comp_srcuser_dstuser", "is_simple_http_request"])
        ),
        25 => format!(
            "<list field=\"{}\" lookup=\"{}\">names</list>",
            random.pick(&["srcip", "user", "url", "id", "program_name", "action"]),
            random.pick(&["match_key", "not_match_key", "address_match_key"])
        ),
        26 => random.pick(&["<if_fts />", "<check_diff />"]).to_owned(),
        _ => random
            .pick(&[
                "<options>no_log</options>",
                "<ignore>user,srcip</ignore>",
                "<check_if_ignored>user,srcip</check_if_ignored>",
                "<check_if_ignored>srcip</check_if_ignored>\n<ignore>srcip</ignore>",
            ])
            .to_owned(),
    };
    writeln!(body, "{text}").unwrap();
}

const FIELDS: [(&str, &[&str]); 14] = [
    ("user", &["anna", "ben", "cleo"]),
    ("by", &["anna", "ben"]),
    ("from", &["192.0.2.1", "192.0.2.2", "192.0.2.3", "x"]),
    ("to", &["192.0.2.1", "198.51.100.1"]),
    ("sport", &["4242", "4243"]),
    ("dport", &["22", "80"]),
    ("do", &["open", "close", "GET"]),
    ("id", &["1", "17", "1234567890"]),
    ("url", &["/a", "/a/b", "/c?d"]),
    ("status", &["ok", "failed"]),
    ("data", &["x", "y"]),
    ("badge", &["b.7", "c"]),
    ("zone", &["north.", "south"]),
    ("system", &["one", "two"]),
];

/// So many events, a few seconds apart. With `padding`, lines are longer by so many bytes.
pub(crate) fn events(random: &mut Random, count: usize, padding: usize) -> Vec<Event> {
    let mut seconds = 1_772_440_000;
    (0..count)
        .map(|_| {
            seconds += random.pick(&[0, 0, 1, 1, 2, 5, 30]);
            let (queue, line) = line(random);
            let mut line = line.into_bytes();
            if padding > 0 && queue == Queue::LocalFile {
                line.push(b' ');
                line.resize(line.len() + padding, b'p');
            }
            if random.percent(4) {
                let at = random.below(line.len());
                line[at] = random.next() as u8;
            }
            let location: &[u8] =
                random.pick(&[b"/var/log/messages".as_slice(), b"(a) 192.0.2.9->/log", b"/x"]);
            Event { received: Timestamp::utc(seconds), queue, location: location.to_vec(), line }
        })
        .collect()
}

fn line(random: &mut Random) -> (Queue, String) {
    let file = random.pick(&["/etc/a", "/etc/b"]);
    match random.below(40) {
        0 => return (Queue::Syscheck, format!("{}:33188:0:0:x:y {file}", random.below(4))),
        1 => return (Queue::Syscheck, format!("-1 {file}")),
        2 => return (Queue::Rootcheck, format!("Port {} hidden.", random.below(3))),
        3 => {
            let (host, port) = (random.below(3), random.below(3));
            return (Queue::HostInfo, format!("Host: 192.0.2.{host} (), open ports: {port}"));
        }
        4 => {
            let id = 200_001 + random.below(20);
            let text = format!(
                "ossec: Alert Level: 5; Rule: {id} - X.; Location: y; srcip: 192.0.2.1;  z"
            );
            return (Queue::LocalFile, format!("Mar  2 10:00:00 web1 {text}"));
        }
        5 => return (Queue::LocalFile, format!("{} without a header", random.pick(&WORDS))),
        6 => return (Queue::LocalFile, format!("ossec: {} ", random.pick(&WORDS))),
        _ => {}
    }
    let program = random
        .pick(&["door", "door", "door", "badge", "ledger", "logbook", "fence", "hound", "page"]);
    let text = match program {
        "badge" => format!("{} at {}", random.pick(&["anna", "ben"]), random.pick(&["north", "s"])),
        "ledger" | "logbook" => {
            let entry = random.below(3);
            let told = random.pick(&["user=anna", "user=ben", "from=192.0.2.1", "closed"]);
            format!("entry {entry}: {told} {}", random.pick(&WORDS))
        }
        "fence" => {
            let action = random.pick(&["permit", "drop", "open"]);
            format!("{action} 192.0.2.{} 192.0.2.1", random.below(4))
        }
        "hound" => format!("long-name-of-{} from 192.0.2.1", random.below(9)),
        "page" => format!("GET {} 404", random.pick(&["/a", "/a/b", "/c?d"])),
        _ => {
            let mut text = format!("{} {}", random.pick(&WORDS), random.pick(&WORDS));
            for _ in 0..random.below(6) {
                let (name, values) = random.pick(&FIELDS);
                write!(text, " {name}={}", random.pick(values)).unwrap();
            }
            text
        }
    };
    let host = random.pick(&["web1", "web2"]);
    (Queue::LocalFile, format!("Mar  2 10:00:00 {host} {program}[7]: {text}"))
}
