//! Finds and reads the files that a configuration names.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::OssecConf;
use config::sections::{FileEntry, ListEntry, Rules};
use engine::GeoIp;
use model::limits::FILE_BYTES_MAX;
use model::{Diagnostic, Source, SourceId, Sources, Span};
use pattern::{Language, PatternSet, Scratch};
use rules::lists::List;
use testkit::case::{self, Case};

use super::watch::Watched;
use super::{Parts, files, messages};

/// Bytes of a GeoIP database.
const GEOIP_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Which files of a `rule_dir` or `decoder_dir` are read if nothing else is said.
const DEFAULT_FILE_PATTERN: &str = ".xml$";

/// The decoder files of an installation that names none.
const DECODERS: &str = "etc/decoder.xml";
const LOCAL_DECODERS: &str = "etc/local_decoder.xml";

/// The files of an installation, read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) sources: Sources,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) decoders: Vec<SourceId>,
    pub(super) rules: Vec<SourceId>,
    pub(super) lists: Vec<List>,
    pub(super) geoip: Option<GeoIp>,
    pub(super) notices: Vec<String>,
    pub(super) watched: Watched,
    /// Of all files that were read, lists and databases too.
    pub(super) digest: Digest,
}

/// Names what was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest(DefaultHasher);

impl Digest {
    pub(super) fn add(&mut self, what: &(impl Hash + ?Sized)) {
        what.hash(&mut self.0);
    }

    pub(super) fn finish(&self) -> u64 {
        self.0.finish()
    }
}

/// A place in a file where another one is named.
type Mention = (SourceId, Span);

impl Gathered {
    /// Keeps a file that was read.
    pub(super) fn add(&mut self, path: &Path, text: Vec<u8>) -> SourceId {
        self.sources.add(Source::new(path.display().to_string(), text))
    }

    /// The bytes of a file, which is watched from now on.
    pub(super) fn read(&mut self, path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
        self.watched.note(path);
        let bytes = files::read(path, bytes_max)?;
        self.digest.add(path);
        self.digest.add(&bytes);
        Ok(bytes)
    }

    /// The text of a file that was read.
    pub(super) fn text(&self, source: SourceId) -> Arc<[u8]> {
        self.sources.get(source).map_or_else(|| Arc::from([]), |source| Arc::clone(&source.text))
    }

