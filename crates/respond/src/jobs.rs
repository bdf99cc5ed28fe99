//! Programs at work: started, watched, ended in time; nobody waits for them.
//!
//! A task is one or more programs, one after the other. Tasks of one lane follow each other: who is
//! to be unblocked is not before the program that blocks them has ended.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::fs::{MemfdFlags, OFlags, fcntl_getfl, fcntl_setfl, memfd_create};
use sys::process::{Streams, has_ended, kill_group, start_with_streams};

/// Programs at a time, if nothing else is said.
pub const RUNNING_MAX: usize = 16;
/// Tasks that wait, if nothing else is said.
pub const WAITING_MAX: usize = 50_000;
/// Bytes of a task's output that are kept.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one line of it.
const LINE_BYTES_MAX: usize = 1024;

/// A program to run: no shell, an empty environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// A path, or the name of a program of the host.
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// What it is given to read.
    pub input: Vec<u8>,
    /// Whether it matters how it ends.
    pub may_fail: bool,
}

/// Programs that have ended, and how.
#[derive(Debug)]
pub struct Ended<T> {
    pub tag: T,
    /// Why the first of them that failed did.
    pub failed: Option<String>,
    /// Lines of its output and errors, with control characters escaped.
    pub output: Vec<String>,
}

/// Tasks with their tags.
#[derive(Debug)]
pub struct Jobs<T> {
    time_limit: Duration,
    running_max: usize,
    waiting_max: usize,
    lanes: HashMap<String, VecDeque<Task<T>>>,
    /// Lanes with something to start.
    ready: VecDeque<String>,
    running: Vec<Running<T>>,
    waiting: usize,
}

#[derive(Debug)]
struct Task<T> {
    tag: T,
    jobs: VecDeque<Job>,
    output: Vec<u8>,
    failed: Option<String>,
}

#[derive(Debug)]
struct Running<T> {
    lane: String,
    task: Task<T>,
    may_fail: bool,
    program: String,
    child: Child,
    /// `None` once it is closed.
    output: Option<OwnedFd>,
    /// When it is killed.
    until: Duration,
    killed: bool,
}

impl<T> Jobs<T> {
    /// None. Each program of them may take so long.
    pub fn new(time_limit: Duration) -> Self {
        Self {
            time_limit,
            running_max: RUNNING_MAX,
            waiting_max: WAITING_MAX,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            running: Vec::new(),
            waiting: 0,
        }
    }

    /// The same with fewer at a time, and fewer that wait.
    pub fn at_most(time_limit: Duration, running_max: usize, waiting_max: usize) -> Self {
        let mut jobs = Self::new(time_limit);
        (jobs.running_max, jobs.waiting_max) = (running_max, waiting_max);
        jobs
    }

    pub fn set_time_limit(&mut self, time_limit: Duration) {
        self.time_limit = time_limit;
    }

    /// Takes a task on; gives the tag back if too many wait.
    pub fn push(&mut self, lane: String, tag: T, jobs: Vec<Job>) -> Result<(), T> {
        if self.waiting >= self.waiting_max {
            return Err(tag);
        }
        self.waiting += 1;
        let is_running = self.is_running(&lane);
        let queue = self.lanes.entry(lane.clone()).or_default();
        if queue.is_empty() && !is_running {
            self.ready.push_back(lane);
        }
        queue.push_back(Task { tag, jobs: jobs.into(), output: Vec::new(), failed: None });
        Ok(())
    }

    /// Whether something of a lane runs or waits.
    pub fn is_busy(&self, lane: &str) -> bool {
        self.is_running(lane) || self.lanes.get(lane).is_some_and(|queue| !queue.is_empty())
    }

    fn is_running(&self, lane: &str) -> bool {
        self.running.iter().any(|running| running.lane == lane)
    }

    /// Looks after what runs and starts what can be; to be called whenever a child has ended, one
    /// of [`Self::descriptors`] is readable, or [`Self::wake`] has come.
    pub fn poll(&mut self, now: Duration) -> Vec<Ended<T>> {
        let mut ended = Vec::new();
        let mut index = 0;
        while let Some(running) = self.running.get_mut(index) {
            running.read();
            if running.until <= now && !running.killed {
                kill_group(&running.child);
                running.killed = true;
            }
            if has_ended(&running.child).unwrap_or(true) {
                let running = self.running.swap_remove(index);
                self.end(running, now, &mut ended);
            } else {
                index += 1;
            }
        }
        while self.running.len() < self.running_max
            && let Some(lane) = self.ready.pop_front()
        {
            let Some(task) = self.lanes.get_mut(&lane).and_then(VecDeque::pop_front) else {
                continue;
            };
            self.waiting -= 1;
            self.start(lane, task, now, &mut ended);
        }
        ended
    }

