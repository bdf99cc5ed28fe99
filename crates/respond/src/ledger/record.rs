//! The lines of the ledger.
//!
//! Each has a checksum of its own. A whole block is a line, a step of its life a short one; the last
//! that is said of a block holds. What comes from events is escaped.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use wire::note::OrderId;

use crate::blocks::{Block, By, Key, State};
use crate::order::{AlertId, Cause};
use crate::target::{FileName, Target, User};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Block(Box<Block>),
    Step(Key, State),
    /// As if it had never been.
    Forget(Key),
    /// What follows was done since the host was started as this.
    Boot(String),
    /// All orders up to this one are in the ledger.
    Obeyed(OrderId),
}

pub(super) fn write_block(block: &Block, out: &mut String) {
    let Block { key, command, since, until, offences, by, cause, state } = block;
    put(out, |out| {
        write!(out, "block {} {} {since} ", letter(*state), KeyWords(key))?;
        match until {
            Some(until) => write!(out, "{until}")?,
            None => out.write_char('-')?,
        }
        let reason = match by {
            By::Rule => None,
            By::Person(reason) => Some(reason.as_bytes()),
        };
        write!(
            out,
            " {offences} {} {} {} {} {} {} {} {}",
            Word(Some(command.as_bytes())),
            Word(reason),
            cause.rule,
            cause.level,
            cause.alert.seconds,
            cause.alert.number,
            Word(Some(&cause.location)),
            Word(Some(&cause.line)),
        )
    });
}

pub(super) fn write_step(key: &Key, state: State, out: &mut String) {
    put(out, |out| write!(out, "step {} {}", letter(state), KeyWords(key)));
}

pub(super) fn write_forget(key: &Key, out: &mut String) {
    put(out, |out| write!(out, "forget {}", KeyWords(key)));
}

pub(super) fn write_boot(id: &str, out: &mut String) {
    put(out, |out| write!(out, "boot {}", Word(Some(id.as_bytes()))));
}

pub(super) fn write_obeyed(id: OrderId, out: &mut String) {
    let OrderId { epoch, batch, index } = id;
    put(out, |out| write!(out, "obeyed {epoch:x} {batch} {index}"));
}

pub(super) fn parse(line: &[u8]) -> Option<Record> {
    let (sum, text) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    if u64::from_str_radix(sum, 16).ok()? != checksum(text.as_bytes()) {
        return None;
    }
    let mut words = text.split(' ');
    let record = match words.next()? {
        "block" => {
            let state = state(words.next()?)?;
            Record::Block(Box::new(block(state, &mut words)?))
        }
        "step" => {
            let state = state(words.next()?)?;
            Record::Step(key(&mut words)?, state)
        }
        "forget" => Record::Forget(key(&mut words)?),
        "boot" => Record::Boot(string(words.next()?)?),
        "obeyed" => Record::Obeyed(OrderId {
            epoch: u64::from_str_radix(words.next()?, 16).ok()?,
            batch: words.next()?.parse().ok()?,
            index: words.next()?.parse().ok()?,
        }),
        _ => return None,
    };
    words.next().is_none().then_some(record)
}

fn block<'a>(state: State, words: &mut impl Iterator<Item = &'a str>) -> Option<Block> {
    Some(Block {
        key: key(words)?,
        since: words.next()?.parse().ok()?,
        until: match words.next()? {
            "-" => None,
            until => Some(until.parse().ok()?),
        },
        offences: words.next()?.parse().ok()?,
        command: string(words.next()?)?,
        by: match words.next()? {
            "-" => By::Rule,
            reason => By::Person(string(reason)?),
        },
        cause: Cause {
            rule: words.next()?.parse().ok()?,
            level: words.next()?.parse().ok()?,
            alert: AlertId {
                seconds: words.next()?.parse().ok()?,
                number: words.next()?.parse().ok()?,
            },
            location: present(words.next()?)?.into_owned(),
            line: present(words.next()?)?.into_owned(),
        },
        state,
    })
}

fn key<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Key> {
    let executable = string(words.next()?)?;
    let net = match words.next()? {
        "-" => None,
        net => Some(net.parse().ok()?),
    };
    let user = optional(words.next()?, |text| User::parse(text).ok())?;
    let filename = optional(words.next()?, |text| FileName::parse(text).ok())?;
    let once = match words.next()? {
        "-" => None,
        id => {
            let (seconds, number) = id.split_once('.')?;
            Some(AlertId { seconds: seconds.parse().ok()?, number: number.parse().ok()? })
        }
    };
    Some(Key { executable, target: Target { net, user, filename }, once })
}

struct KeyWords<'a>(&'a Key);

impl fmt::Display for KeyWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { executable, target: Target { net, user, filename }, once } = self.0;
        write!(f, "{} ", Word(Some(executable.as_bytes())))?;
        match net {
            Some(net) => net.fmt(f)?,
            None => f.write_char('-')?,
        }
        let user = user.as_ref().map(|user| user.as_str().as_bytes());
        write!(f, " {} {} ", Word(user), Word(filename.as_ref().map(FileName::as_bytes)))?;
        match once {
            Some(id) => id.fmt(f),
            None => f.write_char('-'),
        }
    }
}

