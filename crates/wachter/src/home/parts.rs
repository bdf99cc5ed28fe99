//! Files named on a command line, in place of an installation.

use std::path::PathBuf;

use lexopt::prelude::*;
use lexopt::{Arg, Parser};

/// Files named one by one, in place of an installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// Rule files, or directories of them.
    pub(crate) rules: Vec<PathBuf>,
    /// Decoder files. If there are none: `decoder.xml` and `local_decoder.xml` in the first
    /// directory of rules or beside it.
    pub(crate) decoders: Vec<PathBuf>,
    /// Lists, under the names by which rules call them.
    pub(crate) lists: Vec<PathBuf>,
    /// A file with a `<rules>` section: which files of the directories are read, in which order.
    pub(crate) include_order: Option<PathBuf>,
    /// As OSSEC, faults included.
    pub(crate) strict: bool,
}

/// An option of the command line that names parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartsOption {
    Rules,
    Decoders,
    Lists,
    IncludeOrder,
    Strict,
}

/// What the commands that take these options say about them.
pub(crate) const USAGE: &str = "  \
  --rules DIR|FILE      bare rule files instead of an installation; may be repeated
  --decoders FILE       their decoder files; may be repeated (default: decoder.xml and
                        local_decoder.xml in DIR or beside it)
  --lists FILE          lists that the rules use; may be repeated
  --include-order FILE  a <rules> section that says which files of DIR are read in which order
                        (default: rules_config.xml, the others by name, local_rules.xml)
  --strict              as OSSEC, faults included
";

impl PartsOption {
    /// The option that an argument is.
    pub(crate) fn of(argument: &Arg<'_>) -> Option<Self> {
        Some(match argument {
            Long("rules") => Self::Rules,
            Long("decoders") => Self::Decoders,
            Long("lists") => Self::Lists,
            Long("include-order") => Self::IncludeOrder,
            Long("strict") => Self::Strict,
            _ => return None,
        })
    }
}

impl Parts {
    /// Whether nothing is named, so that an installation is meant.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.decoders.is_empty()
    }

    /// Takes an option's value.
    pub(crate) fn take(
        &mut self,
        option: PartsOption,
        arguments: &mut Parser,
    ) -> Result<(), lexopt::Error> {
        match option {
            PartsOption::Rules => self.rules.push(arguments.value()?.into()),
            PartsOption::Decoders => self.decoders.push(arguments.value()?.into()),
            PartsOption::Lists => self.lists.push(arguments.value()?.into()),
            PartsOption::IncludeOrder => self.include_order = Some(arguments.value()?.into()),
            PartsOption::Strict => self.strict = true,
        }
        Ok(())
    }
}
