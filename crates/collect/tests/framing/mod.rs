//! Runs a framer over some input, cut somewhere, and writes down what happens.

#![expect(clippy::unwrap_used, reason = "may fail anywhere")]

use collect::formats::{self, FramerContext, FramerCounts, Waiting};
use config::sections::LogFormat;

/// What a source says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) bytes: Vec<u8>,
    /// Where in the bytes nothing comes for a while.
    pub(crate) pauses: Vec<usize>,
}

/// What a framer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Message {
        text: Vec<u8>,
        end: u64,
    },
    /// Nothing comes, and this is waited for.
    Pause(Waiting),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// After the last pause the input has ended.
    pub(crate) steps: Vec<Step>,
    pub(crate) counts: FramerCounts,
}

impl Run {
    /// All of the input from an offset on, in pieces.
    pub(crate) fn new(
        format: LogFormat,
        context: &FramerContext<'_>,
        input: &Input,
        from: usize,
        cuts: &[usize],
    ) -> Self {
        let mut framer = formats::framer(format, from as u64, context).unwrap();
        let mut steps = Vec::new();
        let last = input.bytes.len();
        let mut places = [cuts, &input.pauses, &[last]].concat();
        places.retain(|&place| place >= from);
        places.sort_unstable();
        places.dedup();
        let mut pushed = from;
        for place in places {
            let mut write = |message: formats::Message<'_>| {
                steps.push(Step::Message { text: message.text.to_vec(), end: message.end });
            };
            framer.push(&input.bytes[pushed..place], &mut write);
            pushed = place;
            if input.pauses.contains(&place) || place == last {
                let waiting = framer.waiting();
                assert_eq!(framer.holds(), waiting != Waiting::Nothing);
                steps.push(Step::Pause(waiting));
                if framer.holds() || place == last {
                    framer.flush(&mut |message| {
                        steps.push(Step::Message { text: message.text.to_vec(), end: message.end });
                    });
                    assert_eq!(framer.waiting(), Waiting::Nothing);
                }
            }
        }
        Self { steps, counts: framer.counts() }
    }

    pub(crate) fn messages(&self) -> Vec<(&[u8], u64)> {
        let messages = self.steps.iter().filter_map(|step| match step {
            Step::Message { text, end } => Some((text.as_slice(), *end)),
            Step::Pause(_) => None,
        });
        messages.collect()
    }
}

/// Reads again from the end of each message of a run, and says what is wrong then.
pub(crate) fn read_again(
    format: LogFormat,
    context: &FramerContext<'_>,
    input: &Input,
    run: &Run,
) -> Result<(), String> {
    let messages = run.messages();
    let mut before = 0;
    for (index, &(_, end)) in messages.iter().enumerate() {
        if end < before || end > input.bytes.len() as u64 {
            return Err(format!("end {end} after {before}"));
        }
        before = end;
        let again = Run::new(format, context, input, end as usize, &[]);
        let (rest, again) = (&messages[index + 1..], again.messages());
        let is_same = match format {
            LogFormat::Audit => nothing_is_lost(rest, &again),
            LogFormat::MySql => undated(rest) == undated(&again),
            _ => rest == again,
        };
        if !is_same {
            return Err(format!("read again from {end}: {again:?}\ninstead of {rest:?}"));
        }
    }
    Ok(())
}

/// Records of interleaved events may come again, and split otherwise; none is missing.
fn nothing_is_lost(rest: &[(&[u8], u64)], again: &[(&[u8], u64)]) -> bool {
    let records = |messages: &[(&[u8], u64)]| {
        let texts = messages.iter().map(|(text, _)| String::from_utf8_lossy(text));
        let mut records: Vec<String> = texts
            .flat_map(|text| text.split(" type=").map(str::to_owned).collect::<Vec<_>>())
            .map(|record| record.trim_start_matches("type=").to_owned())
            .filter(|record| !record.starts_with("EOE"))
            .collect();
        records.sort();
        records
    };
    let again = records(again);
    records(rest).iter().all(|record| again.contains(record))
}

/// The date of a dated line is not known to who starts behind it.
fn undated<'a>(messages: &[(&'a [u8], u64)]) -> Vec<(&'a [u8], u64)> {
    let start = "MySQL log: 000000 00:00:00".len();
    messages.iter().map(|&(text, end)| (&text[start.min(text.len())..], end)).collect()
}
