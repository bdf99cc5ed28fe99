//! Tells somebody elsewhere about an alert: a message to an address of the web.
//!
//! The message is made here; it is sent by a program of its own, `wachter notify`, which has no other
//! rights. It gets the address, which may hold a secret, and the message on its standard input.

use std::ffi::OsString;
use std::path::PathBuf;

use model::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::jobs::Job;
use crate::order::Cause;
use crate::target::Target;

/// The executables that it stands for, with or without `.sh`.
pub(crate) const EXECUTABLES: [&str; 2] = ["webhook", "ossec-slack"];
/// The command of `program` that sends a message.
pub const SENDER: &str = "notify";

/// Where, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub url: String,
    pub form: Form,
    /// This program.
    pub program: PathBuf,
    /// What this host is called.
    pub host: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All that is known, as one object.
    Json,
    /// What Slack, Mattermost and their like understand.
    Slack,
}

/// All that is known.
#[derive(Serialize)]
struct Message<'a> {
    host: &'a str,
    time: String,
    alert: String,
    rule: u32,
    level: u16,
    address: Option<String>,
    user: Option<&'a str>,
    file: Option<String>,
    location: String,
    line: String,
}

/// Whether an executable's name is one of these.
pub fn is_webhook(executable: &str) -> bool {
    EXECUTABLES.contains(&executable.strip_suffix(".sh").unwrap_or(executable))
}

/// The call of the sender.
pub(crate) fn job(webhook: &Webhook, target: &Target, cause: &Cause) -> Job {
    let mut input = webhook.url.clone().into_bytes();
    input.push(b'\n');
    input.extend(body(webhook, target, cause).to_string().into_bytes());
    Job {
        program: webhook.program.clone(),
        arguments: vec![OsString::from(SENDER)],
        input,
        may_fail: false,
    }
}

fn body(webhook: &Webhook, target: &Target, cause: &Cause) -> serde_json::Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let message = Message {
        host: &webhook.host,
        time: time(cause.alert.seconds),
        alert: cause.alert.to_string(),
        rule: cause.rule,
        level: cause.level,
        address: target.net.map(|net| net.to_string()),
        user: target.user.as_ref().map(|user| user.as_str()),
        file: target.filename.as_ref().map(|name| text(name.as_bytes())),
        location: text(&cause.location),
        line: text(&cause.line),
    };
    match webhook.form {
        Form::Json => json!(message),
        Form::Slack => slack(&message),
    }
}

fn slack(message: &Message<'_>) -> serde_json::Value {
    let Message { host, rule, level, address, user, .. } = message;
    // compat: the colours of OSSEC's script.
    let colour = match level {
        12.. => "#CC3300",
        7..=11 => "#FF9966",
        4..=6 => "#FFCC00",
        _ => "#CCCCCC",
    };
    let mut fields = vec![
        json!({"title": "Rule", "value": format!("{rule} (level {level})"), "short": true}),
        json!({"title": "Location", "value": plain(&message.location), "short": true}),
    ];
    for (title, value) in [("Address", address.as_deref()), ("User", *user)] {
        fields.extend(value.map(|value| json!({"title": title, "value": value, "short": true})));
    }
    json!({
        "text": format!("Alert {} on {host}", message.alert),
        "attachments": [{
            "color": colour,
            "fallback": format!("rule {rule} (level {level}) on {host}"),
            "text": plain(&message.line),
            "fields": fields,
            "mrkdwn_in": [],
            "ts": message.alert.split('.').next(),
        }],
    })
}

/// What Slack takes for no link, name or channel.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn time(seconds: i64) -> String {
    let civil = Timestamp::utc(seconds).civil();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::AlertId;
    use crate::target::{Net, User};

    fn webhook(form: Form) -> Webhook {
        let (url, program) = ("https://hooks.example.org/x".to_owned(), "/bin/w".into());
        Webhook { url, form, program, host: "home".to_owned() }
    }

    fn cause(level: u16) -> Cause {
        Cause {
            alert: AlertId { seconds: 1_795_560_311, number: 42 },
            rule: 5712,
            level,
            location: b"/var/log/auth.log".to_vec(),
            line: b"<!channel> \"quoted\"\n\xff \x1b[2J".to_vec(),
        }
    }

    #[test]
    fn what_is_sent() {
        let mut target = Target::address(Net::of_attacker(b"203.0.113.7").unwrap());
        target.user = User::parse(b"root").ok();
        let Job { arguments, input, .. } = job(&webhook(Form::Json), &target, &cause(10));
        assert_eq!(arguments, ["notify"]);
        let input = String::from_utf8(input).unwrap();
        let (url, body) = input.split_once('\n').unwrap();
        assert_eq!(url, "https://hooks.example.org/x");
        assert!(!body.contains(['\n', '\u{1b}']), "{body}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let expected = json!({
            "host": "home", "time": "2026-11-24T22:45:11Z", "alert": "1795560311.42",
            "rule": 5712, "level": 10, "address": "203.0.113.7", "user": "root", "file": null,
            "location": "/var/log/auth.log",
            "line": "<!channel> \"quoted\"\n\u{fffd} \u{1b}[2J",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn nobody_is_called_by_what_a_line_says() {
        for (level, colour) in [(3, "#CCCCCC"), (5, "#FFCC00"), (7, "#FF9966"), (15, "#CC3300")] {
            let body = body(&webhook(Form::Slack), &Target::default(), &cause(level));
            assert_eq!(body["attachments"][0]["color"], colour);
            let text = body["attachments"][0]["text"].as_str().unwrap();
            assert!(text.starts_with("&lt;!channel&gt; "), "{text}");
        }
    }

    #[test]
    fn names() {
        assert!(is_webhook("webhook") && is_webhook("ossec-slack.sh"));
        assert!(!is_webhook("slack.sh") && !is_webhook("webhook.py"));
    }
}
