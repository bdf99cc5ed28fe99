//! What a role gives up before it reads the first hostile byte.
//!
//! The order is fixed: user and groups, capabilities, `no_new_privs`, Landlock, seccomp. All of it
//! binds the calling thread and its children only, so it comes before any thread is started.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus,
};
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::accounts::Account;
use crate::process::die_with;

/// What a role keeps.
#[derive(Debug, Default)]
pub struct Rights {
    /// Whom it becomes; nobody else where it is `None` or not started as root.
    pub account: Option<Account>,
    /// Whether it may read any file all the same.
    pub reads_all: bool,
    /// What it may open for reading, with all below; what is missing is left out.
    pub readable: Vec<PathBuf>,
    /// What it may change, with all below.
    pub writable: Vec<PathBuf>,
    /// Whether it may have network and local sockets of its own.
    pub sockets: bool,
    /// The process that started it, and with which it ends.
    pub parent: u32,
}

/// What holds a role, and what this host lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    pub held_by: Vec<String>,
    pub missing: Vec<String>,
}

/// Gives up everything but `rights`.
///
/// # Errors
///
/// Where a right cannot be given up that could have been; a layer that the host does not have is
/// no error but listed.
pub fn enter(rights: &Rights) -> io::Result<Layers> {
    let mut layers = Layers::default();
    become_user(rights, &mut layers)?;
    rustix::thread::set_no_new_privs(true)?;
    layers.held_by.push("no_new_privs".to_owned());
    restrict_paths(rights, &mut layers);
    restrict_calls(rights, &mut layers)?;
    Ok(layers)
}

fn become_user(rights: &Rights, layers: &mut Layers) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        layers.missing.push("own user (not started as root)".to_owned());
        return Ok(());
    }
    let kept = match rights.reads_all {
        true => CapabilitySet::DAC_READ_SEARCH,
        false => CapabilitySet::empty(),
    };
    for bit in CapabilitySet::all().iter().filter(|bit| !kept.contains(*bit)) {
        // Bits that this kernel does not know are refused.
        let _ = rustix::thread::remove_capability_from_bounding_set(bit);
    }
    let sets =
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    let Some(account) = &rights.account else {
        // Files of root are still root's; nothing else is.
        rustix::thread::set_capabilities(None, sets)?;
        layers.held_by.push("no capabilities".to_owned());
        layers.missing.push("own user (the home is not given to one)".to_owned());
        return Ok(());
    };
    rustix::thread::set_keep_capabilities(true)?;
    let gid = rustix::process::Gid::from_raw(account.gid);
    let uid = rustix::process::Uid::from_raw(account.uid);
    rustix::thread::set_thread_groups(&[gid])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    rustix::thread::set_capabilities(None, sets)?;
    rustix::thread::set_keep_capabilities(false)?;
    // Changing the user has taken it back.
    die_with(rights.parent)?;
    layers.held_by.push(format!("user {}", account.name));
    Ok(())
}

fn restrict_paths(rights: &Rights, layers: &mut Layers) {
    const KNOWN: ABI = ABI::V5;
    let attempt = || -> Result<RulesetStatus, landlock::RulesetError> {
        let mut ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(KNOWN))?
            .create()?;
        let read = AccessFs::from_read(KNOWN) & !AccessFs::Execute;
        let write = AccessFs::from_all(KNOWN) & !AccessFs::Execute;
        let paths = rights.readable.iter().map(|path| (path, read));
        for (path, access) in paths.chain(rights.writable.iter().map(|path| (path, write))) {
            // What is not there need not be allowed.
            let Ok(descriptor) = PathFd::new(path) else { continue };
            let access = if path.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
            ruleset = ruleset.add_rule(PathBeneath::new(descriptor, access))?;
        }
        Ok(ruleset.restrict_self()?.ruleset)
    };
    match attempt() {
        Ok(RulesetStatus::FullyEnforced) => layers.held_by.push("landlock".to_owned()),
        Ok(RulesetStatus::PartiallyEnforced) => {
            layers.held_by.push("landlock (older kernel, in part)".to_owned());
        }
        Ok(RulesetStatus::NotEnforced) => {
            layers.missing.push("landlock (not in this kernel)".to_owned());
        }
        Err(error) => layers.missing.push(format!("landlock ({error})")),
    }
}

