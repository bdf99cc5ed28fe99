//! The tables of the header forms.

use super::*;
use crate::header::parse;

/// Hostname, program name and log as text.
type Answer<'a> = (Option<&'a str>, Option<&'a str>, &'a str);

fn answer(line: &[u8], forms: Forms) -> (Option<String>, Option<String>, String) {
    let header = parse(line, forms);
    let text = |span: Span| String::from_utf8_lossy(&line[span.range()]).into_owned();
    (header.hostname.map(text), header.program_name.map(text), text(header.log))
}

#[track_caller]
fn check(line: &str, forms: Forms, (hostname, program_name, log): Answer<'_>) {
    let expected = (hostname.map(str::to_owned), program_name.map(str::to_owned), log.to_owned());
    assert_eq!(answer(line.as_bytes(), forms), expected, "{forms:?} {line}");
}

#[track_caller]
fn check_both(line: &str, expected: Answer<'_>) {
    check(line, Forms::Strict, expected);
    check(line, Forms::Extended, expected);
}

/// A line that only the extended forms know.
#[track_caller]
fn check_newer(line: &str, expected: Answer<'_>) {
    check(line, Forms::Strict, (None, None, line));
    check(line, Forms::Extended, expected);
}

#[test]
fn host_and_program() {
    let date = "Dec 29 10:00:01 ";
    for (rest, expected) in [
        ("h prog[12]: m", (Some("h"), Some("prog"), "m")),
        ("h prog[12] m", (Some("h"), Some("prog"), "m")),
        ("h prog[12]m", (Some("h"), None, "prog[12]m")),
        ("h prog[ab]: m", (Some("h"), None, "prog[ab]: m")),
        ("h prog(sys)[1]: m", (Some("h"), Some("prog(sys)"), "m")),
        ("prog: m", (None, Some("prog"), "m")),
        ("h %PIX-1: m", (Some("h"), None, "%PIX-1: m")),
        ("h p: [ID 8 a.b] m", (Some("h"), Some("p"), "m")),
        ("h p: [ID 8 a.b]m", (Some("h"), Some("p"), "[ID 8 a.b]m")),
        ("h prog:x", (Some("h"), None, "prog:x")),
        ("h prog:", (Some("h"), None, "prog:")),
        ("h prog: ", (Some("h"), Some("prog"), "")),
        (" h  x", (Some("h"), None, " x")),
        ("h : x", (Some("h"), Some(""), "x")),
        ("h [12]: x", (Some("h"), Some(""), "x")),
        ("ho:st prog: m", (None, None, "ho:st prog: m")),
        ("hôst prog: m", (None, None, "hôst prog: m")),
        ("word", (None, None, "word")),
    ] {
        check_both(&format!("{date}{rest}"), expected);
    }
}

#[test]
fn aix() {
    let date = "Dec 29 10:00:01 h ";
    for (rest, program_name, log) in [
        ("auth|security:info prog: m", Some("prog"), "m"),
        ("auth|security:info prog[3]: m", Some("prog"), "m"),
        ("auth|security:info prog[3] m", Some("prog"), "] m"),
        ("auth|security:info prog hello", Some("prog"), " hello"),
        ("auth|security:info ", Some(""), ""),
        ("auth|Security:info prog: m", None, "auth|Security:info prog: m"),
        ("auth|security prog: m", None, "auth|security prog: m"),
        ("auth|security:info: m", None, "auth|security:info: m"),
    ] {
        check_both(&format!("{date}{rest}"), (Some("h"), program_name, log));
    }
}

#[test]
fn dates_with_host_and_program() {
    for date in [
        "Dec 29 10:00:01",
        "XXX XX XX:XX:XX",
        "M\u{e4}r 29 10:00:01",
        "2015-04-16 21:51:02,805",
        "2007-06-14T15:48:55-04:00",
        "2007-06-14T15:48:55.1-04:00",
        "2007-06-14T15:48:55,12-04:00",
        "2007-06-14T15:48:55.123+04:00",
        "2007-06-14T15:48:55.1234-04:00",
        "2007-06-14T15:48:55.12345-04:00",
        "2007-06-14T15:48:55.123456-04:00",
        "2015 Dec 29 10:00:01",
        "2019:11:06-00:08:03",
    ] {
        check_both(&format!("{date} host prog[12]: text"), (Some("host"), Some("prog"), "text"));
    }
}