    /// What is readable when a program says something or ends.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.running.iter().filter_map(|running| Some(running.output.as_ref()?.as_fd()))
    }

    /// When a program has had its time, or one can be started: then at once.
    pub fn wake(&self) -> Option<Duration> {
        if !self.ready.is_empty() && self.running.len() < self.running_max {
            return Some(Duration::ZERO);
        }
        let running = self.running.iter().filter(|running| !running.killed);
        running.map(|running| running.until).min()
    }

    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting == 0
    }

    fn start(&mut self, lane: String, mut task: Task<T>, now: Duration, ended: &mut Vec<Ended<T>>) {
        while let Some(job) = task.jobs.pop_front() {
            match job.start() {
                Ok((child, output)) => {
                    let program = job.program.display().to_string();
                    let until = now + self.time_limit;
                    let may_fail = job.may_fail;
                    let killed = false;
                    let output = Some(output);
                    let running =
                        Running { lane, task, may_fail, program, child, output, until, killed };
                    return self.running.push(running);
                }
                Err(_) if job.may_fail => {}
                Err(error) => {
                    let why = format!("starting {}: {error}", job.program.display());
                    task.failed.get_or_insert(why);
                }
            }
        }
        self.give(lane, task, ended);
    }

    fn end(&mut self, mut running: Running<T>, now: Duration, ended: &mut Vec<Ended<T>>) {
        // What it left behind in its group would hold its output open.
        kill_group(&running.child);
        let status = running.child.wait();
        running.read();
        let why = match status {
            Ok(status) if status.success() && !running.killed => None,
            status => {
                Some(why(&running.program, running.killed.then_some(self.time_limit), status))
            }
        };
        if let Some(why) = why.filter(|_| !running.may_fail) {
            running.task.failed.get_or_insert(why);
        }
        // The others may be about somebody else.
        self.start(running.lane, running.task, now, ended);
    }

    fn give(&mut self, lane: String, task: Task<T>, ended: &mut Vec<Ended<T>>) {
        let output = lines(&task.output);
        ended.push(Ended { tag: task.tag, failed: task.failed, output });
        match self.lanes.get(&lane).map(VecDeque::is_empty) {
            Some(false) => self.ready.push_back(lane),
            _ => drop(self.lanes.remove(&lane)),
        }
    }
}

/// Programs do not outlive who looks after them.
impl<T> Drop for Jobs<T> {
    fn drop(&mut self) {
        for running in &mut self.running {
            kill_group(&running.child);
            let _ = running.child.wait();
        }
    }
}

impl Job {
    fn start(&self) -> io::Result<(Child, OwnedFd)> {
        let (reading, writing) = io::pipe()?;
        let reading = OwnedFd::from(reading);
        fcntl_setfl(&reading, fcntl_getfl(&reading)? | OFlags::NONBLOCK)?;
        let arguments: Vec<&OsStr> = self.arguments.iter().map(OsString::as_os_str).collect();
        let streams = Streams {
            input: (!self.input.is_empty()).then(|| in_memory(&self.input)).transpose()?,
            errors: Some(writing.try_clone()?.into()),
            output: writing.into(),
        };
        let program = self.program.to_str().unwrap_or_default();
        Ok((start_with_streams(program, &arguments, streams)?, reading))
    }
}

impl<T> Running<T> {
    fn read(&mut self) {
        let mut buffer = [0; 4096];
        while let Some(output) = &self.output {
            match rustix::io::read(output, &mut buffer) {
                // It goes on in silence; that it is closed would be told again and again.
                Ok(0) => self.output = None,
                Ok(bytes) => {
                    let kept = &mut self.task.output;
                    let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len());
                    kept.extend(buffer.iter().take(bytes.min(room)));
                }
                Err(_) => return,
            }
        }
    }
}

fn in_memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = std::fs::File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

fn why(program: &str, late: Option<Duration>, status: io::Result<ExitStatus>) -> String {
    match (late, status) {
        (Some(limit), _) => format!("{program} has taken longer than {} s", limit.as_secs()),
        (None, Ok(status)) => format!("{program} has ended with {status}"),
        (None, Err(error)) => format!("waiting for {program}: {error}"),
    }
}

