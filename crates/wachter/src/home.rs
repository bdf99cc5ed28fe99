//! Reads an installation, or bare files, into what the engine goes by.
//!
//! Every file is read once and kept for excerpts in messages. What cannot be read is a finding
//! where it is named, so one run tells of everything that is wrong.

pub(crate) mod files;
mod gather;
mod messages;
mod parts;
mod policy;
mod responses;
mod watch;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use config::{Compat, InternalOptions, OssecConf, WachterToml};
use engine::Policy;
use model::limits::FILE_BYTES_MAX;
use model::{Diagnostic, Memory, RamMemory, Severity, Sources, Table};
use testkit::case::Case;

use crate::{host, report};
use gather::Gathered;

pub(crate) use parts::{Parts, PartsOption, USAGE};
pub(crate) use watch::Watched;

/// Where OSSEC is installed.
pub(crate) const DEFAULT: &str = "/var/ossec";

/// Where decoders, rules and settings come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// An installation, with `conf` in place of its `etc/ossec.conf`.
    Home {
        home: PathBuf,
        conf: Option<PathBuf>,
    },
    Parts(Parts),
}

/// What was read, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Installation {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// `None` where there are errors.
    pub(crate) policy: Option<Policy>,
    /// What decoders and rules are doubtful about, where somebody asks.
    pub(crate) lints: Vec<Diagnostic>,
    /// What OSSEC says while it reads decoders.
    pub(crate) notices: Vec<String>,
    /// What was looked at.
    pub(crate) watched: Watched,
    /// What the configuration says besides decoders and rules.
    pub(crate) settings: Settings,
    /// Names the files as they were read, this host, and the program that read them. The same name
    /// means the same outcomes.
    pub(crate) fingerprint: u64,
}

/// What is made of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What the engine needs.
    Load,
    /// That, and what is doubtful about it.
    Lint,
}

impl Origin {
    /// The parts, or where none are named an installation.
    pub(crate) fn of(parts: Parts, home: Option<PathBuf>, conf: Option<PathBuf>) -> Self {
        match parts.is_empty() {
            true => Self::Home { home: home.unwrap_or_else(|| DEFAULT.into()), conf },
            false => Self::Parts(parts),
        }
    }

    /// An installation with its own configuration.
    pub(crate) fn home(home: &Path) -> Self {
        Self::Home { home: home.to_owned(), conf: None }
    }

    /// What the configuration says, without decoders and rules; what is wrong with it is told by
    /// [`Self::read`].
    pub(crate) fn settings(&self) -> Settings {
        match self {
            Self::Home { home, conf } => {
                read_settings(home, conf.as_deref(), &mut Gathered::default()).unwrap_or_default()
            }
            Self::Parts(_) => Settings::default(),
        }
    }

    pub(crate) fn read(&self, depth: Depth) -> Installation {
        match self {
            Self::Home { home, conf } => read_home(home, conf.as_deref(), depth),
            Self::Parts(parts) => read_parts(parts, depth),
        }
    }

    /// What is remembered there of first-time-seen and ignored values. Nothing is written back.
    pub(crate) fn memory(&self) -> RamMemory {
        match self {
            Self::Home { home, .. } => memory_of(home),
            Self::Parts(_) => RamMemory::default(),
        }
    }
}

fn read_home(home: &Path, conf: Option<&Path>, depth: Depth) -> Installation {
    let mut gathered = Gathered::default();
    let Some(settings) = read_settings(home, conf, &mut gathered) else {
        // Nothing else can be told without it.
        let Gathered { diagnostics, watched, .. } = gathered;
        return Installation { diagnostics, watched, ..Installation::default() };
    };
    gathered.files_of(home, &settings.conf);
    gathered.digest.add(env!("CARGO_PKG_VERSION"));
    gathered.digest.add(&host::short_name());
    let fingerprint = gathered.digest.finish();
    let mut installation = policy::build(gathered, &settings, depth);
    if depth == Depth::Lint {
        installation.lints.extend(responses::lint(home, &settings));
    }
    Installation { settings, fingerprint, ..installation }
}

fn read_parts(parts: &Parts, depth: Depth) -> Installation {
    let mut gathered = Gathered::default();
    gathered.parts(parts);
    let compat = if parts.strict { Compat::Strict } else { Compat::Ours };
    policy::build(gathered, &Settings::with(compat, None), depth)
}