#[test]
fn forms_without_host_and_program() {
    for (line, log) in [
        ("Mon Apr 17 18:27:14 2006 1 64.1.2.3 1", " 1 64.1.2.3 1"),
        ("Mon Apr 17 18:27:14 2006 11 64.1.2.3 1", "Mon Apr 17 18:27:14 2006 11 64.1.2.3 1"),
        ("01/28-09:13:16.240702  [**]", "[**]"),
        ("01/28-09:13:16.240702 [**]", "**]"),
        ("01/28/1979-09:13:16.240702  [**]", "[**]"),
        ("01/28/1979-09:13:16.240702 ", ""),
        ("[Fri Feb 11 18:06:35 2004] [error] x", "[error] x"),
        (
            "[Fri Feb 11 18:06:35.123456 2004] [error] x",
            "[Fri Feb 11 18:06:35.123456 2004] [error] x",
        ),
        ("1140804070.368  11623 10.1.1.1 TCP_MISS", "11623 10.1.1.1 TCP_MISS"),
        ("1140804070.368  11623 10.1.1.1", "1140804070.368  11623 10.1.1.1"),
        ("", ""),
        ("<13>hello", "<13>hello"),
    ] {
        check_both(line, (None, None, log));
    }
}

#[test]
fn apple_system_log() {
    let time = "[Time 2006.12.28 15:53:55 UTC]";
    let whole = |rest: &str| format!("{time} {rest}");
    check_both(
        &whole("[Facility auth] [Sender sshd] [PID 4] [Message a [b] c] [UID 1] [Host mac] [x y]"),
        (Some("mac"), Some("sshd"), "a [b"),
    );
    check_both(&whole("[Sender a] [Sender b] [Message m]"), (None, Some("a"), "m"));
    check_both(&whole("[Message m] [Sender sshd"), (None, None, "m"));
    check_both(&whole("[Sender a] [Message m"), (None, Some("a"), "m"));
    let line = whole("[Level 3]");
    check_both(&line, (None, None, &line));
}

#[test]
fn lengths_at_the_limit() {
    check_both("Dec 29 10:00:01 h", (None, None, "h"));
    check_both("Dec 29 10:00:01 ", (None, None, "Dec 29 10:00:01 "));
    check_both("2019:11:06-00:08:03 ", (None, None, ""));
    let iso = "2007-06-14T15:48:55-04:00 h p: m";
    check_newer(iso, (Some("h"), Some("p"), "m"));
    check_both(&format!("{iso}m"), (Some("h"), Some("p"), "mm"));
}

#[test]
fn rfc3339() {
    for date in [
        "2024-05-06T07:08:09Z",
        "2024-05-06T07:08:09.1Z",
        "2024-05-06T07:08:09,123456789Z",
        "2024-05-06T07:08:09.1234567+02:00",
        "2024-05-06T07:08:09.123456789-02:00",
        "2024-05-06T07:08:09+0200",
    ] {
        check_newer(&format!("{date} host p[1]: m"), (Some("host"), Some("p"), "m"));
    }
    for line in [
        "2024-05-06T07:08:09 host prog: m",
        "2024-05-06T07:08:09.Z host prog: m",
        "2024-05-06T07:08:09.1234567890Z host prog: m",
        "2024-05-06T07:08:09Zhost prog: m",
        "2024-05-0aT07:08:09Z host prog: m",
        "2024-05-06T07:08:09Z",
        "2024-05-06T07:08:09+2:00 host prog: m",
    ] {
        check_both(line, (None, None, line));
    }
}

