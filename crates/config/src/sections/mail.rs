//! The part of `<global>` that says how mail is sent.

use osxml::Element;

use crate::address::Host;
use crate::findings::Findings;
use crate::messages;
use crate::section;
use crate::spanned::{Place, Spanned};
use crate::value;

/// How mail is sent, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Alerts are sent. Reports are in any case.
    pub email_notification: bool,
    /// Where it is said that they are.
    pub email_notification_at: Option<Place>,
    /// The first one is written to, the others get copies.
    pub email_to: Vec<Spanned<String>>,
    pub email_from: Option<Spanned<String>>,
    pub email_reply_to: Option<Spanned<String>>,
    /// What stands in the header `X-IDS-OSSEC`.
    pub email_idsname: Option<Spanned<String>>,
    pub smtp_server: Option<Spanned<MailServer>>,
    /// The name by which this machine greets the server.
    pub helo_server: Option<Spanned<String>>,
    /// Mails of one hour.
    pub email_maxperhour: u32,
    pub smtp_port: Option<u16>,
    /// The server asks for user and password.
    pub auth_smtp: bool,
    /// The connection is encrypted from its start.
    pub secure_smtp: bool,
    /// The server's certificate is checked.
    pub smtp_tls_verify: bool,
    pub smtp_user: Option<Spanned<String>>,
    pub smtp_password: Option<Spanned<String>>,
}

/// Who takes mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailServer {
    Host(Host),
    /// A program that reads a mail from its input: an absolute path, and arguments.
    Program(String),
}

/// Characters that XML writes in other ways.
const ENTITIES: [(&str, char); 5] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&apos;", '\'')];

impl Default for Mail {
    fn default() -> Self {
        Self {
            email_notification: false,
            email_notification_at: None,
            email_to: Vec::new(),
            email_from: None,
            email_reply_to: None,
            email_idsname: None,
            smtp_server: None,
            helo_server: None,
            email_maxperhour: 12,
            smtp_port: None,
            auth_smtp: false,
            secure_smtp: false,
            smtp_tls_verify: true,
            smtp_user: None,
            smtp_password: None,
        }
    }
}

pub(super) fn notification(mail: &mut Mail, element: &Element, findings: &mut Findings) {
    value::yes_or_no(element, &mut mail.email_notification, findings);
    mail.email_notification_at = Some(findings.content(element));
}

pub(super) fn server(
    element: &Element,
    server: &mut Option<Spanned<MailServer>>,
    findings: &mut Findings,
) {
    let program = element.content.trim_ascii_start().starts_with(b"/");
    let read = match program {
        true => value::spanned(element, findings)
            .map(|text| Spanned { value: MailServer::Program(text.value), at: text.at }),
        false => value::host(element, findings)
            .map(|host| Spanned { value: MailServer::Host(host.value), at: host.at }),
    };
    if read.is_some() {
        *server = read;
    }
}

/// A text of one line: what is put into a mail's header or sent as a command.
pub(super) fn header(
    element: &Element,
    value: &mut Option<Spanned<String>>,
    findings: &mut Findings,
) {
    let Some(text) = value::spanned(element, findings) else { return };
    if text.contains(char::is_control) {
        return findings.add_to_content(messages::not_one_line(&element.name), element);
    }
    *value = Some(text);
}

/// compat: nothing is decoded, although OSSEC's installer writes `&amp;` and the like.
pub(super) fn secret(
    element: &Element,
    value: &mut Option<Spanned<String>>,
    findings: &mut Findings,
) {
    header(element, value, findings);
    let text = element.text();
    for (entity, character) in ENTITIES {
        if text.contains(entity) {
            let message = messages::entity_in_value(&element.name, entity, character);
            findings.add_to_content(message, element);
        }
    }
}

/// Fixed: whatever the order of elements, mail that is on has all it needs. An element whose value
/// is wrong is not missing.
pub(super) fn check(sections: &[&Element], mail: &Mail, findings: &mut Findings) {
    let has = |name: &str| sections.iter().any(|section| section::has(section, name));
    let needed = [
        ("email_to", "ops@example.org"),
        ("smtp_server", "127.0.0.1"),
        ("email_from", "wachter@example.org"),
    ];
    if let (true, Some(at)) = (mail.email_notification, mail.email_notification_at) {
        for (name, example) in needed.iter().filter(|(name, _)| !has(name)) {
            findings.add_to(messages::mail_lacks(name, example), at);
        }
    }
    let login = sections.iter().rev().flat_map(|section| section.children.iter().rev());
    if let (true, Some(element)) = (mail.auth_smtp, login.into_iter().find(|it| it.is("auth_smtp")))
    {
        for name in ["smtp_user", "smtp_password"].into_iter().filter(|name| !has(name)) {
            findings.add_to_content(messages::login_lacks(name), element);
        }
    }
}
