//! A case file is rewritten with the answers that came out.

use std::collections::HashMap;
use std::collections::HashSet;

use super::Answer;
use super::Case;
use super::Expected;
use super::Step;
use super::answer::Kind;

pub(super) fn updated(case: &Case, answers: &[Vec<Answer>]) -> String {
    let steps: HashMap<usize, (&Step, &[Answer])> = case
        .steps
        .iter()
        .zip(answers)
        .map(|(step, answers)| (step.line_number, (step, answers.as_slice())))
        .collect();
    let replaced: HashSet<usize> = case
        .steps
        .iter()
        .flat_map(|step| &step.expectations)
        .map(|expectation| expectation.line_number)
        .collect();
    let mut text = String::new();
    for (index, line) in case.lines.iter().enumerate() {
        let line_number = index + 1;
        match steps.get(&line_number) {
            Some((step, answers)) => push_step(&mut text, line, step, answers),
            None if replaced.contains(&line_number) => {}
            None => push_line(&mut text, line),
        }
    }
    text
}

fn push_step(text: &mut String, line: &str, step: &Step, answers: &[Answer]) {
    let kinds: Vec<Kind> = if step.expectations.is_empty() {
        vec![Kind::Decoder, Kind::Rule]
    } else {
        step.expectations.iter().map(|expectation| expectation.expected.kind()).collect()
    };
    let texts: Vec<String> = answers.iter().map(|answer| lines_of(&kinds, answer)).collect();
    let runs: Vec<&[String]> = texts.chunk_by(|left, right| left == right).collect();
    for run in &runs {
        if runs.len() == 1 {
            push_line(text, line);
        } else {
            let (times, seconds) = (run.len(), step.interval_seconds);
            push_line(text, &format!("repeat {times} every {seconds}s"));
        }
        text.extend(run.first().map(String::as_str));
    }
}

fn lines_of(kinds: &[Kind], answer: &Answer) -> String {
    kinds.iter().map(|&kind| format!("= {}\n", Expected::of(kind, answer))).collect()
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