#[test]
fn rfc5424() {
    for (line, expected) in [
        (
            "<34>1 2024-05-06T07:08:09.003Z host su - ID47 - text",
            (Some("host"), Some("su"), "text"),
        ),
        ("1 2024-05-06T07:08:09Z host su 12 - - text", (Some("host"), Some("su"), "text")),
        ("<165>1 2024-05-06T07:08:09Z - - - - -", (None, None, "")),
        ("<165>1 - h p - - - m", (Some("h"), Some("p"), "m")),
        ("<0>1 - fe80::1 p - - - \u{feff}m", (Some("fe80::1"), Some("p"), "m")),
        (
            "<1>1 - h p - - [a@1 b=\"c\\\"]\\]\\\\\"][d e=\"]\"] text",
            (Some("h"), Some("p"), "text"),
        ),
        ("<1>1 - h p - - [a] ", (Some("h"), Some("p"), "")),
    ] {
        check_newer(line, expected);
    }
    for line in [
        "<34>2 2024-05-06T07:08:09Z host su - ID47 - text",
        "<3456>1 2024-05-06T07:08:09Z host su - ID47 - text",
        "1 - host su - ID47 - text",
        "<34>1 - host su - ID47 text",
        "<34>1 - host su - ID47 [open text",
        "<34>1 - host su - ID47 [a]text",
        "<34>1 - host  - ID47 - text",
    ] {
        check_both(line, (None, None, line));
    }
}

#[test]
fn priority() {
    check_newer("<13>Dec 29 10:00:01 h prog[1]: m", (Some("h"), Some("prog"), "m"));
    check_newer("<0>2024-05-06T07:08:09Z h prog: m", (Some("h"), Some("prog"), "m"));
    check_newer("<191>M\u{e4}r 29 10:00:01 h prog: m", (Some("h"), Some("prog"), "m"));
    let nested = "<13><13>Dec 29 10:00:01 h prog[1]: m";
    check_both(nested, (None, None, nested));
}

#[test]
fn addresses_as_hosts() {
    for host in ["fe80::1", "2001:db8::25", "::ffff:10.0.0.1", "fe80::1%eth0"] {
        let rest = format!("{host} prog[1]: m");
        let line = format!("Dec 29 10:00:01 {rest}");
        check(&line, Forms::Strict, (None, None, &rest));
        check(&line, Forms::Extended, (Some(host), Some("prog"), "m"));
    }
    check_both("Dec 29 10:00:01 fe80::1: m", (None, None, "fe80::1: m"));
    check_both("Dec 29 10:00:01 1:2:3 m", (None, None, "1:2:3 m"));
}

#[test]
fn examples_have_their_form() {
    for forms in [OSSEC, NEWER] {
        for (index, form) in forms.iter().enumerate() {
            let mut room = [0; HEAD_BYTES];
            let line = Line::new(form.example().as_bytes(), Forms::Extended, &mut room);
            let winner = forms.iter().position(|form| form.read(line).is_some());
            assert_eq!(winner, Some(index), "{}", form.name());
        }
    }
}

/// Any bytes: spans stay in the line and in order, and OSSEC's answers do not depend on the mode.
#[test]
fn any_bytes() {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % below
    };
    let marks = b" :-.,/[]|<>TZ+1aZ\"\\\xC3\xA4\xFF";
    for round in 0..60_000 {
        let forms = if round % 2 == 0 { OSSEC } else { NEWER };
        let form = forms[random(forms.len())];
        let mut line = form.example().as_bytes().to_vec();
        for _ in 0..random(6) {
            let at = random(line.len());
            match random(3) {
                0 => line[at] = marks[random(marks.len())],
                1 => line.insert(at, marks[random(marks.len())]),
                _ => {
                    line.remove(at);
                }
            }
        }
        line.truncate(random(line.len() + 8));
        let strict = parse(&line, Forms::Strict);
        let extended = parse(&line, Forms::Extended);
        for header in [strict, extended] {
            for span in [header.hostname, header.program_name, Some(header.log)] {
                let range = span.unwrap_or_default().range();
                assert!(range.start <= range.end && range.end <= line.len(), "{line:?}");
            }
        }
        if strict.hostname.is_some() || strict.program_name.is_some() {
            assert_eq!(strict, extended, "{line:?}");
        }
    }
}
