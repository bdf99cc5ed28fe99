//! The walk through the trees against a naive one, with sets and lines made at random.
//!
//! The naive walk is the one OSSEC is described with, line by line, and knows no gates.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;

use decode::{DecodeOptions, DecodeScratch, Decoded, DecoderSet, LoadInput, Name, load};
use model::{Event, SourceId};
use pattern::{Captures, Language, PatternSet, Scratch};

/// A small generator: the same numbers on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// With and without literals, long and short ones, anchored and not, alternatives.
const PREMATCHES: [&str; 14] = [
    "door opened",
    "opened",
    "^door",
    "^door shut",
    "^gate|bell",
    "shut",
    "bell",
    "be",
    r"\d+",
    r"^\w+ \w+",
    r"\d gate",
    "eve$",
    "gate|door opened|x",
    "^bell rings$",
];
const REGEXES: [&str; 6] =
    [r"(\d+)", r"by (\w+)", r"^(\w+)", r"(\w+)$", r"door (\w+) (\w+)", r"(gate)|(bell)"];
const WORDS: [&str; 12] =
    ["door", "opened", "shut", "gate", "bell", "rings", "by", "eve", "7", "42", "DOOR", "é"];

#[derive(Clone, Debug)]
struct Plan {
    name: String,
    program: Option<&'static str>,
    prematch: Option<(&'static str, &'static str)>,
    regex: Option<(&'static str, &'static str)>,
    children: Vec<usize>,
    has_next: bool,
}

fn plans(random: &mut Random) -> (Vec<Plan>, String) {
    let mut plans: Vec<Plan> = Vec::new();
    let mut text = String::new();
    for number in 0..1 + random.below(9) {
        let program = match random.below(4) {
            0 => Some(random.one_of(&["^doord", "d", "bell|doord"])),
            _ => None,
        };
        let prematch =
            (program.is_none() || random.below(2) == 0).then(|| (random.one_of(&PREMATCHES), ""));
        let name = format!("t{}", random.below(number + 1));
        let regex = (random.below(2) == 0)
            .then(|| (random.one_of(&REGEXES), random.one_of(&["", "after_prematch"])));
        let plan = Plan { name, program, prematch, regex, children: Vec::new(), has_next: false };
        text.push_str(&element(&plan, plans.len(), None));
        plans.push(plan);
    }
    let tops = plans.len();
    for _ in 0..random.below(14) {
        let parent = plans[random.below(tops)].name.clone();
        let parents: Vec<usize> = (0..tops).filter(|&top| plans[top].name == parent).collect();
        let name = format!("c{}", random.below(5));
        let same: Vec<usize> = (tops..plans.len())
            .filter(|&other| {
                plans[other].name == name && plans[parents[0]].children.contains(&other)
            })
            .collect();
        let continues = !same.is_empty();
        let prematch = (!continues && random.below(4) > 0)
            .then(|| (random.one_of(&PREMATCHES), random.one_of(&["", "after_parent"])));
        let mut offsets = vec!["", "after_parent"];
        if prematch.is_some() {
            offsets.push("after_prematch");
        }
        if same
            .first()
            .is_some_and(|&first| plans[first].regex.is_some() || plans[first].prematch.is_some())
        {
            offsets.push("after_regex");
        }
        let regex =
            (random.below(5) > 0).then(|| (random.one_of(&REGEXES), random.one_of(&offsets)));
        for &earlier in &same {
            plans[earlier].has_next = true;
        }
        let index = plans.len();
        let plan = Plan { name, program: None, prematch, regex, children: vec![], has_next: false };
        text.push_str(&element(&plan, index, Some(&parent)));
        plans.push(plan);
        for parent in parents {
            plans[parent].children.push(index);
        }
    }
    (plans, text)
}

fn element(plan: &Plan, number: usize, parent: Option<&str>) -> String {
    let mut out = format!("<decoder name=\"{}\">", plan.name);
    let offset = |offset: &str| match offset {
        "" => String::new(),
        offset => format!(" offset=\"{offset}\""),
    };
    if let Some(parent) = parent {
        out.push_str(&format!("<parent>{parent}</parent>"));
    }
    if let Some(program) = plan.program {
        out.push_str(&format!("<program_name>{program}</program_name>"));
    }
    if let Some((text, at)) = plan.prematch {
        out.push_str(&format!("<prematch{}>{text}</prematch>", offset(at)));
    }
    if let Some((text, at)) = plan.regex {
        out.push_str(&format!("<regex{}>{text}</regex>", offset(at)));
        out.push_str(&format!("<order>f{number}, g{}</order>", number % 3));
    }
    out + "</decoder>\n"
}

/// Decoder and fields.
type Answer = (Option<usize>, BTreeMap<String, String>);

#[derive(Default)]
struct Naive {
    patterns: PatternSet,
    scratch: Scratch,
}

impl Naive {
    fn captures(
        &mut self,
        text: &str,
        language: Language,
        subject: &str,
    ) -> Option<(usize, Vec<String>)> {
        let id = self.patterns.compile(language, text.as_bytes()).unwrap();
        self.scratch.begin_event();
        let mut captures = Captures::default();
        let subject = subject.as_bytes();
        let end = self.patterns.captures(id, subject, &mut self.scratch, &mut captures)?;
        let part = |&(from, to): &(u32, u32)| &subject[from as usize..to as usize];
        let text = |span| String::from_utf8_lossy(part(span)).into_owned();
        Some((end, captures.spans().iter().map(text).collect()))
    }

