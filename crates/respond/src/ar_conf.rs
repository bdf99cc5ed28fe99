//! `ar.conf`: the responses by name, one on a line: `NAME - EXECUTABLE - TIMEOUT`.
//!
//! It tells agents what they may be asked for.

use config::OssecConf;

/// Responses that are read; the rest is left out and counted.
pub const RESPONSES_MAX: usize = 1024;
/// Bytes of a name or executable.
const WORD_BYTES_MAX: usize = 200;

/// compat: the responses that restart an agent stand first, configured or not.
const FIXED: &str =
    "restart-ossec0 - restart-ossec.sh - 0\nrestart-ossec0 - restart-ossec.cmd - 0\n";
const SEPARATOR: &str = " - ";

/// A program to run for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// That of the command, then the timeout: `host-deny600`.
    pub name: String,
    pub command: String,
    /// A plain file name.
    pub executable: String,
    /// Seconds; 0: it is not undone.
    pub timeout: u32,
}

/// All responses, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Responses {
    pub list: Vec<Response>,
    /// Lines or sections that were none.
    pub left_out: usize,
}

impl Responses {
    /// Those that the configuration has and does not disable.
    pub fn of(conf: &OssecConf) -> Self {
        let mut responses = Self::default();
        if conf.active_responses.disabled {
            return responses;
        }
        for section in conf.active_responses.list.iter().filter(|section| !section.disabled) {
            let command = conf.commands.iter().find(|it| it.name.value == section.command.value);
            let Some(command) = command else {
                responses.left_out += 1;
                continue;
            };
            let timeout = section.timeout.as_ref().map_or(0, |timeout| timeout.value);
            let timeout = if command.timeout_allowed { timeout } else { 0 };
            responses.push(Response {
                name: format!("{}{timeout}", command.name.value),
                command: command.name.value.clone(),
                executable: command.executable.value.clone(),
                timeout,
            });
        }
        responses
    }

    /// Reads the file as a server sends it. What is damaged is left out and counted.
    pub fn parse(text: &[u8]) -> Self {
        let mut responses = Self::default();
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match std::str::from_utf8(line).ok().and_then(parse_line) {
                Some(response) => responses.push(response),
                None => responses.left_out += 1,
            }
        }
        responses
    }

    /// The file.
    pub fn render(&self) -> String {
        let mut out = FIXED.to_owned();
        for Response { name, executable, timeout, .. } in &self.list {
            out.push_str(&format!("{name}{SEPARATOR}{executable}{SEPARATOR}{timeout}\n"));
        }
        out
    }

    /// Those of a name: more than one where platforms have programs of their own.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Response> {
        self.list.iter().filter(move |response| response.name == name)
    }

    fn push(&mut self, response: Response) {
        let fits = [&response.name, &response.executable];
        let fits = fits.iter().all(|word| word.len() <= WORD_BYTES_MAX);
        if fits && is_plain(&response.executable) && self.list.len() < RESPONSES_MAX {
            self.list.push(response);
        } else {
            self.left_out += 1;
        }
    }
}

/// Whether it is the name of a file in a folder, and of none elsewhere.
pub(crate) fn is_plain(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
    !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(known)
}

fn parse_line(line: &str) -> Option<Response> {
    let (name, rest) = line.split_once(SEPARATOR)?;
    let (executable, timeout) = rest.rsplit_once(SEPARATOR)?;
    let seconds = timeout.trim_end().parse().ok()?;
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    is_name.then(|| Response {
        name: name.to_owned(),
        command: name.strip_suffix(timeout).unwrap_or(name).to_owned(),
        executable: executable.to_owned(),
        timeout: seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::conf;

    const CONF: &str = "<ossec_config>
        <command><name>host-deny</name><executable>host-deny.sh</executable><expect>srcip</expect>
          <timeout_allowed>yes</timeout_allowed></command>
        <command><name>tell</name><executable>tell.sh</executable><expect></expect></command>
        <active-response><command>host-deny</command><location>local</location><level>6</level>
          <timeout>600</timeout></active-response>
        <active-response><command>tell</command><location>server</location><level>9</level>
          </active-response>
        <active-response><disabled>yes</disabled><command>tell</command><location>all</location>
          <level>9</level></active-response>
      </ossec_config>";

    #[test]
    fn the_file_of_a_configuration() {
        let responses = Responses::of(&conf(CONF));
        let expected = "restart-ossec0 - restart-ossec.sh - 0\n\
                        restart-ossec0 - restart-ossec.cmd - 0\n\
                        host-deny600 - host-deny.sh - 600\n\
                        tell0 - tell.sh - 0\n";
        assert_eq!(responses.render(), expected);
        let read = Responses::parse(expected.as_bytes());
        assert_eq!(read.list[2..], responses.list);
        assert_eq!(read.named("restart-ossec0").count(), 2);
        assert_eq!(read.left_out, 0);
    }

    #[test]
    fn lines_that_are_none() {
        for bad in [
            "x - ../../bin/sh - 0",
            "x - /bin/sh - 0",
            "x - a b - 0",
            "x - -c - 0",
            "x - .. - 0",
            "x - a.sh - -1",
            "x - a.sh",
            " - a.sh - 0",
            "a b - a.sh - 0",
        ] {
            let responses = Responses::parse(bad.as_bytes());
            assert_eq!((responses.list.len(), responses.left_out), (0, 1), "{bad}");
        }
        let many = "x0 - x.sh - 0\n".repeat(RESPONSES_MAX + 1);
        let responses = Responses::parse(many.as_bytes());
        assert_eq!((responses.list.len(), responses.left_out), (RESPONSES_MAX, 1));
    }
}