fn lines(output: &[u8]) -> Vec<String> {
    let lines = output.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| escaped(line.get(..LINE_BYTES_MAX).unwrap_or(line))).collect()
}

/// Text as it may be shown.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    model::text::shown(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn shell(script: &str) -> Job {
        let arguments = ["-c", script].map(OsString::from).to_vec();
        Job { program: "sh".into(), arguments, ..Job::default() }
    }

    /// Looks after the jobs until all have ended.
    fn finish(jobs: &mut Jobs<u32>) -> Vec<Ended<u32>> {
        let mut ended = jobs.poll(sys::clock::monotonic());
        while !jobs.is_idle() {
            let mut waited: Vec<PollFd<'_>> =
                jobs.descriptors().map(|it| PollFd::from_borrowed_fd(it, PollFlags::IN)).collect();
            poll(&mut waited, Some(&Timespec { tv_sec: 0, tv_nsec: 10_000_000 })).unwrap();
            ended.extend(jobs.poll(sys::clock::monotonic()));
        }
        ended
    }

    #[test]
    fn programs_of_a_task_run_one_after_the_other() {
        let mut jobs = Jobs::new(Duration::from_secs(60));
        let mut fails = shell("exit 3");
        fails.may_fail = true;
        let input = Job { input: b"read".to_vec(), ..shell("cat; echo; echo oops >&2") };
        jobs.push("a".to_owned(), 1, vec![shell("echo one"), fails, input]).unwrap();
        jobs.push(
            "a".to_owned(),
            2,
            vec![shell("printf 'a\\033[2Jb\\n'; exit 3"), shell("echo goes on")],
        )
        .unwrap();
        let missing = Job { program: "/no/such/program".into(), ..Job::default() };
        jobs.push("b".to_owned(), 3, vec![missing]).unwrap();
        let mut ended = finish(&mut jobs);
        ended.sort_by_key(|ended| ended.tag);
        assert_eq!(
            (&ended[0].failed, &ended[0].output[..]),
            (&None, &["one", "read", "oops"].map(str::to_owned)[..])
        );
        assert_eq!(ended[1].output, ["a\\u{1b}[2Jb", "goes on"]);
        assert_eq!(ended[1].failed.as_deref(), Some("sh has ended with exit status: 3"));
        assert!(ended[2].failed.as_ref().unwrap().starts_with("starting /no/such/program: "));
    }

    #[test]
    fn one_that_takes_too_long_is_ended_with_all_it_started() {
        let mut jobs = Jobs::new(Duration::ZERO);
        jobs.push("a".to_owned(), 1, vec![shell("sleep 1000 & sleep 1000")]).unwrap();
        let ended = finish(&mut jobs);
        assert_eq!(ended[0].failed.as_deref(), Some("sh has taken longer than 0 s"));
    }

    #[test]
    fn one_that_closes_its_output_is_waited_for_in_silence() {
        let mut jobs = Jobs::new(Duration::from_secs(60));
        jobs.push("a".to_owned(), 1, vec![shell("exec > /dev/null 2>&1; sleep 0.2")]).unwrap();
        assert_eq!(jobs.wake(), Some(Duration::ZERO));
        jobs.poll(sys::clock::monotonic());
        while jobs.descriptors().count() > 0 {
            jobs.poll(sys::clock::monotonic());
        }
        assert!(jobs.is_busy("a") && !jobs.is_busy("b") && !jobs.is_idle());
        assert_eq!(finish(&mut jobs)[0].failed, None);
    }

    #[test]
    fn output_is_bounded() {
        let mut jobs = Jobs::new(Duration::from_secs(60));
        jobs.push("a".to_owned(), 1, vec![shell("yes | head -c 1000000")]).unwrap();
        let ended = finish(&mut jobs);
        assert_eq!(ended[0].output.len(), OUTPUT_BYTES_MAX / 2);
    }

    #[test]
    fn many_wait_but_not_all() {
        let mut jobs = Jobs::new(Duration::from_secs(60));
        for number in 0..WAITING_MAX as u32 {
            jobs.push(number.to_string(), number, vec![]).unwrap();
        }
        assert_eq!(jobs.push("x".to_owned(), 7, vec![]), Err(7));
        assert_eq!(finish(&mut jobs).len(), WAITING_MAX);
    }
}
