//! The text of a case file becomes a [`Case`].

use std::path::Path;

use anyhow::Result;
use anyhow::bail;
use model::Event;
use model::Queue;
use model::Timestamp;

use super::Case;
use super::Expectation;
use super::Expected;
use super::List;
use super::Setting;
use super::Source;
use super::Step;
use super::StepInput;
use super::bytes::unescape;

/// Repetitions of one event.
const REPEAT_MAX: u32 = 1_000_000;

pub(super) fn parse(text: &str, dir: &Path) -> Result<Case> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut parser = Parser {
        dir,
        case: Case::default(),
        stage: Stage::Head,
        clock: Timestamp::default(),
        queue: Queue::default(),
        host: "host".to_owned(),
        location: b"/var/log/messages".to_vec(),
    };
    let mut problems = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if let Err(problem) = parser.line(index + 1, line) {
            problems.push(format!("line {}: {problem}", index + 1));
        }
    }
    if let Stage::Inline { terminator, .. } = &parser.stage {
        problems.push(format!("line {}: missing the closing {terminator}", lines.len()));
    }
    if !problems.is_empty() {
        bail!(problems.join("\n"));
    }
    Ok(Case { lines, ..parser.case })
}

struct Parser<'a> {
    dir: &'a Path,
    case: Case,
    stage: Stage,
    clock: Timestamp,
    queue: Queue,
    host: String,
    location: Vec<u8>,
}

/// Where in the file we are.
enum Stage {
    Head,
    Inline { terminator: String, part: Part },
    Events,
}

/// What a text in the head belongs to.
#[derive(Clone, Copy)]
enum Part {
    Source(SourcePart),
    /// The list that was named last.
    List,
}

#[derive(Clone, Copy)]
enum SourcePart {
    Rules,
    Decoders,
}

/// A line's mistake.
type Checked = Result<(), String>;