/// `-`, or `=` and the bytes, escaped.
struct Word<'a>(Option<&'a [u8]>);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bytes) = self.0 else { return f.write_char('-') };
        f.write_char('=')?;
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
            let end = rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
            let (plain, after) = rest.split_at(end.max(1));
            match std::str::from_utf8(plain) {
                Ok(text) if end > 0 => f.write_str(text)?,
                _ => write!(f, "\\{byte:02x}")?,
            }
            rest = after;
        }
        Ok(())
    }
}

/// What stands behind `=`.
fn present(word: &str) -> Option<Cow<'_, [u8]>> {
    let text = word.strip_prefix('=')?;
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut parts = text.split('\\');
    let mut out = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, plain) = part.split_at_checked(2)?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend_from_slice(plain.as_bytes());
    }
    Some(Cow::Owned(out))
}

fn optional<T>(word: &str, read: impl Fn(&[u8]) -> Option<T>) -> Option<Option<T>> {
    if word == "-" { Some(None) } else { read(&present(word)?).map(Some) }
}

fn string(word: &str) -> Option<String> {
    String::from_utf8(present(word)?.into_owned()).ok()
}

fn letter(state: State) -> char {
    match state {
        State::Wanted => 'w',
        State::Held => 'h',
        State::Lifting => 'l',
        State::Past => 'p',
    }
}

fn state(word: &str) -> Option<State> {
    Some(match word {
        "w" => State::Wanted,
        "h" => State::Held,
        "l" => State::Lifting,
        "p" => State::Past,
        _ => return None,
    })
}

fn put(out: &mut String, write: impl FnOnce(&mut String) -> fmt::Result) {
    const SUM: &str = "0000000000000000";
    let start = out.len();
    out.push_str(SUM);
    out.push(' ');
    // Writing to a string does not fail.
    let _ = write(out);
    let text = out.get(start + SUM.len() + 1..).unwrap_or_default();
    let sum = format!("{:016x}", checksum(text.as_bytes()));
    out.replace_range(start..start + SUM.len(), &sum);
    out.push('\n');
}

/// FNV-1a: against torn and damaged lines, not against people.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::Net;

    prop_compose! {
        fn targets()(
            address: Option<(u32, u8)>,
            user in proptest::option::of("[a-z][a-z@._?-]{0,8}"),
            file in proptest::option::of("/[ -~\u{e4}]{0,12}"),
        ) -> Target {
            let net = address.and_then(|(bits, width)| Net::new(bits.to_be_bytes().into(), width % 33));
            Target {
                net,
                user: user.map(|user| User::parse(user.as_bytes()).unwrap()),
                filename: file.map(|file| FileName::parse(file.as_bytes()).unwrap()),
            }
        }
    }

    prop_compose! {
        pub(in super::super) fn blocks()(
            target in targets(),
            executable: String,
            command: String,
            (since, until, offences) in any::<(i64, Option<i64>, u32)>(),
            reason: Option<String>,
            once: Option<(i64, u64)>,
            (rule, level, seconds, number) in any::<(u32, u16, i64, u64)>(),
            (location, line) in any::<(Vec<u8>, Vec<u8>)>(),
            state in prop_oneof![
                Just(State::Wanted), Just(State::Held), Just(State::Lifting), Just(State::Past)
            ],
        ) -> Block {
            let cause = Cause { alert: AlertId { seconds, number }, rule, level, location, line };
            let by = reason.map_or(By::Rule, By::Person);
            let once = once.map(|(seconds, number)| AlertId { seconds, number });
            let key = Key { executable, target, once };
            Block { key, command, since, until, offences, by, cause, state }
        }
    }

    proptest! {
        #[test]
        fn lines_come_back_and_a_damaged_one_is_none(block in blocks(), at: prop::sample::Index, bit in 0_u8..8) {
            let mut out = String::new();
            write_block(&block, &mut out);
            write_step(&block.key, State::Lifting, &mut out);
            write_forget(&block.key, &mut out);
            write_boot(&block.command, &mut out);
            let obeyed = OrderId { epoch: block.cause.alert.number, batch: 7, index: block.offences };
            write_obeyed(obeyed, &mut out);
            prop_assert!(out.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\n'));
            let lines: Vec<&str> = out.lines().collect();
            let expected = [
                Record::Block(Box::new(block.clone())),
                Record::Step(block.key.clone(), State::Lifting),
                Record::Forget(block.key),
                Record::Boot(block.command),
                Record::Obeyed(obeyed),
            ];
            prop_assert_eq!(lines.len(), expected.len());
            for (line, expected) in lines.iter().zip(expected) {
                prop_assert_eq!(parse(line.as_bytes()), Some(expected));
                let mut damaged = line.as_bytes().to_vec();
                let at = at.index(damaged.len());
                damaged[at] ^= 1 << bit;
                // A hexadecimal digit may be a capital one.
                prop_assume!(!damaged[at].eq_ignore_ascii_case(&line.as_bytes()[at]));
                prop_assert_eq!(parse(&damaged), None);
                prop_assert_eq!(parse(&line.as_bytes()[..at]), None);
            }
        }

        #[test]
        fn any_line_is_survived(line: Vec<u8>, text: String) {
            let _ = (parse(&line), parse(text.as_bytes()), present(&text));
        }
    }
}
