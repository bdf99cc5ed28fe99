//! Kill it anywhere, cut the files anywhere, go on from the last checkpoint: the files are those of
//! a run that nobody disturbed.

use std::fs;

use outputs::{FileLength, OutputFiles, OutputOptions};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::home::{EVERYTHING, Home, at};

/// A record, or a change of the options.
#[derive(Clone, Debug)]
enum Step {
    Record { file: u8, day: u8, text: Vec<u8> },
    Flush,
}

/// A run that ends by a kill.
#[derive(Clone, Debug)]
struct Killed {
    /// How far it gets, counted from where it began.
    steps: Index,
    /// Where in it the last checkpoint is taken, if there is one.
    checkpoint: Option<Index>,
    /// How much of what is behind the checkpoint is left of each file.
    cuts: Vec<Index>,
}

fn step() -> impl Strategy<Value = Step> {
    let text = proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..12);
    prop_oneof![
        6 => (0_u8..6, 0_u8..4, text).prop_map(|(file, day, text)| Step::Record { file, day, text }),
        1 => Just(Step::Flush),
    ]
}

fn killed() -> impl Strategy<Value = Killed> {
    let cuts = proptest::collection::vec(any::<Index>(), 24);
    (any::<Index>(), proptest::option::of(any::<Index>()), cuts)
        .prop_map(|(steps, checkpoint, cuts)| Killed { steps, checkpoint, cuts })
}

/// Days go forwards, but for one that comes late now and then.
fn in_order(mut steps: Vec<Step>) -> Vec<Step> {
    let count = steps.len().max(1);
    for (index, step) in steps.iter_mut().enumerate() {
        if let Step::Record { day, .. } = step {
            let late = u8::from(*day == 0);
            *day = (1 + index * 4 / count) as u8 - late;
        }
    }
    steps
}

fn perform(files: &mut OutputFiles, step: &Step) {
    match step {
        Step::Flush => files.flush_all().unwrap(),
        Step::Record { file, day, text } => {
            let now = at((2026, 11, 27 + day.min(&3)), (12, 0, 0), 0);
            let record = [&text[..], b"\n\n"].concat();
            match file {
                0 => files.alerts_text(now, &record),
                1 => files.alerts_json(now, &record),
                2 => files.archives_text(now, &record),
                3 => files.archives_json(now, &record),
                4 => files.firewall(now, &record),
                _ => files.totals(now, &record),
            }
        }
    }
}