impl Parser<'_> {
    fn line(&mut self, line_number: usize, line: &str) -> Checked {
        match &self.stage {
            Stage::Inline { terminator, part } => {
                if line == terminator {
                    self.stage = Stage::Head;
                } else {
                    let part = *part;
                    self.inline_text(part, line);
                }
                Ok(())
            }
            _ if line.trim().is_empty() || line.starts_with('#') => Ok(()),
            Stage::Head if line.starts_with('@') => {
                // An absolute time or a mistake in one: either way, events follow.
                self.stage = Stage::Events;
                self.moment(line)
            }
            Stage::Head => self.head_line(line_number, line),
            Stage::Events => self.event_line(line_number, line),
        }
    }

    fn head_line(&mut self, line_number: usize, line: &str) -> Checked {
        if let Some((key, terminator)) = line.split_once("<<") {
            let terminator = terminator.trim().to_owned();
            if terminator.is_empty() {
                return Err("<< must be followed by the closing word".to_owned());
            }
            let part = match key.trim().split_once(' ') {
                Some(("list", name)) => {
                    let name = name.trim().to_owned();
                    self.case.lists.push(List { name, text: String::new() });
                    Part::List
                }
                _ => {
                    let part = source_part(key.trim())?;
                    let text = Source::Inline { line_number: line_number + 1, text: String::new() };
                    self.add_source(part, text);
                    Part::Source(part)
                }
            };
            self.stage = Stage::Inline { terminator, part };
            return Ok(());
        }
        let (key, value) = line.split_once(':').ok_or_else(|| unknown_head(line))?;
        match (key.trim(), value.trim()) {
            ("compat", "strict") => self.case.is_strict = true,
            ("compat", other) => {
                return Err(format!("unknown compat \"{other}\"; known is strict"));
            }
            ("set", word) => self.case.settings.push(Setting::of(word)?),
            ("ruleset", _) if self.case.ruleset.is_some() => {
                return Err("the ruleset is named already".to_owned());
            }
            ("ruleset", path) if !path.is_empty() => {
                self.case.ruleset = Some(self.dir.join(path));
            }
            (key, path) => {
                if path.is_empty() {
                    return Err(format!("{key} has no path"));
                }
                let part = source_part(key)?;
                let path = self.dir.join(path);
                self.add_source(part, Source::File(path));
            }
        }
        Ok(())
    }

    fn add_source(&mut self, part: SourcePart, source: Source) {
        match part {
            SourcePart::Rules => self.case.rules.push(source),
            SourcePart::Decoders => self.case.decoders.push(source),
        }
    }

    fn inline_text(&mut self, part: Part, line: &str) {
        fn inline(sources: &mut [Source]) -> Option<&mut String> {
            match sources.last_mut()? {
                Source::Inline { text, .. } => Some(text),
                Source::File(_) => None,
            }
        }
        let text = match part {
            Part::Source(SourcePart::Rules) => inline(&mut self.case.rules),
            Part::Source(SourcePart::Decoders) => inline(&mut self.case.decoders),
            Part::List => self.case.lists.last_mut().map(|list| &mut list.text),
        };
        if let Some(text) = text {
            text.push_str(line);
            text.push('\n');
        }
    }

    fn event_line(&mut self, line_number: usize, line: &str) -> Checked {
        if line == "@" || line.starts_with("@ ") {
            return self.moment(line);
        }
        if line == "=" || line.starts_with("= ") {
            return self.expectation(line_number, line);
        }
        if let Some(text) = line.strip_prefix("| ") {
            let text = unescape(text)?;
            self.event(line_number, text);
            return Ok(());
        }
        if line == "|" {
            self.event(line_number, Vec::new());
            return Ok(());
        }
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["queue", letter] if letter.len() == 1 => {
                self.queue = letter.bytes().next().map_or(self.queue, Queue::from_letter);
                Ok(())
            }
            ["repeat", times, "every", interval] => {
                let times = times.parse().ok().filter(|times| (1..=REPEAT_MAX).contains(times));
                let times = times.ok_or_else(|| format!("repeat needs 1 to {REPEAT_MAX} times"))?;
                self.again(line_number, times, seconds(interval)?)
            }
            ["then", wait] if wait.starts_with('+') => self.again(line_number, 1, later(wait)?),
            _ => {
                self.event(line_number, line.as_bytes().to_vec());
                Ok(())
            }
        }
    }

    /// `@ DATE TIME  HOST  LOCATION` or `@ +90s`.
    fn moment(&mut self, line: &str) -> Checked {
        let wrong = || "expected @ YYYY-MM-DD HH:MM:SS  HOST  LOCATION or @ +5s".to_owned();
        let text = line.trim_start_matches('@').trim();
        if text.starts_with('+') {
            self.clock.seconds += later(text)?;
            return Ok(());
        }
        let (date, rest) = text.split_once(' ').ok_or_else(wrong)?;
        let rest = rest.trim_start();
        let (time, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        self.clock = timestamp(date, time).ok_or_else(wrong)?;
        let parts: Vec<&str> =
            rest.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [] => {}
            [location] => self.location = unescape(location)?,
            [host, location] => {
                self.host = host.to_owned();
                self.location = unescape(location)?;
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn event(&mut self, line_number: usize, line: Vec<u8>) {
        let event = Event {
            received: self.clock,
            queue: self.queue,
            location: self.location.clone(),
            line,
        };
        self.case.steps.push(Step {
            line_number,
            first: StepInput { event, host: self.host.clone() },
            times: 1,
            interval_seconds: 0,
            expectations: Vec::new(),
        });
    }

    /// The last event again. Its place and queue are those it had; its time is counted from now.
    fn again(&mut self, line_number: usize, times: u32, interval_seconds: i64) -> Checked {
        let last = self.case.steps.last().ok_or("there is no event to repeat")?;
        let mut first = last.first.clone();
        first.event.received = self.clock;
        first.event.received.seconds += interval_seconds;
        self.clock.seconds += i64::from(times) * interval_seconds;
        self.case.steps.push(Step {
            line_number,
            first,
            times,
            interval_seconds,
            expectations: Vec::new(),
        });
        Ok(())
    }

    fn expectation(&mut self, line_number: usize, line: &str) -> Checked {
        let expected = Expected::parse(line.trim_start_matches('=').trim())?;
        let step = self.case.steps.last_mut().ok_or("there is no event above this answer")?;
        let kind = expected.kind();
        if step.expectations.iter().any(|earlier| earlier.expected.kind() == kind) {
            return Err("this event has an answer of that kind already".to_owned());
        }
        step.expectations.push(Expectation { line_number, expected });
        Ok(())
    }
}

fn source_part(key: &str) -> Result<SourcePart, String> {
    match key {
        "rules" => Ok(SourcePart::Rules),
        "decoders" => Ok(SourcePart::Decoders),
        _ => Err(unknown_head(key)),
    }
}

fn unknown_head(text: &str) -> String {
    format!(
        "unknown \"{text}\" in the head; known are ruleset, rules, decoders, list, set and compat, and \
         events follow the first @ line"
    )
}

/// `+5s`
fn later(text: &str) -> Result<i64, String> {
    seconds(text.strip_prefix('+').unwrap_or(text))
}

/// `5s`; 32 bits, so that clocks cannot overflow.
fn seconds(text: &str) -> Result<i64, String> {
    text.strip_suffix('s')
        .and_then(|number| number.parse::<u32>().ok())
        .map(i64::from)
        .ok_or_else(|| format!("\"{text}\" is no number of seconds such as 5s"))
}

fn timestamp(date: &str, time: &str) -> Option<Timestamp> {
    let (year, month_and_day) = date.split_once('-')?;
    let (month, day) = month_and_day.split_once('-')?;
    let (hour, minute_and_second) = time.split_once(':')?;
    let (minute, second) = minute_and_second.split_once(':')?;
    Timestamp::from_civil(
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?),
        (hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?),
        0,
    )
}