    /// Reads a file that may be missing.
    pub(super) fn optional(&mut self, path: &Path) -> Option<SourceId> {
        match self.read(path, FILE_BYTES_MAX) {
            Ok(text) => Some(self.add(path, text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.diagnostics.push(messages::unreadable(path, &error));
                None
            }
        }
    }

    /// Reads a file that must not be missing.
    fn required(&mut self, path: &Path, mention: Option<Mention>) -> Option<SourceId> {
        match self.read(path, FILE_BYTES_MAX) {
            Ok(text) => Some(self.add(path, text)),
            Err(error) => {
                self.report(messages::unreadable(path, &error), mention);
                None
            }
        }
    }

    fn report(&mut self, finding: Diagnostic, mention: Option<Mention>) {
        self.diagnostics.push(match mention {
            Some((source, span)) => finding.at(source, span),
            None => finding,
        });
    }

    /// Reads what an `ossec.conf` names.
    pub(super) fn files_of(&mut self, home: &Path, conf: &OssecConf) {
        self.decoders_of(home, &conf.rules);
        let paths = self.expand(home, &conf.rules.rules, Some("rules"));
        for (path, mention) in paths {
            let source = self.required(&path, Some(mention));
            self.rules.extend(source);
        }
        for entry in &conf.rules.lists {
            let list = self.list(home, entry);
            self.lists.push(list);
        }
        if let Some(database) = &conf.global.geoip {
            self.geoip = self.geoip(&below(home, &database.path), database.at);
        }
    }

    fn decoders_of(&mut self, home: &Path, rules: &Rules) {
        if rules.decoders.is_empty() {
            let decoders = self.required(&home.join(DECODERS), None);
            self.decoders.extend(decoders);
            // compat: a local file may be missing or empty, and is told of in any case.
            self.notices.push("Reading local decoder file.".to_owned());
            let local = self.optional(&home.join(LOCAL_DECODERS));
            self.decoders.extend(local);
            return;
        }
        for (path, mention) in self.expand(home, &rules.decoders, None) {
            let shown = path.strip_prefix(home).unwrap_or(&path).display();
            self.notices.push(format!("Reading decoder file {shown}."));
            let source = self.required(&path, Some(mention));
            self.decoders.extend(source);
        }
    }

    /// The files that entries name, in their order. A name without `/` is looked up in `folder`.
    fn expand(
        &mut self,
        home: &Path,
        entries: &[FileEntry],
        folder: Option<&str>,
    ) -> Vec<(PathBuf, Mention)> {
        let mut found: Vec<(PathBuf, Mention)> = Vec::new();
        for entry in entries {
            match entry {
                FileEntry::File { path, at } => {
                    let path = match folder {
                        Some(folder) if !path.contains('/') => home.join(folder).join(path),
                        _ => below(home, path),
                    };
                    found.push((path, *at));
                }
                FileEntry::Dir { path, pattern, at } => {
                    let pattern = pattern.as_ref();
                    let text = pattern.map_or(DEFAULT_FILE_PATTERN, |(text, _)| text.as_str());
                    let place = pattern.map_or(*at, |&(_, span)| (at.0, span));
                    for name in self.names_in(home, path, *at, (text, place)) {
                        // compat: files that are listed already, here or elsewhere, are skipped.
                        let known = |(path, _): &(PathBuf, Mention)| {
                            path.file_name().is_some_and(|known| known == name.as_str())
                        };
                        if !found.iter().any(known) {
                            found.push((below(home, path).join(name), *at));
                        }
                    }
                }
            }
        }
        found
    }

    /// The names in a directory whose path fits a pattern.
    fn names_in(
        &mut self,
        home: &Path,
        dir: &str,
        mention: Mention,
        (pattern, pattern_mention): (&str, Mention),
    ) -> Vec<String> {
        let mut patterns = PatternSet::default();
        let id = match patterns.compile(Language::Regex, pattern.as_bytes()) {
            Ok(id) => id,
            Err(error) => {
                let finding = messages::bad_file_pattern(&error.to_string());
                self.report(finding, Some(pattern_mention));
                return Vec::new();
            }
        };
        let path = below(home, dir);
        self.watched.note(&path);
        let mut names = match files::names(&path) {
            Ok(names) => names,
            Err(error) => {
                self.report(messages::no_directory(&path, &error), Some(mention));
                return Vec::new();
            }
        };
        let mut scratch = Scratch::default();
        names.retain(|name| {
            scratch.begin_event();
            patterns.is_match(id, format!("{dir}/{name}").as_bytes(), &mut scratch)
        });
        names
    }

    /// A list: its text, or where there is none its compiled form.
    fn list(&mut self, home: &Path, entry: &ListEntry) -> List {
        let name = list_name(entry);
        self.list_at(&home.join(list_place(name)), name, Some(entry.at))
    }

    fn list_at(&mut self, text: &Path, name: &str, mention: Option<Mention>) -> List {
        let error = match self.read(text, FILE_BYTES_MAX) {
            Ok(bytes) => return List::from_text(name, &bytes),
            Err(error) => error,
        };
        let mut compiled = text.as_os_str().to_owned();
        compiled.push(".cdb");
        let compiled = PathBuf::from(compiled);
        let list = match self.read(&compiled, FILE_BYTES_MAX) {
            Ok(bytes) => rules::cdb::read(name, &bytes)
                .map_err(|error| messages::bad_list(&compiled, &error.to_string())),
            Err(_) => Err(messages::no_list(text, &error)),
        };
        list.unwrap_or_else(|finding| {
            self.report(finding, mention);
            List::from_text(name, b"")
        })
    }

    fn geoip(&mut self, path: &Path, mention: Mention) -> Option<GeoIp> {
        let database = self
            .read(path, GEOIP_BYTES_MAX)
            .map_err(|error| error.to_string())
            .and_then(|bytes| GeoIp::from_bytes(bytes).map_err(|error| error.to_string()));
        database.map_err(|why| self.report(messages::bad_geoip(path, &why), Some(mention))).ok()
    }

    /// Reads files that are named one by one.
    pub(super) fn parts(&mut self, parts: &Parts) {
        let order = parts.include_order.as_ref().and_then(|path| {
            let source = self.required(path, None)?;
            let (rules, findings) = config::ossec_conf::read_rules(source, &self.text(source));
            self.diagnostics.extend(findings);
            Some(rules)
        });
        for path in self.decoder_files(parts) {
            let source = self.required(&path, None);
            self.decoders.extend(source);
        }
        for path in &parts.rules {
            for (path, mention) in self.rule_files(path, order.as_ref()) {
                let source = self.required(&path, mention);
                self.rules.extend(source);
            }
        }
        for path in &parts.lists {
            let name = path.to_string_lossy();
            let name = name.split(".cdb").next().unwrap_or_default();
            let list = self.list_at(Path::new(name), name, None);
            self.lists.push(list);
        }
    }

    /// Reads what a test case names or contains.
    pub(super) fn case(&mut self, case: &Case) {
        if let Some(dir) = &case.ruleset {
            let parts = self.ruleset(dir);
            self.parts(&parts);
        }
        for decoders in &case.decoders {
            let source = self.case_source(decoders);
            self.decoders.extend(source);
        }
        for rules in &case.rules {
            let source = self.case_source(rules);
            self.rules.extend(source);
        }
        let lists = case.lists.iter();
        self.lists.extend(lists.map(|list| List::from_text(&list.name, list.text.as_bytes())));
    }

    /// The files of a folder with `decoders/`, `rules/` and `include-order.xml`.
    fn ruleset(&mut self, dir: &Path) -> Parts {
        let decoders = dir.join("decoders");
        let mut names = files::names(&decoders).unwrap_or_else(|error| {
            self.report(messages::unreadable(&decoders, &error), None);
            Vec::new()
        });
        names.retain(|name| name.ends_with(".xml"));
        Parts {
            rules: vec![dir.join("rules")],
            decoders: names.iter().map(|name| decoders.join(name)).collect(),
            include_order: Some(dir.join("include-order.xml")),
            ..Parts::default()
        }
    }

    fn case_source(&mut self, source: &case::Source) -> Option<SourceId> {
        match source {
            case::Source::File(path) => self.required(path, None),
            case::Source::Inline { line_number, text } => {
                let name = format!("the text below line {line_number}");
                Some(self.sources.add(Source::new(name, text.as_bytes())))
            }
        }
    }

    /// The decoder files that are named, or those that lie where one expects them.
    fn decoder_files(&mut self, parts: &Parts) -> Vec<PathBuf> {
        if !parts.decoders.is_empty() {
            return parts.decoders.clone();
        }
        let Some(rules) = parts.rules.first() else { return Vec::new() };
        let near: Vec<&Path> = rules.ancestors().take(2).collect();
        let found = near.iter().map(|dir| dir.join("decoder.xml")).find(|path| path.is_file());
        match found {
            Some(path) => {
                let local = path.with_file_name("local_decoder.xml");
                self.watched.note(&local);
                let local = local.is_file().then_some(local);
                std::iter::once(path).chain(local).collect()
            }
            // Its absence is reported like that of a file that was named.
            None => vec![rules.join("decoder.xml")],
        }
    }

    /// The files of a directory in the order that is asked for, or the one file.
    fn rule_files(
        &mut self,
        path: &Path,
        order: Option<&Rules>,
    ) -> Vec<(PathBuf, Option<Mention>)> {
        if !path.is_dir() {
            return vec![(path.to_owned(), None)];
        }
        let Some(order) = order else {
            self.watched.note(path);
            return match files::rule_files(path) {
                Ok(paths) => paths.into_iter().map(|path| (path, None)).collect(),
                Err(error) => {
                    self.report(messages::unreadable(path, &error), None);
                    Vec::new()
                }
            };
        };
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        order.rules.iter().map(|entry| (path.join(name(entry.path())), Some(entry.at()))).collect()
    }
}

/// A path of the configuration: a leading `/` means the installation, not the machine.
fn below(home: &Path, path: &str) -> PathBuf {
    home.join(path.trim_start_matches('/'))
}

/// A list's name without the ending of its compiled form.
pub(super) fn list_name(entry: &ListEntry) -> &str {
    entry.path.split(".cdb").next().unwrap_or_default()
}

/// Where the text of a list lies in an installation.
pub(super) fn list_place(name: &str) -> PathBuf {
    match name.contains('/') {
        true => PathBuf::from(name.trim_start_matches('/')),
        false => Path::new("rules").join(name),
    }
}
