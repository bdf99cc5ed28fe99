//! The command line of logtest.

use std::path::PathBuf;

use lexopt::Parser;
use lexopt::prelude::*;

use super::verdict::Verdict;
use crate::home::{Origin, Parts, PartsOption};

pub(super) const USAGE: &str = "\
usage: wachter logtest [options]
       ossec-logtest [options]

Reads log lines from standard input and says what decoders and rules make of each.

  -V                    show the version
  -h                    show this
  -t                    test the configuration only: exit code 0 or 1
  -a                    show alerts only, as in alerts.log
  -v                    show which rules were tried
  --trace               show which decoders and rules were tried, and why each failed
  --json                one JSON object for each line
  -U RULE:LEVEL:DECODER compare with this: exit code 0 if all are equal, 1 if the level, 2 if the
                        rule and 3 if the decoder differs, 255 if there is no rule
  -D DIR                directory of the installation (default /var/ossec)
  -c FILE               configuration file (default DIR/etc/ossec.conf)
  --watch               before each line, read the files anew if one has changed; if they have errors,
                        what is in force stays, and what is remembered stays in any case
  -q                    do not tell which decoder files are read
  -d                    accepted, without effect
";

/// What is asked for.
#[derive(Debug)]
pub(super) enum Request {
    Run(Box<Arguments>),
    Help,
    Version,
}

#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) origin: Origin,
    pub(super) mode: Mode,
    pub(super) test_only: bool,
    pub(super) quiet: bool,
    pub(super) watch: bool,
    pub(super) verdict: Option<Verdict>,
}

/// What is shown of each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Phases,
    /// Phases, and the rules that were tried.
    RuleDebugging,
    /// Phases, and everything that was tried, with reasons.
    Trace,
    Alerts,
    Json,
}

impl Mode {
    pub(super) fn has_phases(self) -> bool {
        match self {
            Self::Phases | Self::RuleDebugging | Self::Trace => true,
            Self::Alerts | Self::Json => false,
        }
    }
}

impl Arguments {
    pub(super) fn parse(mut parser: Parser) -> Result<Request, lexopt::Error> {
        let (mut home, mut conf, mut parts) = (None, None, Parts::default());
        let mut mode = Mode::Phases;
        let (mut test_only, mut quiet, mut watch, mut verdict) = (false, false, false, None);
        while let Some(argument) = parser.next()? {
            if let Some(option) = PartsOption::of(&argument) {
                parts.take(option, &mut parser)?;
                continue;
            }
            match argument {
                Short('V') | Long("version") => return Ok(Request::Version),
                Short('h') | Long("help") => return Ok(Request::Help),
                Short('d') => {}
                Short('t') => test_only = true,
                Short('q') => quiet = true,
                Short('a') => mode = Mode::Alerts,
                // compat: -a wins over -v, wherever it stands.
                Short('v') if mode == Mode::Alerts => {}
                Short('v') => mode = Mode::RuleDebugging,
                Long("watch") => watch = true,
                Long("trace") => mode = Mode::Trace,
                Long("json") => mode = Mode::Json,
                Short('D') => home = Some(PathBuf::from(parser.value()?)),
                Short('c') => conf = Some(PathBuf::from(parser.value()?)),
                Short('U') => {
                    let text = parser.value()?.string()?;
                    verdict = Some(text.parse().map_err(lexopt::Error::from)?);
                }
                other => return Err(other.unexpected()),
            }
        }
        let origin = Origin::of(parts, home, conf);
        let arguments = Self { origin, mode, test_only, quiet, watch, verdict };
        Ok(Request::Run(Box::new(arguments)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Request, String> {
        let words = std::iter::once("logtest").chain(words.iter().copied());
        Arguments::parse(Parser::from_iter(words)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_together() {
        let request = parse(&["-dqav", "-D", "/h", "-c/x", "-U", "1:2:d:e"]);
        let Ok(Request::Run(arguments)) = request else { panic!("{request:?}") };
        assert_eq!(arguments.mode, Mode::Alerts);
        assert!(arguments.quiet && !arguments.test_only);
        let Origin::Home { home, conf } = arguments.origin else { panic!("an installation") };
        assert_eq!((home, conf), ("/h".into(), Some("/x".into())));
        assert!(arguments.verdict.is_some());
        assert!(matches!(parse(&["-h"]), Ok(Request::Help)));
        assert!(matches!(parse(&["-V"]), Ok(Request::Version)));
    }

    #[test]
    fn mistakes() {
        for words in [&["-x"][..], &["-U", "1:2"], &["-U"], &["file"], &["--rules"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
