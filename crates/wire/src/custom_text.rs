//! The line of `alerts.log` where `custom_alert_output` gives a template for it.
// compat: OSSEC replaces one token after the other, so that a token inside a value is replaced
// too, and a sender can put other values in its place; here a template is taken apart once.

use model::Field;

use crate::AlertView;
use crate::digits::push_number;
use crate::digits::push_signed;
use crate::record::push_escaped;

/// Bytes of a value that are written; the log alone is written whole.
const VALUE_BYTES_MAX: usize = 1023;

/// What stands for a place, an address or a user that is not known.
const UNKNOWN: &[u8] = b"None";

/// A template, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomTemplate {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<[u8]>),
    Value(Token),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Timestamp,
    AlertId,
    Mail,
    Hostname,
    Location,
    RuleId,
    RuleLevel,
    SrcIp,
    DstUser,
    FullLog,
    RuleComment,
    RuleGroup,
}

/// No token begins with another one.
const TOKENS: [(&[u8], Token); 12] = [
    (b"$TIMESTAMP", Token::Timestamp),
    (b"$FTELL", Token::AlertId),
    (b"$RULEALERT", Token::Mail),
    (b"$HOSTNAME", Token::Hostname),
    (b"$LOCATION", Token::Location),
    (b"$RULEID", Token::RuleId),
    (b"$RULELEVEL", Token::RuleLevel),
    (b"$SRCIP", Token::SrcIp),
    (b"$DSTUSER", Token::DstUser),
    (b"$FULLLOG", Token::FullLog),
    (b"$RULECOMMENT", Token::RuleComment),
    (b"$RULEGROUP", Token::RuleGroup),
];

impl CustomTemplate {
    /// Takes a template apart. What is no token is text.
    pub fn parse(template: &[u8]) -> Self {
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        let mut rest = template;
        while let Some((&byte, after)) = rest.split_first() {
            let token =
                TOKENS.iter().find_map(|&(name, token)| Some((token, rest.strip_prefix(name)?)));
            if let Some((token, after)) = token {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text).into()));
                }
                pieces.push(Piece::Value(token));
                rest = after;
            } else {
                text.push(byte);
                rest = after;
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into()));
        }
        Self { pieces }
    }

    /// Appends the line of an alert, newline included.
    pub fn write(&self, alert: &AlertView<'_>, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Value(token) => push_value(out, *token, alert),
            }
        }
        out.push(b'\n');
    }
}

fn push_value(out: &mut Vec<u8>, token: Token, alert: &AlertView<'_>) {
    let event = &alert.event;
    match token {
        Token::Timestamp => push_signed(out, event.at.seconds),
        Token::AlertId => push_number(out, alert.id),
        Token::Mail => out.extend_from_slice(if alert.mail { b"mail " } else { b"" }),
        Token::Hostname => push_known(out, event.hostname),
        Token::Location => push_known(out, event.location),
        Token::RuleId => push_number(out, alert.rule.id.into()),
        Token::RuleLevel => push_number(out, alert.rule.level.into()),
        Token::SrcIp => push_known(out, event.field(Field::SrcIp).unwrap_or_default()),
        Token::DstUser => push_known(out, event.field(Field::DstUser).unwrap_or_default()),
        Token::FullLog => push_log(out, event.full_log),
        Token::RuleComment => push_cut(out, alert.rule.description.as_bytes()),
        Token::RuleGroup => push_cut(out, alert.rule.groups.as_bytes()),
    }
}

fn push_known(out: &mut Vec<u8>, value: &[u8]) {
    push_cut(out, if value.is_empty() { UNKNOWN } else { value });
}

fn push_cut(out: &mut Vec<u8>, value: &[u8]) {
    push_escaped(out, value.get(..VALUE_BYTES_MAX).unwrap_or(value));
}

/// Line ends of both kinds become `\n`.
fn push_log(out: &mut Vec<u8>, log: &[u8]) {
    for (index, part) in log.split(|&byte| byte == b'\r').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\\n");
        }
        push_escaped(out, part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventView;
    use crate::RuleView;
    use crate::samples::failed_login;

    fn text(template: &str, alert: &AlertView<'_>) -> String {
        let mut out = Vec::new();
        CustomTemplate::parse(template.as_bytes()).write(alert, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_token() {
        let log = std::str::from_utf8(failed_login().event.full_log).unwrap();
        for (token, expected) in [
            ("$TIMESTAMP", "1795560311"),
            ("$FTELL", "2"),
            ("$RULEALERT", "mail "),
            ("$HOSTNAME", "web1"),
            ("$LOCATION", "/var/log/auth.log"),
            ("$RULEID", "5716"),
            ("$RULELEVEL", "5"),
            ("$SRCIP", "203.0.113.8"),
            ("$DSTUSER", "root"),
            ("$FULLLOG", log),
            ("$RULECOMMENT", "SSHD authentication failed."),
            ("$RULEGROUP", "syslog,sshd,authentication_failed,"),
        ] {
            assert_eq!(text(token, &failed_login()), format!("{expected}\n"));
        }
    }

    #[test]
    fn what_is_absent() {
        let template =
            "[$RULEALERT|$HOSTNAME|$LOCATION|$SRCIP|$DSTUSER|$FULLLOG|$RULECOMMENT|$RULEGROUP]";
        assert_eq!(text(template, &AlertView::default()), "[|None|None|None|None|||]\n");
    }

    #[test]
    fn text_around_tokens() {
        let line = text("a $RULEIDs $$FTELL $ $rulleid $RULE $RULEID", &failed_login());
        assert_eq!(line, "a 5716s $2 $ $rulleid $RULE 5716\n");
        assert_eq!(text("", &failed_login()), "\n");
    }

    #[test]
    fn a_token_in_a_value_stays() {
        let event = EventView {
            hostname: b"$LOCATION",
            full_log: b"$RULEID $DSTUSER",
            ..failed_login().event
        };
        let alert = AlertView { event, ..failed_login() };
        assert_eq!(text("$HOSTNAME $FULLLOG", &alert), "$LOCATION $RULEID $DSTUSER\n");
    }

    #[test]
    fn control_characters_and_line_ends() {
        let event = EventView {
            hostname: b"a\nb\r",
            full_log: b"one\r\ntwo\rthree\t\x1b\n",
            ..failed_login().event
        };
        let alert = AlertView { event, ..failed_login() };
        let line = text("$HOSTNAME $FULLLOG", &alert);
        assert_eq!(line, "a\\nb\\r one\\n\\ntwo\\nthree\\t\\x1b\\n\n");
    }

    #[test]
    fn values_at_their_limit() {
        let long = "d".repeat(VALUE_BYTES_MAX + 1);
        let rule = RuleView { description: &long, ..failed_login().rule };
        let event = EventView { full_log: long.as_bytes(), ..failed_login().event };
        let alert = AlertView { rule, event, ..failed_login() };
        assert_eq!(text("$RULECOMMENT", &alert), format!("{}\n", "d".repeat(VALUE_BYTES_MAX)));
        assert_eq!(text("$FULLLOG", &alert), format!("{long}\n"));
    }
}
