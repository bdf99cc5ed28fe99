//! `wachter notify`: sends one message to an address of the web, and can do nothing else.
//!
//! ossec-execd starts it for the command `webhook`. Address and message come on standard input.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lexopt::Parser;
use lexopt::prelude::*;
use rustls_native_certs::load_native_certs;
use supervisor::roles::GROUP;
use sys::accounts::Account;
use sys::sandbox::{self, Rights};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

const USAGE: &str = "\
usage: wachter notify

Reads an address, https://… or http://…, from the first line of standard input, and sends what
follows there as JSON. It is started for the command webhook of active responses.
";

/// Bytes of address and message.
const INPUT_BYTES_MAX: u64 = 256 * 1024;
/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// As whom it sends: a user of OSSEC's that owns nothing that matters.
const USERS: [&str; 3] = ["ossecm", "ossec", "nobody"];
/// What looking up a name needs.
const READABLE: [&str; 5] = ["/etc", "/usr", "/lib", "/lib64", "/run/nscd"];

pub(crate) fn run(mut parser: Parser) -> Result<ExitCode> {
    match parser.next()? {
        None => {}
        Some(Long("help") | Short('h')) => {
            print!("{USAGE}");
            return Ok(ExitCode::SUCCESS);
        }
        Some(other) => return Err(other.unexpected().into()),
    }
    let mut input = String::new();
    io::stdin().lock().take(INPUT_BYTES_MAX).read_to_string(&mut input).context("reading")?;
    let (url, message) = input.split_once('\n').context("an address, a line end, a message")?;
    // What is trusted is read before rights are given up.
    let trusted = load_native_certs();
    let roots = trusted.certs.iter().map(|it| Certificate::from_der(it).to_owned());
    let roots: Vec<Certificate<'static>> = roots.collect();
    let accounts = USERS.iter().find_map(|user| {
        let group = if *user == "nobody" { None } else { Some(GROUP) };
        Account::of(user, group).ok()
    });
    let rights = Rights {
        account: accounts,
        readable: readable(),
        sockets: true,
        parent: std::os::unix::process::parent_id(),
        ..Rights::default()
    };
    sandbox::enter(&rights).context("entering the sandbox")?;
    send(url, message, roots)?;
    Ok(ExitCode::SUCCESS)
}

/// The last is where `/etc/resolv.conf` leads to, which differs from host to host.
fn readable() -> Vec<PathBuf> {
    let resolver = std::fs::canonicalize("/etc/resolv.conf").ok();
    let resolver = resolver.and_then(|path| path.parent().map(PathBuf::from));
    READABLE.iter().map(PathBuf::from).chain(resolver).collect()
}

fn send(url: &str, message: &str, roots: Vec<Certificate<'static>>) -> Result<()> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        // A limit on looking up the name, or on all together, would take a thread, which the sandbox
        // does not allow; whoever started this ends it in time.
        .timeout_connect(Some(PATIENCE))
        .timeout_send_request(Some(PATIENCE))
        .timeout_send_body(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        // The address may hold a secret; nobody is to send us elsewhere with it.
        .max_redirects(0)
        .proxy(None)
        .user_agent("wachter")
        .build()
        .new_agent();
    let sent = agent.post(url).content_type("application/json").send(message);
    match sent {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => bail!("the webhook answers {}", answer.status()),
        // Without the address: who reads logs need not know it.
        Err(ureq::Error::StatusCode(code)) => bail!("the webhook answers {code}"),
        Err(error) => bail!("the webhook cannot be reached: {error}"),
    }
}
