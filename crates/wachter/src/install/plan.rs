//! What has to be done so that an installation is complete: a list of steps, made by looking only.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;
use model::limits::FILE_BYTES_MAX;

use super::Kind;
use super::accounts::{self, Accounts};
use super::bundled;
use super::conf::{ConfOptions, conf};
use super::discovery::Found;
use super::init_conf::{self, InitConf};
use super::layout::{self, Rights};
use super::programs::{self, Occupant};
use super::service;
use crate::home::files;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `/`, or where a package is put together.
    pub(crate) root: PathBuf,
    pub(crate) kind: Kind,
    /// Among them the installation's directory, as it is when `root` is `/`.
    pub(crate) conf: ConfOptions,
    /// Accounts are made, and files given to them.
    pub(crate) with_users: bool,
    pub(crate) with_service: bool,
}

/// One change. Paths are relative to the root.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Group,
    User(&'static str),
    Directory {
        path: PathBuf,
        rights: Rights,
    },
    RightsOfDirectory {
        path: PathBuf,
        rights: Rights,
    },
    RightsOfFile {
        path: PathBuf,
        rights: Rights,
    },
    Create {
        path: PathBuf,
        bytes: Cow<'static, [u8]>,
        rights: Rights,
    },
    /// Of a file that is ours.
    Replace {
        path: PathBuf,
        bytes: Cow<'static, [u8]>,
        rights: Rights,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// The running program is copied.
    Program {
        path: PathBuf,
        rights: Rights,
    },
    Link {
        path: PathBuf,
        target: &'static str,
    },
}

impl Step {
    /// Whether there are many of the kind, of which nobody wants to be told one by one.
    pub(crate) fn is_common(&self) -> bool {
        matches!(self, Self::Directory { .. } | Self::Create { .. } | Self::Link { .. })
    }
}

/// All changes, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) root: PathBuf,
    /// The installation, as it is when the root is `/`.
    pub(crate) home: PathBuf,
    pub(crate) steps: Vec<Step>,
    /// What the one who installs should know.
    pub(crate) notes: Vec<String>,
    /// All directories of the tree and their rights.
    pub(super) directories: Vec<(PathBuf, Rights)>,
    /// Whether files are given to accounts.
    pub(super) gives_files: bool,
}

/// Finds out what has to be done. Nothing is changed.
pub(crate) fn plan(request: &Request, found: &Found, now: &ZonedDateTime) -> Plan {
    let accounts = Accounts::read(&request.root);
    let is_root = rustix::process::geteuid().is_root();
    let has_accounts = accounts.gid(accounts::GROUP).is_some();
    let mut planner = Planner {
        home: relative(&request.conf.home),
        accounts,
        plan: Plan {
            root: request.root.clone(),
            home: request.conf.home.clone(),
            steps: Vec::new(),
            notes: Vec::new(),
            directories: Vec::new(),
            gives_files: is_root && (request.with_users || has_accounts),
        },
    };
    if request.with_users {
        planner.accounts();
    }
    planner.directories(request.kind);
    planner.settings(request, found);
    planner.programs(request.kind);
    planner.init_conf(request, now);
    if request.with_service {
        planner.service(request);
    }
    if !planner.plan.steps.is_empty() && !planner.plan.gives_files && !request.with_users {
        planner.note("owners are left alone; OSSEC's accounts are needed before it runs");
    }
    planner.plan
}

/// How a file of ours is called where the user has another one.
#[derive(Clone, Copy)]
struct Ours {
    what: &'static str,
    copy: &'static str,
}

const BUNDLED: Ours = Ours { what: "the bundled one", copy: "bundled copy" };
const WRITTEN_FOR_HOST: Ours =
    Ours { what: "what is written for this host today", copy: "written to" };

struct Planner {
    /// Relative to the root.
    home: PathBuf,
    accounts: Accounts,
    plan: Plan,
}

impl Planner {
    fn accounts(&mut self) {
        if self.accounts.gid(accounts::GROUP).is_none() {
            self.step(Step::Group);
        }
        for user in accounts::USERS {
            if self.accounts.uid(user).is_none() {
                self.step(Step::User(user));
            }
        }
    }