fn restrict_calls(rights: &Rights, layers: &mut Layers) -> io::Result<()> {
    let Ok(architecture) = std::env::consts::ARCH.try_into() else {
        layers.missing.push("seccomp (not for this processor)".to_owned());
        return Ok(());
    };
    let socket_calls = if rights.sockets { SOCKET_CALLS } else { &[] };
    let calls = CALLS.iter().chain(NATIVE_CALLS).chain(socket_calls);
    let mut allowed: BTreeMap<i64, _> = calls.map(|&call| (call, Vec::new())).collect();
    for (call, rule) in [
        (libc::SYS_tgkill, signals_to_itself()),
        (libc::SYS_prlimit64, own_limits()),
        (libc::SYS_fcntl, no_signals_by_descriptors()),
    ] {
        allowed.insert(call, vec![rule.map_err(io::Error::other)?]);
    }
    if rights.sockets {
        let rule = sockets_that_do_not_wait().map_err(io::Error::other)?;
        allowed.insert(libc::SYS_ioctl, vec![rule]);
    }
    // A refused call fails; what cannot go on without it ends by itself and says so.
    let refusal = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(allowed, refusal, SeccompAction::Allow, architecture)
        .map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    match seccompiler::apply_filter(&program) {
        Ok(()) => layers.held_by.push("seccomp".to_owned()),
        Err(error) => layers.missing.push(format!("seccomp ({error})")),
    }
    Ok(())
}

/// To end itself with a message a process sends itself a signal; it may send none to others.
fn signals_to_itself() -> Result<SeccompRule, seccompiler::BackendError> {
    let own = u64::from(std::process::id());
    let is_own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?;
    SeccompRule::new(vec![is_own])
}

/// Limits of others are not to be changed: they end them.
fn own_limits() -> Result<SeccompRule, seccompiler::BackendError> {
    let is_own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0)?;
    SeccompRule::new(vec![is_own])
}

/// A descriptor can be made to signal whomever one likes when something arrives.
fn no_signals_by_descriptors() -> Result<SeccompRule, seccompiler::BackendError> {
    const F_SETSIG: u64 = 10;
    const F_SETOWN_EX: u64 = 15;
    let commands = [libc::F_SETOWN as u64, F_SETSIG, F_SETOWN_EX];
    let is_none =
        |command| SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, command);
    SeccompRule::new(commands.map(is_none).into_iter().collect::<Result<_, _>>()?)
}

/// Of all that can be done with devices, this is how the standard library connects.
fn sockets_that_do_not_wait() -> Result<SeccompRule, seccompiler::BackendError> {
    let request = libc::FIONBIO;
    let is_it = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
    SeccompRule::new(vec![is_it])
}

/// What a role needs to compute, to keep files and to talk over what it inherited. No program is
/// started, no process looked at or signalled, nothing mounted, traced or changed in its owner.
const CALLS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_rm_watch,
    libc::SYS_linkat,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mkdirat,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Calls that only older processors' tables have, and that C libraries still make.
#[cfg(target_arch = "x86_64")]
const NATIVE_CALLS: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_dup2,
    libc::SYS_epoll_wait,
    libc::SYS_link,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_open,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_rmdir,
    libc::SYS_stat,
    libc::SYS_time,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const NATIVE_CALLS: &[i64] = &[];

const SOCKET_CALLS: &[i64] = &[
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_listen,
    // So the C library asks name servers.
    libc::SYS_sendmmsg,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_socket,
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use rustix::process::Signal;

    use super::*;

    #[test]
    fn a_role_reads_and_writes_where_it_may_and_starts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["read", "write", "other"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("file"), "text").unwrap();
        }
        let rights = Rights {
            readable: vec![dir.path().join("read"), dir.path().join("missing")],
            writable: vec![dir.path().join("write")],
            ..Rights::default()
        };
        let path = dir.path().to_owned();
        // The sandbox binds this thread alone.
        let role = std::thread::spawn(move || {
            let layers = enter(&rights).unwrap();
            let has = |name: &str| layers.held_by.iter().any(|layer| layer.starts_with(name));
            assert!(has("no_new_privs"), "{layers:?}");
            if has("landlock") {
                assert!(fs::read(path.join("read/file")).is_ok());
                assert!(fs::write(path.join("read/file"), "").is_err());
                assert!(fs::write(path.join("write/new"), "").is_ok());
                assert!(fs::read(path.join("other/file")).is_err());
            }
            if has("seccomp") {
                assert!(Command::new("/bin/true").status().is_err());
                assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err());
                let parent = rustix::process::getppid().unwrap();
                assert!(rustix::process::kill_process(parent, Signal::CONT).is_err());
                let limits = rustix::process::getrlimit(rustix::process::Resource::Cpu);
                let limit = rustix::process::Resource::Cpu;
                assert!(rustix::process::prlimit(Some(parent), limit, limits).is_err());
                assert!(rustix::process::setrlimit(limit, limits).is_ok());
            }
            layers.held_by.len() + layers.missing.len()
        });
        // User, no_new_privs, Landlock and seccomp are each told of.
        assert!(role.join().unwrap() >= 4);
    }
}