/// Cuts what each file has beyond the checkpoint. A file that the checkpoint does not tell of is
/// new, or so old that nothing was added to it.
fn cut(home: &Home, checkpoint: &[FileLength], cuts: &[Index]) {
    let day = |path: &str| path.rsplit('-').next().unwrap()[..2].to_owned();
    let last_day = checkpoint.iter().map(|file| day(&file.path)).max().unwrap();
    let tree = home.tree();
    let dated = tree.iter().filter(|(path, _)| path.contains("/2026/"));
    for ((path, text), cut) in dated.zip(cuts) {
        let known = checkpoint.iter().find(|file| file.path == **path);
        let kept = match known {
            Some(file) => file.length as usize,
            None if day(path) >= last_day => 0,
            None => text.len(),
        };
        let length = kept + cut.index(text.len() - kept + 1);
        fs::OpenOptions::new()
            .write(true)
            .open(home.path(path))
            .unwrap()
            .set_len(length as u64)
            .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn kills_leave_no_trace(
        steps in proptest::collection::vec(step(), 1..60).prop_map(in_order),
        kills in proptest::collection::vec(killed(), 1..4),
    ) {
        let undisturbed = Home::new();
        let mut files = undisturbed.files(EVERYTHING);
        for step in &steps {
            perform(&mut files, step);
        }
        files.flush_all().unwrap();

        let home = Home::new();
        // Where the last checkpoint was taken, and what was in it.
        let mut from = 0;
        let mut files = home.files(EVERYTHING);
        let mut checkpoint = files.state();
        assert_eq!(checkpoint, None, "nothing is known before a day has begun");
        for kill in &kills {
            let ahead = &steps[from..];
            let performed = kill.steps.index(ahead.len() + 1);
            let taken = kill.checkpoint.map(|index| index.index(performed + 1));
            let begin = from;
            for (index, step) in ahead.iter().take(performed).enumerate() {
                if taken == Some(index) {
                    files.flush_all().unwrap();
                    if let Some(state) = files.state() {
                        checkpoint = Some(state);
                        from = begin + index;
                    }
                }
                perform(&mut files, step);
            }
            files.flush_all().unwrap();
            drop(files);
            if let Some(checkpoint) = &checkpoint {
                cut(&home, checkpoint, &kill.cuts);
                files = home.files(EVERYTHING);
                files.resume(checkpoint);
            } else {
                // Without a checkpoint, what is there cannot be told from older records.
                fs::remove_dir_all(home.folder.path()).unwrap();
                fs::create_dir(home.folder.path()).unwrap();
                files = home.files(EVERYTHING);
            }
        }
        for step in &steps[from..] {
            perform(&mut files, step);
        }
        files.forget_resume().unwrap();
        prop_assert_eq!(home.tree(), undisturbed.tree());
    }
}

const DATED: &str = "logs/alerts/2026/Nov/ossec-alerts-24.log";
const NOON: (u8, u8, u8) = (12, 0, 0);

/// A home with a checkpoint behind the first record, and the second record torn.
fn torn() -> (Home, Vec<FileLength>) {
    let home = Home::new();
    let mut files = home.files(OutputOptions::default());
    files.alerts_text(at((2026, 11, 24), NOON, 0), b"first\n\n");
    files.flush_all().unwrap();
    let checkpoint = files.state().unwrap();
    files.alerts_text(at((2026, 11, 24), NOON, 0), b"second\n\n");
    files.flush_all().unwrap();
    fs::write(home.path(DATED), "first\n\nsec").unwrap();
    (home, checkpoint)
}

#[test]
fn a_torn_record_is_completed() {
    let (home, checkpoint) = torn();
    let mut files = home.files(OutputOptions::default());
    files.resume(&checkpoint);
    let now = at((2026, 11, 24), NOON, 0);
    files.alerts_text(now, b"second\n\n");
    files.flush_all().unwrap();
    assert_eq!(home.read(DATED), "first\n\nsecond\n\n");
    files.forget_resume().unwrap();
    files.alerts_text(now, b"third\n\n");
    files.flush_all().unwrap();
    assert_eq!(home.read(DATED), "first\n\nsecond\n\nthird\n\n");
}

#[test]
fn a_checkpoint_in_the_middle_of_a_replay_does_not_count_what_is_ahead() {
    let (home, checkpoint) = torn();
    fs::write(home.path(DATED), "first\n\nsecond\n\nthi").unwrap();
    let now = at((2026, 11, 24), NOON, 0);
    let mut files = home.files(OutputOptions::default());
    files.resume(&checkpoint);
    files.alerts_text(now, b"second\n\n");
    files.flush_all().unwrap();
    let second = files.state().unwrap();
    assert_eq!(second.iter().find(|file| file.path == DATED).unwrap().length, 15);
    let mut files = home.files(OutputOptions::default());
    files.resume(&second);
    files.alerts_text(now, b"third\n\n");
    files.flush_all().unwrap();
    assert_eq!(home.read(DATED), "first\n\nsecond\n\nthird\n\n");
}

#[test]
fn a_record_that_does_not_come_again_gets_its_end() {
    let now = at((2026, 11, 24), NOON, 0);
    // At once, and after a record of the replay that is skipped in part.
    for (replayed, expected) in
        [("", "first\n\nsec\n\nthird\n\n"), ("x\n", "first\n\nsec\n\nthird\n\n")]
    {
        let (home, checkpoint) = torn();
        let mut files = home.files(OutputOptions::default());
        files.resume(&checkpoint);
        files.alerts_text(now, replayed.as_bytes());
        files.forget_resume().unwrap();
        files.alerts_text(now, b"third\n\n");
        files.flush_all().unwrap();
        assert_eq!(home.read(DATED), expected);
        // The checkpoint that is taken then fits.
        let checkpoint = files.state().unwrap();
        files.alerts_text(now, b"fourth\n\n");
        files.flush_all().unwrap();
        let mut files = home.files(OutputOptions::default());
        files.resume(&checkpoint);
        files.alerts_text(now, b"fourth\n\n");
        files.flush_all().unwrap();
        assert_eq!(home.read(DATED), format!("{expected}fourth\n\n"));
    }
}

#[test]
fn a_file_that_was_cut_is_appended_to() {
    for (left, expected) in [("first\n", "first\n\nsecond\n\n"), ("", "second\n\n")] {
        let (home, checkpoint) = torn();
        fs::write(home.path(DATED), left).unwrap();
        let mut files = home.files(OutputOptions::default());
        files.resume(&checkpoint);
        files.alerts_text(at((2026, 11, 24), NOON, 0), b"second\n\n");
        files.flush_all().unwrap();
        assert_eq!(home.read(DATED), expected);
    }
}

#[test]
fn a_file_that_is_off_at_the_checkpoint_is_not_taken_for_replayed() {
    let home = Home::new();
    let now = at((2026, 11, 24), NOON, 0);
    let on = OutputOptions { alerts_json: true, ..OutputOptions::default() };
    let mut files = home.files(on);
    files.alerts_json(now, b"{1}\n");
    files.flush_all().unwrap();
    // Another start, without JSON; a checkpoint; then JSON is on again, and a kill.
    let mut files = home.files(OutputOptions::default());
    files.roll_over(now);
    files.flush_all().unwrap();
    let checkpoint = files.state().unwrap();
    files.set_options(on);
    files.alerts_json(now, b"{2}\n");
    files.flush_all().unwrap();
    let mut files = home.files(on);
    files.resume(&checkpoint);
    files.alerts_json(now, b"{2}\n");
    files.alerts_json(now, b"{3}\n");
    files.forget_resume().unwrap();
    assert_eq!(home.read("logs/alerts/alerts.json"), "{1}\n{2}\n{3}\n");
}

#[test]
fn lengths_that_make_no_sense() {
    let home = Home::new();
    let mut files = home.files(OutputOptions::default());
    let file = |path: &str, length| FileLength { path: path.to_owned(), length };
    files.resume(&[file("", 1), file("x/2026/Nov/y-31.log", 9), file(DATED, u64::MAX)]);
    files.alerts_text(at((2026, 11, 24), NOON, 0), b"first\n\n");
    files.forget_resume().unwrap();
    assert_eq!(home.read(DATED), "first\n\n");
}
