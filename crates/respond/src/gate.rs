//! The gateway: where it is, and what is said to it.
//!
//! Another host is reached through `ssh` with a key whose forced command is `wachter gate`. That
//! understands three lines and nothing else, each answered by one line or, for `list`, by one for
//! each address and an end:
//!
//! ```text
//! add ADDRESS[/BITS] SECONDS      SECONDS is 0 for ever
//! delete ADDRESS[/BITS]
//! list
//! ```

use std::time::Duration;

use crate::actions::{Action, ActionError, List, Want, Work};
use crate::allow::AllowList;
use crate::decide::Reason;
use crate::place::Where;
use crate::target::{Net, Target};

/// Bytes of one line.
pub const LINE_BYTES_MAX: usize = 128;
/// Bytes of the name of a host.
const HOST_BYTES_MAX: usize = 255;

/// Who keeps attackers out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub at: At,
    /// The sets of ipset, as the rules of the gateway call them.
    pub ipv4: String,
    pub ipv6: String,
    /// Whether a set that is missing is made.
    pub create: bool,
    /// Whether a rule that uses the sets is made, too.
    pub rule: bool,
    /// Whether a script `ipset.sh` of the user's comes first.
    pub script_first: bool,
}

/// Where the gateway is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// On this host, or in a part of it.
    Host(Where),
    /// On another host.
    Ssh(SshHost),
}

/// A host, perhaps with a user, that is not an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshHost(String);

impl Default for Gateway {
    fn default() -> Self {
        Self {
            at: At::Host(Where::Here),
            ipv4: "global-blk4".to_owned(),
            ipv6: "global-blk6".to_owned(),
            create: true,
            rule: false,
            script_first: true,
        }
    }
}

impl SshHost {
    /// `[USER@]HOST`, or a name of `ssh_config`; `None` if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@:".contains(&byte);
        let fits = (1..=HOST_BYTES_MAX).contains(&text.len())
            && text.bytes().all(known)
            && !text.starts_with('-')
            && !text.contains("@-");
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Add { net: Net, left: Option<Duration> },
    Delete(Net),
    List,
}

impl Line {
    /// `None` if it is none.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line).ok().filter(|line| line.len() <= LINE_BYTES_MAX)?;
        let mut words = line.split(' ');
        let parsed = match words.next()? {
            "add" => {
                let net = net(words.next()?)?;
                let seconds = words.next()?;
                let digits = seconds.len() <= 10 && seconds.bytes().all(|b| b.is_ascii_digit());
                let seconds: u64 = seconds.parse().ok().filter(|_| digits)?;
                Self::Add { net, left: (seconds > 0).then(|| Duration::from_secs(seconds)) }
            }
            "delete" => Self::Delete(net(words.next()?)?),
            "list" => Self::List,
            _ => return None,
        };
        words.next().is_none().then_some(parsed)
    }

    /// The line, with its end.
    pub fn render(&self) -> String {
        match self {
            Self::Add { net, left } => {
                format!("add {net} {}\n", left.map_or(0, |left| left.as_secs().max(1)))
            }
            Self::Delete(net) => format!("delete {net}\n"),
            Self::List => "list\n".to_owned(),
        }
    }
}

/// Does what a line says and gives the answer, with its end: `ok`, or `error` and why.
///
/// The gateway's own allow list wins over whoever asks.
pub fn answer(line: &[u8], allow: &AllowList, action: &mut dyn Action) -> String {
    let answer = match Line::parse(line) {
        None => Err("not a line of the gate".to_owned()),
        Some(Line::Add { net, .. }) if allow.holds(net) => {
            Err(format!("{net}: {}", Reason::Allowed))
        }
        Some(Line::Add { net, left }) => {
            let want = Want { target: Target::address(net), left };
            match action.refuses(&want.target) {
                Some(why) => Err(format!("{net}: {why}")),
                None => done(action.put(&[want])),
            }
        }
        Some(Line::Delete(net)) => done(action.take(&[Target::address(net)])),
        Some(Line::List) => list(action),
    };
    match answer {
        Ok(text) => format!("{text}ok\n"),
        Err(why) => format!("error {}\n", why.escape_debug()),
    }
}

fn done(work: Result<Work, ActionError>) -> Result<String, String> {
    match work {
        Ok(Work::Done) => Ok(String::new()),
        Ok(Work::Run(_)) => Err("the gate starts no programs".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn list(action: &mut dyn Action) -> Result<String, String> {
    let (List::Ours(wants) | List::Shared(wants)) =
        action.list().map_err(|error| error.to_string())?
    else {
        return Err("the gate cannot list".to_owned());
    };
    let line = |want: &Want| Some(Line::Add { net: want.target.net?, left: want.left }.render());
    Ok(wants.iter().filter_map(line).collect())
}

fn net(text: &str) -> Option<Net> {
    text.parse::<Net>().ok()?.checked().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines() {
        for good in ["add 203.0.113.7 600", "add 2001:db8::/64 0", "delete 203.0.113.0/24", "list"]
        {
            let line = Line::parse(good.as_bytes()).unwrap();
            assert_eq!(line.render(), format!("{good}\n"));
        }
        let long = format!("add 203.0.113.7 {}", "0".repeat(LINE_BYTES_MAX));
        for bad in [
            "",
            "add",
            "add 203.0.113.7",
            "add 203.0.113.7 -1",
            "add 203.0.113.7 600 x",
            "add 203.0.113.7  600",
            "add 127.0.0.1 600",
            "add 0.0.0.0/0 600",
            "add host.example 600",
            "add 203.0.113.7 600; reboot",
            "add $(id) 600",
            "delete",
            "delete ::",
            "list x",
            " list",
            "sh",
            &long,
        ] {
            assert_eq!(Line::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn hosts() {
        for good in ["gateway", "wachter@192.0.2.1", "fe80::1"] {
            assert_eq!(SshHost::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-oProxyCommand=x", "a b", "a;b", "x@-y", "$(id)"] {
            assert_eq!(SshHost::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_survived(line: Vec<u8>, text: String) {
            let _ = (Line::parse(&line), Line::parse(text.as_bytes()));
        }
    }
}