    fn directories(&mut self, kind: Kind) {
        for place in layout::directories(kind) {
            self.directory(self.home.join(place.path), place.rights);
        }
        for place in layout::empty_files(kind) {
            let path = self.home.join(place.path);
            if self.full(&path).symlink_metadata().is_err() {
                self.step(Step::Create { path, bytes: b"".into(), rights: place.rights });
            }
        }
    }

    fn directory(&mut self, path: PathBuf, rights: Rights) {
        match self.full(&path).symlink_metadata() {
            Err(_) => self.step(Step::Directory { path: path.clone(), rights }),
            Ok(metadata) if metadata.is_symlink() => {
                let shown = self.shown(&path);
                self.note(format!("{shown}: a link; what it leads to is left alone"));
                return;
            }
            Ok(metadata) if !self.has_rights(&metadata, rights) => {
                self.step(Step::RightsOfDirectory { path: path.clone(), rights });
            }
            Ok(_) => {}
        }
        self.plan.directories.push((path, rights));
    }

    fn settings(&mut self, request: &Request, found: &Found) {
        let text = conf(found, request.kind, &request.conf);
        let path = self.home.join("etc/ossec.conf");
        let rights = layout::rights_of_file("etc/ossec.conf");
        self.offer(path, text.into_bytes().into(), rights, WRITTEN_FOR_HOST);
        for (path, bytes) in bundled::files(request.kind) {
            let rights = layout::rights_of_file(&path);
            let is_local = path.rsplit('/').next().is_some_and(|name| name.starts_with("local_"));
            let path = self.home.join(path);
            if !is_local {
                self.offer(path, bytes, rights, BUNDLED);
            } else if self.full(&path).symlink_metadata().is_err() {
                self.step(Step::Create { path, bytes, rights });
            }
        }
        for (path, rights) in layout::settings() {
            let path = self.home.join(path);
            let metadata = self.full(&path).symlink_metadata();
            if metadata
                .is_ok_and(|metadata| metadata.is_file() && !self.has_rights(&metadata, rights))
            {
                self.step(Step::RightsOfFile { path, rights });
            }
        }
    }