    fn end(&mut self, text: &str, subject: &str) -> Option<usize> {
        self.captures(text, Language::Regex, subject).map(|(end, _)| end)
    }

    fn decode(&mut self, plans: &[Plan], program: Option<&str>, log: &str) -> Answer {
        let is_child = |index: usize| plans.iter().any(|plan| plan.children.contains(&index));
        let mut fields = BTreeMap::new();
        for (index, top) in plans.iter().enumerate() {
            let in_list = !is_child(index) && top.program.is_some() == program.is_some();
            if !in_list {
                continue;
            }
            if let (Some(pattern), Some(program)) = (top.program, program)
                && self.captures(pattern, Language::Match, program).is_none()
            {
                continue;
            }
            let mut parent_end = 0;
            if let Some((pattern, _)) = top.prematch {
                match self.end(pattern, log) {
                    Some(end) => parent_end = end,
                    None => continue,
                }
            }
            let mut current = index;
            let mut list = vec![index];
            let (mut at, mut child_end) = (0, parent_end);
            if !top.children.is_empty() {
                list = top.children.clone();
                match self.child(plans, &list, parent_end, log) {
                    Some((chosen, end)) => {
                        if plans[list[chosen]].prematch.is_some() {
                            current = list[chosen];
                        }
                        (at, child_end) = (chosen, end);
                    }
                    None => return (Some(current), fields),
                }
            }
            let mut previous = None;
            while let Some(&number) = list.get(at) {
                let plan = &plans[number];
                let Some((pattern, offset)) = plan.regex else { break };
                let begin = match offset {
                    "after_parent" => parent_end,
                    "after_prematch" => child_end,
                    "after_regex" => previous.unwrap_or(child_end),
                    _ => 0,
                };
                previous = None;
                if let Some((end, texts)) = self.captures(pattern, Language::Regex, &log[begin..]) {
                    current = number;
                    previous = Some(begin + end);
                    let names = [format!("f{number}"), format!("g{}", number % 3)];
                    fields.extend(names.into_iter().zip(texts));
                }
                if !plan.has_next {
                    break;
                }
                at += 1;
            }
            return (Some(current), fields);
        }
        (None, fields)
    }

    fn child(
        &mut self,
        plans: &[Plan],
        list: &[usize],
        parent_end: usize,
        log: &str,
    ) -> Option<(usize, usize)> {
        let mut at = 0;
        while at < list.len() {
            let plan = &plans[list[at]];
            let Some((pattern, offset)) = plan.prematch else { return Some((at, parent_end)) };
            let begin = if offset == "after_parent" { parent_end } else { 0 };
            if let Some(end) = self.end(pattern, &log[begin..]) {
                return Some((at, begin + end));
            }
            while at < list.len() && plans[list[at]].has_next {
                at += 1;
            }
            at += 1;
        }
        None
    }
}

fn ours(
    set: &DecoderSet,
    scratch: &mut DecodeScratch,
    spare: Box<Decoded>,
    line: &str,
) -> (Answer, Box<Decoded>) {
    let event = Event { line: line.into(), ..Event::default() };
    let decoded = set.decode(event, scratch, spare);
    let fields = decoded
        .fields
        .names()
        .iter()
        .map(|&name| {
            let Name::Dynamic(field) = name else { panic!("only dynamic fields are named") };
            let value = decoded.fields.value(name, decoded.full_log()).unwrap();
            let label = set.dynamic_names()[usize::from(field.0)].clone();
            (label, String::from_utf8_lossy(value).into_owned())
        })
        .collect();
    ((decoded.decoder.map(|index| index.0 as usize), fields), decoded)
}

#[test]
fn walks_agree() {
    let mut random = Random(2_024);
    let mut decoded_lines = 0;
    for _ in 0..400 {
        let (plans, text) = plans(&mut random);
        let files = [(SourceId(0), text.as_bytes())];
        let options = DecodeOptions::default();
        let loaded = load(&LoadInput { files: &files, options, order_fields_max: 8 });
        assert!(loaded.is_usable(), "{text}{:#?}", loaded.diagnostics);
        let (mut naive, mut scratch) = (Naive::default(), DecodeScratch::default());
        let mut spare = Box::default();
        for _ in 0..40 {
            let words: Vec<&str> = (0..random.below(7)).map(|_| random.one_of(&WORDS)).collect();
            let log = words.join(" ");
            let program =
                (random.below(3) == 0).then(|| random.one_of(&["doord", "bell", "x", ""]));
            let line = match program {
                Some(program) => format!("Dec 29 10:00:01 host {program}: {log}"),
                None => log.clone(),
            };
            scratch.search.begin_event();
            let (answer, used) = ours(&loaded.decoders, &mut scratch, spare, &line);
            spare = used;
            let expected = naive.decode(&plans, program, &log);
            assert_eq!(answer, expected, "{line}\n{text}");
            decoded_lines += usize::from(!expected.1.is_empty());
        }
    }
    assert!(decoded_lines > 1_000, "{decoded_lines}");
}
