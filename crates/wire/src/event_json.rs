//! What the lines of `alerts.json` and `archives.json` say alike of an event.
//!
//! Every key is written with a comma before it; [`close_line`] turns the first into the brace.

use model::Field;

use crate::Change;
use crate::EventView;
use crate::FileChangeView;
use crate::digits::push_date_time;
use crate::digits::push_number;
use crate::json_string::push_escaped;
use crate::json_string::push_quoted;
use crate::json_string::push_some;
use crate::json_string::push_string;

/// Ends the object that begins at `start`.
pub(crate) fn close_line(out: &mut Vec<u8>, start: usize) {
    if let Some(comma) = out.get_mut(start) {
        *comma = b'{';
    }
    out.extend_from_slice(b"}\n");
}

pub(crate) fn push_program_name(out: &mut Vec<u8>, event: &EventView<'_>) {
    if let Some(program) = event.program_name {
        push_string(out, b",\"program_name\":\"", program);
    }
}

pub(crate) fn push_fields(out: &mut Vec<u8>, event: &EventView<'_>, keys: &[(Field, &[u8])]) {
    for &(field, key) in keys {
        if let Some(value) = event.field(field) {
            push_string(out, key, value);
        }
    }
}

// compat: OSSEC writes some pairs of archives.json only when nothing changed.
pub(crate) fn push_changes(out: &mut Vec<u8>, change: &FileChangeView<'_>) {
    push_change(out, b"md5", change.md5, push_quoted);
    push_change(out, b"sha1", change.sha1, push_quoted);
    push_change(out, b"sha256", change.sha256, push_quoted);
    push_change(out, b"owner", change.owner, push_quoted);
    push_change(out, b"gowner", change.group_owner, push_quoted);
    push_change(out, b"perm", change.permissions, |out, mode| push_number(out, u64::from(mode)));
}

fn push_change<T: Copy + PartialEq>(
    out: &mut Vec<u8>,
    key: &[u8],
    change: Change<T>,
    push_value: fn(&mut Vec<u8>, T),
) {
    if change.before == change.after {
        return;
    }
    for (suffix, value) in [(&b"_before\":"[..], change.before), (b"_after\":", change.after)] {
        if let Some(value) = value {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(key);
            out.extend_from_slice(suffix);
            push_value(out, value);
        }
    }
}

/// Appends the decoder's own fields. `own_keys` are the keys of the line that no static field has.
// compat: OSSEC repeats a key where a decoder's field has the name of another; here such a field
// gets an underscore at its end. So does one that is called like the way out.
pub(crate) fn push_dynamic_fields(
    out: &mut Vec<u8>,
    event: &EventView<'_>,
    own_keys: fn(&[u8]) -> bool,
) {
    for (name, value) in event.dynamic_fields {
        out.extend_from_slice(b",\"");
        push_escaped(out, name);
        let is_taken = own_keys(without_underscores(name));
        push_string(out, if is_taken { b"_\":\"" } else { b"\":\"" }, value);
    }
}

/// The parts of an agent's location, `(NAME) ADDRESS->LOGFILE`. A missing part is empty.
#[derive(Clone, Copy)]
struct Agent<'a> {
    name: &'a [u8],
    address: &'a [u8],
    log_file: &'a [u8],
}

/// Who sent an event, when it came and from which file.
pub(crate) struct Origin<'a> {
    event: &'a EventView<'a>,
    agent: Option<Agent<'a>>,
}

impl<'a> Origin<'a> {
    pub(crate) fn of(event: &'a EventView<'a>) -> Self {
        Self { event, agent: Agent::of(event.location) }
    }

    pub(crate) fn push_agent(&self, out: &mut Vec<u8>) {
        let name = self.agent.map_or(self.event.hostname, |agent| agent.name);
        push_some(out, b",\"agent_name\":\"", name);
        if let Some(agent) = self.agent {
            push_some(out, b",\"agentip\":\"", agent.address);
        }
    }

    pub(crate) fn push_timestamp(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"timestamp\":\"");
        push_date_time(out, self.event.at);
        out.push(b'"');
    }

    pub(crate) fn push_log_file(&self, out: &mut Vec<u8>) {
        let file = self.agent.map_or(self.event.location, |agent| agent.log_file);
        push_some(out, b",\"logfile\":\"", file);
    }
}

impl<'a> Agent<'a> {
    fn of(location: &'a [u8]) -> Option<Self> {
        let inner = location.strip_prefix(b"(")?;
        let (name, after) = split_once(inner, b')')?;
        let address = after
            .strip_prefix(b" ")
            .and_then(|text| split_once(text, b'-'))
            .map_or(&b""[..], |(address, _)| address);
        let log_file = split_once(after, b'>').map_or(&b""[..], |(_, file)| file);
        Some(Self { name, address, log_file })
    }
}

/// Two names of which one ends in an underscore more must stay two.
fn without_underscores(name: &[u8]) -> &[u8] {
    let underscores = name.iter().rev().take_while(|&&byte| byte == b'_').count();
    name.get(..name.len() - underscores).unwrap_or(name)
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(memchr::memchr(separator, text)?)?;
    Some((before, rest.get(1..)?))
}