    /// Puts a file where there is none. One that is there stays; if it differs, ours is put beside it.
    fn offer(&mut self, path: PathBuf, bytes: Cow<'static, [u8]>, rights: Rights, ours: Ours) {
        match files::read(&self.full(&path), FILE_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.step(Step::Create { path, bytes, rights });
            }
            Err(error) => {
                let shown = self.shown(&path);
                self.note(format!("{shown}: kept, cannot be read ({error})"));
            }
            Ok(kept) if kept == *bytes => {}
            Ok(_) => {
                let beside = with_ending(&path, ".new");
                let (shown, copy) = (self.shown(&path), self.shown(&beside));
                let Ours { what, copy: word } = ours;
                self.note(format!("{shown}: kept, differs from {what} ({word}: {copy})"));
                let is_there = files::read(&self.full(&beside), FILE_BYTES_MAX);
                if !is_there.is_ok_and(|there| there == *bytes) {
                    self.step(Step::Replace { path: beside, bytes, rights });
                }
            }
        }
    }

    fn programs(&mut self, kind: Kind) {
        let bin = self.home.join("bin");
        let full = self.full(&bin);
        let own = bin.join(programs::NAME);
        if !programs::is_running(&self.full(&own)) {
            self.step(Step::Program { path: own, rights: layout::PROGRAM });
        }
        let occupants =
            programs::names(kind).iter().map(|name| (*name, programs::occupant(&full, name)));
        let occupants: Vec<(&str, Occupant)> = occupants.collect();
        if occupants.iter().any(|(_, occupant)| *occupant == Occupant::Other) {
            self.directory(self.home.join(programs::OF_OSSEC), layout::PROGRAM);
        }
        for (name, occupant) in occupants {
            let path = bin.join(name);
            if occupant == Occupant::Other {
                let home = self.full(&self.home);
                let to = self.home.join(programs::free_name(&home, name));
                self.step(Step::Rename { from: path.clone(), to });
            }
            if occupant != Occupant::Ours {
                self.step(Step::Link { path, target: programs::NAME });
            }
        }
        let left = programs::left_alone(&full);
        if !left.is_empty() {
            self.note(format!(
                "bin: OSSEC's {} stay; Wachter has none of its own",
                left.join(", ")
            ));
        }
    }

    /// The file for scripts, and its copy in the installation.
    fn init_conf(&mut self, request: &Request, now: &ZonedDateTime) {
        let home = &request.conf.home;
        let copies = [
            (PathBuf::from(init_conf::PATH), layout::INIT_CONF),
            (self.home.join(init_conf::PATH), layout::rights_of_file(init_conf::PATH)),
        ];
        for (path, rights) in copies {
            let base = match path == Path::new(init_conf::PATH) {
                true => request.root.clone(),
                false => self.full(&self.home),
            };
            if InitConf::read(&base).says(home, request.kind) {
                continue;
            }
            if path == Path::new(init_conf::PATH) && !request.root.join("etc").is_dir() {
                let rights = Rights { mode: 0o755, ..layout::SCRIPT };
                self.step(Step::Directory { path: "etc".into(), rights });
            }
            let text = init_conf::text(home, request.kind, now);
            self.step(Step::Replace { path, bytes: text.into_bytes().into(), rights });
        }
    }

    fn service(&mut self, request: &Request) {
        let Some(service) = service::fitting(&request.root, &request.conf.home) else {
            self.note("no systemd and no /etc/init.d: nothing starts it at boot");
            return;
        };
        let path = PathBuf::from(service.path);
        for dir in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            if !self.full(dir).is_dir() {
                self.step(Step::Directory { path: dir.to_owned(), rights: layout::SCRIPT });
            }
        }
        if self.full(&path).symlink_metadata().is_err() {
            self.note(service.hint);
        }
        self.offer(path, service.text.into_bytes().into(), service.rights, BUNDLED);
    }

    fn has_rights(&self, metadata: &std::fs::Metadata, rights: Rights) -> bool {
        let is_owner = || {
            self.accounts.uid(rights.user).is_some_and(|uid| uid.as_raw() == metadata.uid())
                && self.accounts.gid(rights.group).is_some_and(|gid| gid.as_raw() == metadata.gid())
        };
        metadata.mode() & 0o7777 == rights.mode && (!self.plan.gives_files || is_owner())
    }

    fn step(&mut self, step: Step) {
        self.plan.steps.push(step);
    }

    fn note(&mut self, note: impl Into<String>) {
        self.plan.notes.push(note.into());
    }

    fn full(&self, path: &Path) -> PathBuf {
        self.plan.root.join(path)
    }

    fn shown(&self, path: &Path) -> String {
        self.plan.shown(path)
    }
}

impl Plan {
    /// A path as it is told: relative to the installation, or absolute.
    fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(relative(&self.home)) {
            Ok(inside) if inside.as_os_str().is_empty() => self.home.display().to_string(),
            Ok(inside) => inside.display().to_string(),
            Err(_) => Path::new("/").join(path).display().to_string(),
        }
    }

    /// Whether a file of the installation is made.
    pub(crate) fn writes(&self, inside: &str) -> bool {
        let path = relative(&self.home).join(inside);
        self.steps
            .iter()
            .any(|step| matches!(step, Step::Create { path: made, .. } if *made == path))
    }

    /// A step in words.
    pub(crate) fn tell(&self, step: &Step) -> String {
        let shown = |path: &Path| self.shown(path);
        match step {
            Step::Group => format!("group {}: made", accounts::GROUP),
            Step::User(name) => format!("user {name}: made"),
            Step::Directory { path, rights } => format!("{}: directory, {rights}", shown(path)),
            Step::RightsOfDirectory { path, rights } | Step::RightsOfFile { path, rights } => {
                format!("{}: rights set to {rights}", shown(path))
            }
            Step::Create { path, .. } | Step::Replace { path, .. } => {
                format!("{}: written", shown(path))
            }
            Step::Rename { from, to } => {
                format!("{}: OSSEC's program, moved to {}", shown(from), shown(to))
            }
            Step::Program { path, .. } => format!("{}: this program", shown(path)),
            Step::Link { path, target } => format!("{}: link to {target}", shown(path)),
        }
    }
}

fn relative(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
