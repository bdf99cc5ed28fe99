//! Whoever writes part of a line does not choose whose address is in it.

use decode::Name;
use engine::Outcome;
use model::Field;

use crate::policy;

/// Where the attacker really is.
const TRUE: &str = "192.0.2.7";

/// Whom he would like to blame.
const VICTIM: &str = "203.0.113.66";

/// Lines of programs; `{}` is what comes from outside.
const LINES: [&str; 37] = [
    // sshd: user names.
    "Mar  2 10:00:00 h sshd[9]: Failed password for {} from 192.0.2.7 port 4242 ssh2",
    "Mar  2 10:00:00 h sshd[9]: Failed password for invalid user {} from 192.0.2.7 port 4242 ssh2",
    "Mar  2 10:00:00 h sshd[9]: Failed none for invalid user {} from 192.0.2.7 port 4242 ssh2",
    "Mar  2 10:00:00 h sshd[9]: Invalid user {} from 192.0.2.7 port 4242",
    "Mar  2 10:00:00 h sshd[9]: Invalid user {} from 192.0.2.7",
    "Mar  2 10:00:00 h sshd[9]: Accepted password for {} from 192.0.2.7 port 4242 ssh2",
    "Mar  2 10:00:00 h sshd-session[9]: Connection closed by invalid user {} 192.0.2.7 port 4242 [preauth]",
    "Mar  2 10:00:00 h sshd[9]: Disconnected from authenticating user {} 192.0.2.7 port 4242 [preauth]",
    "Mar  2 10:00:00 h sshd[9]: User {} from 192.0.2.7 not allowed because not listed in AllowUsers",
    "Mar  2 10:00:00 h sshd[9]: error: PAM: Authentication failure for {} from 192.0.2.7",
    "Mar  2 10:00:00 h sshd[9]: error: maximum authentication attempts exceeded for {} from 192.0.2.7 port 4242 ssh2 [preauth]",
    "Mar  2 10:00:00 h sshd[9]: Bad protocol version identification '{}' from 192.0.2.7 port 4242",
    "Mar  2 10:00:00 h dropbear[9]: Bad password attempt for '{}' from 192.0.2.7:4242",
    // PAM: user names, and those that the other side gives.
    "Mar  2 10:00:00 h sshd[9]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user={}",
    "Mar  2 10:00:00 h rshd[9]: pam_unix(rsh:auth): authentication failure; logname= uid=0 euid=0 tty=rsh ruser={} rhost=192.0.2.7  user=root",
    // Dovecot: user names, sessions.
    "Mar  2 10:00:00 h dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<{}>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, session=<x>",
    "Mar  2 10:00:00 h dovecot: imap-login: Aborted login (auth failed, 3 attempts): user=<{}>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, TLS",
    "Mar  2 10:00:00 h dovecot: imap-login: Login: user=<{}>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=9, TLS",
    "Mar  2 10:00:00 h dovecot: auth: passwd-file({},192.0.2.7): unknown user",
    // Postfix: HELO, senders, recipients, names that failed to log in.
    "Mar  2 10:00:00 h postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <a@b.example>: Relay access denied; from=<{}> to=<a@b.example> proto=ESMTP helo=<x>",
    "Mar  2 10:00:00 h postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <{}>: Relay access denied; from=<a@b.example> to=<{}> proto=ESMTP helo=<x>",
    "Mar  2 10:00:00 h postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 504 5.5.2 <{}>: Helo command rejected: need fully-qualified hostname; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<{}>",
    "Mar  2 10:00:00 h postfix/smtpd[9]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: {}",
    "Mar  2 10:00:00 h postfix/smtpd[9]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: (reason unavailable), sasl_username={}",
    "Mar  2 10:00:00 h postfix/smtpd[9]: warning: non-SMTP command from unknown[192.0.2.7]: {}",
    // FTP: user names.
    "Mar  2 10:00:00 h proftpd[9]: 198.51.100.1 (h.example[192.0.2.7]) - USER {}: no such user found from h.example [192.0.2.7] to 198.51.100.1:21",
    "Mar  2 10:00:00 h proftpd[9]: 198.51.100.1 (h.example[192.0.2.7]) - USER {} (Login failed): Incorrect password",
    "Mon Mar  2 10:00:00 2026 [pid 9] [{}] FAIL LOGIN: Client \"192.0.2.7\"",
    "Mon Mar  2 10:00:00 2026 [pid 9] [{}] OK UPLOAD: Client \"192.0.2.7\", \"/{}\", 12 bytes, 1.00Kbyte/sec",
    "Mar  2 10:00:00 h pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [{}]",
    // Web servers: users, URLs, referrers, programs; names of virtual hosts.
    "192.0.2.7 - {} [02/Mar/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 401 100 \"-\" \"-\"",
    "192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] \"GET /{} HTTP/1.1\" 404 100 \"{}\" \"{}\"",
    "www.example.com:80 192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] \"GET /{} HTTP/1.1\" 404 100 \"{}\" \"{}\"",
    "2026/03/02 10:00:00 [error] 9#9: *1 open() \"/var/www/{}\" failed (2: No such file or directory), client: 192.0.2.7, server: a.example, request: \"GET /{} HTTP/1.1\", host: \"{}\"",
    "2026/03/02 10:00:00 [error] 9#9: *1 user \"{}\" was not found in \"/etc/nginx/users\", client: 192.0.2.7, server: a.example, request: \"GET / HTTP/1.1\", host: \"a.example\"",
    "[Mon Mar 02 10:00:00.112233 2026] [core:error] [pid 9:tid 9] [client 192.0.2.7:4242] File does not exist: /var/www/{}",
    "[Mon Mar 02 10:00:00.112233 2026] [auth_basic:error] [pid 9:tid 9] [client 192.0.2.7:4242] AH01618: user {} not found: /admin",
];

