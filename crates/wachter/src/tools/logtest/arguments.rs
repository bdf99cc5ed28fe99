//! The command line of logtest.

use std::path::PathBuf;

use lexopt::Parser;
use lexopt::prelude::*;

use super::verdict::Verdict;
use crate::home::{self, Parts, PartsOption};

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
    pub(super) home: PathBuf,
    pub(super) conf: Option<PathBuf>,
    pub(super) parts: Parts,
    pub(super) mode: Mode,
    pub(super) test_only: bool,
    pub(super) quiet: bool,
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
        let mut arguments = Self {
            home: home::DEFAULT.into(),
            conf: None,
            parts: Parts::default(),
            mode: Mode::Phases,
            test_only: false,
            quiet: false,
            verdict: None,
        };
        while let Some(argument) = parser.next()? {
            if let Some(option) = PartsOption::of(&argument) {
                arguments.parts.take(option, &mut parser)?;
                continue;
            }
            match argument {
                Short('V') | Long("version") => return Ok(Request::Version),
                Short('h') | Long("help") => return Ok(Request::Help),
                Short('d') => {}
                Short('t') => arguments.test_only = true,
                Short('q') => arguments.quiet = true,
                Short('a') => arguments.mode = Mode::Alerts,
                // compat: -a wins over -v, wherever it stands.
                Short('v') if arguments.mode == Mode::Alerts => {}
                Short('v') => arguments.mode = Mode::RuleDebugging,
                Long("trace") => arguments.mode = Mode::Trace,
                Long("json") => arguments.mode = Mode::Json,
                Short('D') => arguments.home = parser.value()?.into(),
                Short('c') => arguments.conf = Some(parser.value()?.into()),
                Short('U') => {
                    let text = parser.value()?.string()?;
                    arguments.verdict = Some(text.parse().map_err(lexopt::Error::from)?);
                }
                other => return Err(other.unexpected()),
            }
        }
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
        assert_eq!((arguments.home, arguments.conf), ("/h".into(), Some("/x".into())));
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