/// Reads what a test case goes by. `host` is the name that this server has in it.
pub(crate) fn read_case(case: &Case, host: &str) -> Installation {
    let mut gathered = Gathered::default();
    gathered.case(case);
    let compat = if case.is_strict { Compat::Strict } else { Compat::Ours };
    let settings = Settings::with(compat, Some(host.to_owned()));
    policy::build(gathered, &settings, Depth::Load)
}

/// Reads bare files, for those who only want the policy.
pub(crate) fn load_parts(parts: &Parts) -> Result<Policy> {
    let installation = read_parts(parts, Depth::Load);
    match installation.policy {
        Some(policy) => Ok(policy),
        None => {
            let errors = report::errors(&installation.sources, &installation.diagnostics);
            bail!("the rules cannot be used\n{errors}")
        }
    }
}

fn memory_of(home: &Path) -> RamMemory {
    let mut memory = RamMemory::default();
    let tables =
        [("queue/fts/fts-queue", Table::FirstSeen), ("queue/fts/ig-queue", Table::Ignored)];
    for (path, table) in tables {
        // Without the file, or the right to read it, nothing is remembered.
        let text = files::read(&home.join(path), FILE_BYTES_MAX).unwrap_or_default();
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            memory.put(table, line, b"");
        }
    }
    memory
}

/// Where the texts of an installation's lists lie in it, in their order, each once; and what was
/// found on the way.
pub(crate) fn lists(home: &Path, conf: Option<&Path>) -> (Vec<PathBuf>, Installation) {
    let mut gathered = Gathered::default();
    let settings = read_settings(home, conf, &mut gathered).unwrap_or_default();
    let mut places: Vec<PathBuf> = Vec::new();
    for entry in &settings.conf.rules.lists {
        let place = gather::list_place(gather::list_name(entry));
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let Gathered { sources, diagnostics, watched, .. } = gathered;
    (places, Installation { sources, diagnostics, watched, ..Installation::default() })
}

/// The settings of an installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) conf: OssecConf,
    pub(crate) internal: InternalOptions,
    pub(crate) ours: WachterToml,
    /// Not the machine's, but this.
    server_name: Option<String>,
}

impl Settings {
    /// The defaults, but for this.
    fn with(compat: Compat, server_name: Option<String>) -> Self {
        let ours = WachterToml { compat, ..WachterToml::default() };
        Self { ours, server_name, ..Self::default() }
    }

    fn compat(&self) -> Compat {
        self.ours.compat
    }
}

fn read_settings(home: &Path, conf: Option<&Path>, gathered: &mut Gathered) -> Option<Settings> {
    let mut settings = Settings::default();
    let path = conf.map_or_else(|| home.join("etc/ossec.conf"), Path::to_owned);
    match gathered.read(&path, FILE_BYTES_MAX) {
        Ok(text) => {
            let source = gathered.add(&path, text);
            let (conf, findings) = config::ossec_conf::read(source, &gathered.text(source));
            gathered.diagnostics.extend(findings);
            settings.conf = conf;
        }
        Err(error) => {
            gathered.diagnostics.push(messages::no_configuration(&path, &error));
            return None;
        }
    }
    for name in ["local_internal_options.conf", "internal_options.conf"] {
        if let Some(source) = gathered.optional(&home.join("etc").join(name)) {
            let findings = settings.internal.read(source, &gathered.text(source));
            gathered.diagnostics.extend(findings);
        }
    }
    if let Some(source) = gathered.optional(&home.join("etc/wachter.toml")) {
        let (ours, findings) = config::wachter_toml::read(source, &gathered.text(source));
        gathered.diagnostics.extend(findings);
        settings.ours = ours;
    }
    Some(settings)
}

impl Installation {
    /// Policy and settings, or the errors that they have, as people read them.
    pub(crate) fn usable(self) -> Result<(Policy, Settings), String> {
        match self.policy {
            Some(policy) => Ok((policy, self.settings)),
            None => Err(report::errors(&self.sources, &self.diagnostics)),
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|finding| finding.severity == Severity::Error)
    }
}

#[cfg(test)]
mod tests;
