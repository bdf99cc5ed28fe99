//! A case file: bytes in, messages out.

#![expect(clippy::unwrap_used, reason = "may fail anywhere")]

use std::fmt::Write;

use collect::formats::FramerContext;
use config::sections::LogFormat;

use crate::framing::{Input, Run, Step};

pub(crate) struct Case {
    pub(crate) format: LogFormat,
    pub(crate) input: Input,
    /// As it stands in the file.
    pub(crate) answer: String,
    path: String,
    /// Messages begin with a date in the zone of the machine.
    has_local_date: bool,
    /// Everything before the answer.
    question: String,
}

const INPUT: &str = "--- input\n";
const ANSWER: &str = "--- messages\n";
/// As many equal bytes are written as a number.
const RUN_MIN: usize = 40;
const LOCAL_DATE: &[u8] = b"Mmm DD hh:mm:ss";

impl Case {
    pub(crate) fn parse(format: &str, text: &str) -> Result<Self, String> {
        let (head, rest) = text.split_once(INPUT).ok_or("no input")?;
        let (input, answer) = rest.split_once(ANSWER).ok_or("no messages")?;
        let mut case = Self {
            format: named(format)?,
            input: bytes(input)?,
            answer: answer.to_owned(),
            path: "/var/log/app.log".to_owned(),
            has_local_date: false,
            question: format!("{head}{INPUT}{input}{ANSWER}"),
        };
        for line in head.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            match line.split_once(": ") {
                Some(("path", path)) => case.path = path.to_owned(),
                Some(("format", format)) => case.format = named(format)?,
                Some(("date", "local")) => case.has_local_date = true,
                _ => return Err(format!("no setting: {line}")),
            }
        }
        Ok(case)
    }

    pub(crate) fn context(&self) -> FramerContext<'_> {
        FramerContext { path: self.path.as_bytes(), hostname: b"web1.example.org" }
    }

    pub(crate) fn with_answer(&self, answer: &str) -> String {
        format!("{}{answer}", self.question)
    }

    /// At every place, and at all of them; in long input here and there.
    pub(crate) fn ways_to_cut(&self) -> Vec<Vec<usize>> {
        let len = self.input.bytes.len();
        let (step, piece) = if len < 4096 { (1, 1) } else { (1 + len / 16, 1000) };
        let mut ways: Vec<Vec<usize>> = (0..len).step_by(step).map(|place| vec![place]).collect();
        ways.push((0..len).step_by(piece).collect());
        ways
    }

    pub(crate) fn write(&self, run: &Run) -> String {
        let mut out = String::new();
        for (index, step) in run.steps.iter().enumerate() {
            match step {
                Step::Message { text, end } => {
                    let mut text = text.clone();
                    if self.has_local_date {
                        text.splice(..LOCAL_DATE.len(), LOCAL_DATE.iter().copied());
                    }
                    writeln!(out, "{end} {}", escape(&text)).unwrap();
                }
                Step::Pause(waiting) => {
                    let is_last =
                        !run.steps[index + 1..].iter().any(|step| matches!(step, Step::Pause(_)));
                    let name = if is_last { "the end" } else { "idle" };
                    writeln!(out, "-- {name}, waiting for {waiting:?}").unwrap();
                }
            }
        }
        let counts = run.counts;
        if counts.cut + counts.malformed > 0 {
            writeln!(out, "-- cut {}, malformed {}", counts.cut, counts.malformed).unwrap();
        }
        out
    }
}

fn named(format: &str) -> Result<LogFormat, String> {
    // The folder of multi-line stands for all numbers.
    let format = if format == "multi-line" { "multi-line: 2" } else { format };
    LogFormat::parse(format).ok_or_else(|| format!("no format: {format}"))
}

fn bytes(text: &str) -> Result<Input, String> {
    let mut input = Input::default();
    for line in text.lines() {
        if line == "\\idle" {
            input.pauses.push(input.bytes.len());
            continue;
        }
        let mut rest = line;
        let mut has_end = true;
        while let Some((before, escape)) = rest.split_once('\\') {
            input.bytes.extend_from_slice(before.as_bytes());
            if escape.is_empty() {
                (has_end, rest) = (false, "");
                break;
            }
            let (kind, after) = escape.split_at(1);
            rest = after;
            match kind {
                "t" => input.bytes.push(b'\t'),
                "r" => input.bytes.push(b'\r'),
                "0" => input.bytes.push(0),
                "\\" => input.bytes.push(b'\\'),
                "x" => {
                    let (digits, after) = rest.split_at(2);
                    input.bytes.push(u8::from_str_radix(digits, 16).map_err(|_| line)?);
                    rest = after;
                }
                "{" => {
                    let (run, after) = rest.split_once('}').ok_or(line)?;
                    let (text, times) = run.rsplit_once('*').ok_or(line)?;
                    let times = times.parse().map_err(|_| line)?;
                    input.bytes.extend(text.repeat(times).bytes());
                    rest = after;
                }
                _ => return Err(format!("no escape: {line}")),
            }
        }
        input.bytes.extend_from_slice(rest.as_bytes());
        if has_end {
            input.bytes.push(b'\n');
        }
    }
    Ok(input)
}

fn escape(text: &[u8]) -> String {
    let mut out = String::new();
    for run in text.chunk_by(|first, second| first == second) {
        let byte = run[0];
        let one = match byte {
            b'\\' => "\\\\".to_owned(),
            b'\t' => "\\t".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\n' => "\\n".to_owned(),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        if run.len() >= RUN_MIN {
            write!(out, "\\{{{one}*{}}}", run.len()).unwrap();
        } else {
            out.push_str(&one.repeat(run.len()));
        }
    }
    if out.ends_with(' ') {
        out.pop();
        out.push_str("\\x20");
    }
    out
}
