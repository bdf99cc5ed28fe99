//! Takes the steps of a plan.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::accounts::{self, Accounts};
use super::layout::Rights;
use super::place::{Base, Owner};
use super::plan::{Plan, Step};
use super::programs;

/// What a directory must allow its owner so that things can be put into it. Root needs no leave.
const WRITABLE: u32 = 0o700;

/// Takes all steps, or all up to the first that fails. What was done stays: another try goes on.
pub(crate) fn apply(plan: &Plan) -> Result<()> {
    if plan.steps.is_empty() {
        return Ok(());
    }
    // Whatever mask is set, rights are what the plan says. The root itself and what is above the
    // installation are as the mask wants them.
    let home = plan.root.join(plan.home.strip_prefix("/").unwrap_or(&plan.home));
    let above = home.parent().unwrap_or(&plan.root);
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(above)
        .with_context(|| format!("making {}", above.display()))?;
    let base =
        Base::open(&plan.root).with_context(|| format!("opening {}", plan.root.display()))?;
    let mut work = Work { plan, base, accounts: Accounts::read(&plan.root) };
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        work.open_directories()?;
    }
    for step in &plan.steps {
        work.take(step).with_context(|| plan.tell(step))?;
    }
    work.close_directories(is_root)
}

struct Work<'a> {
    plan: &'a Plan,
    base: Base,
    accounts: Accounts,
}

impl Work<'_> {
    fn take(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Group => {
                accounts::add_group(&self.plan.root)?;
                self.accounts = Accounts::read(&self.plan.root);
            }
            Step::User(name) => {
                accounts::add_user(&self.plan.root, &self.plan.home, name)?;
                self.accounts = Accounts::read(&self.plan.root);
            }
            // Its rights are set when everything is in it.
            Step::Directory { path, .. } => self.base.make_directory(path)?,
            Step::RightsOfDirectory { .. } => {}
            Step::RightsOfFile { path, rights } => {
                self.base.set_rights_of_file(path, rights.mode, self.owner(*rights))?;
            }
            Step::Create { path, bytes, rights } => {
                let owner = self.owner(*rights);
                self.base.create(path, &mut bytes.as_ref(), rights.mode, owner)?;
            }
            Step::Replace { path, bytes, rights } => {
                let owner = self.owner(*rights);
                self.base.replace(path, &mut bytes.as_ref(), rights.mode, owner)?;
            }
            Step::Rename { from, to } => self.base.rename(from, to)?,
            Step::Program { path, rights } => {
                let mut program = programs::running()?;
                self.base.replace(path, &mut program, rights.mode, self.owner(*rights))?;
            }
            Step::Link { path, target } => self.base.link(path, target)?,
        }
        Ok(())
    }

    /// Lets an ordinary user into directories of its own that allow nobody to write.
    fn open_directories(&self) -> Result<()> {
        for (path, rights) in &self.plan.directories {
            if self.plan.root.join(path).is_dir() {
                self.set_rights(path, Rights { mode: rights.mode | WRITABLE, ..*rights })?;
            }
        }
        Ok(())
    }

    /// Sets the rights of the directories that were made or opened, the innermost first.
    fn close_directories(&self, is_root: bool) -> Result<()> {
        for step in self.plan.steps.iter().rev() {
            match step {
                Step::Directory { path, rights } | Step::RightsOfDirectory { path, rights } => {
                    self.set_rights(path, *rights)?;
                }
                _ => {}
            }
        }
        if !is_root {
            for (path, rights) in self.plan.directories.iter().rev() {
                self.set_rights(path, *rights)?;
            }
        }
        Ok(())
    }

    fn set_rights(&self, path: &Path, rights: Rights) -> Result<()> {
        self.base
            .set_rights_of_directory(path, rights.mode, self.owner(rights))
            .with_context(|| format!("setting the rights of {}", path.display()))
    }

    fn owner(&self, rights: Rights) -> Owner {
        match self.plan.gives_files {
            true => {
                Owner { uid: self.accounts.uid(rights.user), gid: self.accounts.gid(rights.group) }
            }
            false => Owner::default(),
        }
    }
}