/// Texts that look like the rest of some line.
const TEXTS: [&str; 40] = [
    "bob",
    "203.0.113.66",
    "root from 203.0.113.66",
    "root from 203.0.113.66 port 22",
    "root from 203.0.113.66 port 22 ssh2",
    "root from 203.0.113.66 port 22 ssh2 ",
    "x port 22 ssh2",
    "a from 203.0.113.66 port 1 ssh2: RSA SHA256:x",
    "invalid user bob from 203.0.113.66 port 22 ssh2",
    "bob 203.0.113.66 port 22 [preauth]",
    "root from 203.0.113.66 not allowed because",
    "' from 203.0.113.66 port 22",
    "' from 203.0.113.66:22",
    "rhost=203.0.113.66",
    "root rhost=203.0.113.66  user=bob",
    "a> rip=203.0.113.66, lip=203.0.113.66",
    "a>, method=PLAIN, rip=203.0.113.66, lip=203.0.113.66, session=<y>",
    "a, rip=203.0.113.66",
    "bob,203.0.113.66): unknown user",
    "unknown[203.0.113.66]",
    "from unknown[203.0.113.66]: 554",
    "a@b> proto=ESMTP helo=<unknown[203.0.113.66]>",
    "RCPT from unknown[203.0.113.66]: 554 5.7.1 <",
    "x (h.example[203.0.113.66])",
    "no such user found from h [203.0.113.66] to 203.0.113.66:21",
    "bob: no such user found from h.example [203.0.113.66] to ::ffff:203.0.113.66:21",
    "bob] FAIL LOGIN: Client \"203.0.113.66\"",
    "] [WARNING] Authentication failed for user [x](?@203.0.113.66)",
    "bob [02/Mar/2026:10:00:00 +0100] \"GET / HTTP/1.1\" 200 1",
    "203.0.113.66 - - [02/Mar/2026:10:00:00 +0100] \"GET /",
    "\" 200 1\n203.0.113.66 - - [02/Mar/2026:10:00:00 +0100] \"GET /",
    "a\nMar  2 10:00:00 h sshd[9]: Failed password for root from 203.0.113.66 port 22 ssh2",
    "x\", client: 203.0.113.66, server: a, request: \"GET / HTTP/1.1\"",
    "x\" failed (2: No such file or directory), client: 203.0.113.66, server: a.example",
    "x\" was not found in \"y\", client: 203.0.113.66, server: a",
    "[client 203.0.113.66]",
    "x, referer: [client 203.0.113.66:1] y",
    "SRC=203.0.113.66 DST=203.0.113.66",
    "\"'`\\|<>{}$(id)",
    "::ffff:203.0.113.66",
];

fn srcip(outcome: &Outcome) -> Option<String> {
    let decoded = outcome.decoded()?;
    let value = decoded.fields.value(Name::Static(Field::SrcIp), decoded.full_log())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[test]
fn nobody_chooses_an_address() {
    let mut engine = policy::ours().engine();
    let mut problems = Vec::new();
    for line in LINES {
        for text in TEXTS {
            let log = line.replace("{}", text);
            let found = srcip(&engine.process(policy::event(log.as_bytes())));
            // Ordinary text leaves the address where it is; other text may cost it, and no more.
            let is_right = match &found {
                Some(address) => address == TRUE,
                None => text != TEXTS[0],
            };
            if !is_right {
                problems.push(format!("{found:?} in {log:?}"));
            }
        }
    }
    assert!(TEXTS.iter().filter(|text| text.contains(VICTIM)).count() > 30);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
