//! Which decoder a line belongs to and what it takes out, with small sets of decoders.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use decode::{DecodeOptions, DecodeScratch, Decoded, DecoderSet, LoadInput, Name, load};
use model::{Category, Event, SourceId, limits};

fn set_with(text: &str, options: DecodeOptions) -> DecoderSet {
    let files = [(SourceId(0), text.as_bytes())];
    let loaded = load(&LoadInput { files: &files, options, order_fields_max: 8 });
    assert!(loaded.is_usable(), "{:#?}", loaded.diagnostics);
    loaded.decoders
}

fn set(text: &str) -> DecoderSet {
    set_with(text, DecodeOptions::default())
}

fn decoded(set: &DecoderSet, line: &str) -> Box<Decoded> {
    let event = Event { line: line.into(), location: b"door.log".to_vec(), ..Event::default() };
    set.decode(event, &mut DecodeScratch::default(), Box::default())
}

/// `decoder field=value …`; `-` for no decoder.
fn answer(set: &DecoderSet, line: &str) -> String {
    let decoded = decoded(set, line);
    let mut out = match decoded.decoder.and_then(|index| set.decoder(index)) {
        Some(decoder) => decoder.name.clone(),
        None => "-".to_owned(),
    };
    for &name in decoded.fields.names() {
        let label = match name {
            Name::Static(field) => field.label(),
            Name::Dynamic(field) => &set.dynamic_names()[usize::from(field.0)],
        };
        let value = decoded.fields.value(name, decoded.full_log()).unwrap();
        out.push_str(&format!(" {label}={}", String::from_utf8_lossy(value)));
    }
    out
}

#[track_caller]
fn check(text: &str, cases: &[(&str, &str)]) {
    let set = set(text);
    for (line, expected) in cases {
        assert_eq!(answer(&set, line), *expected, "{line}");
    }
}

/// A line with a program name.
fn with_program(log: &str) -> String {
    format!("Dec 29 10:00:01 host doord[7]: {log}")
}

#[test]
fn program_names_part_the_lists() {
    check(
        "<decoder name=\"plain\"><prematch>^open</prematch></decoder>
         <decoder name=\"door\"><program_name>^doord</program_name></decoder>",
        &[
            ("open", "plain"),
            (&with_program("open"), "door"),
            ("Dec 29 10:00:01 host bell[7]: open", "-"),
            // An empty name is a name.
            ("Dec 29 10:00:01 host : open", "-"),
            ("Dec 29 10:00:01 host [7]: open", "-"),
        ],
    );
}

#[test]
fn one_top_level_decoder_for_good() {
    check(
        "<decoder name=\"first\"><prematch>^door</prematch></decoder>
         <decoder name=\"c\"><parent>first</parent><prematch>never</prematch></decoder>
         <decoder name=\"second\"><prematch>^door (\\d+)</prematch>
           <regex>(\\d+)</regex><order>id</order></decoder>
         <decoder name=\"third\"><prematch>^bell</prematch>
           <regex>(\\d+) rings</regex><order>id</order></decoder>",
        &[("door 7", "first"), ("bell 7 rings", "third id=7"), ("bell", "third"), ("x", "-")],
    );
}

#[test]
fn program_and_prematch_both_have_to_fit() {
    check(
        "<decoder name=\"a\"><program_name>^doord</program_name><prematch>^open</prematch></decoder>
         <decoder name=\"b\"><program_name>^doord</program_name><prematch>^shut</prematch>
           <regex offset=\"after_prematch\">^ by (\\S+)</regex><order>user</order></decoder>",
        &[
            (&with_program("open"), "a"),
            (&with_program("shut by eve"), "b dstuser=eve"),
            (&with_program("lost"), "-"),
        ],
    );
}

#[test]
fn child_without_prematch_hides_later_ones() {
    check(
        "<decoder name=\"d\"><prematch>^door</prematch></decoder>
         <decoder name=\"a\"><parent>d</parent><prematch>open</prematch>
           <regex>open by (\\w+)</regex><order>user</order></decoder>
         <decoder name=\"b\"><parent>d</parent><regex>id (\\d+)</regex><order>id</order></decoder>
         <decoder name=\"c\"><parent>d</parent><prematch>shut</prematch>
           <regex>shut (\\d+)</regex><order>status</order></decoder>",
        &[
            ("door open by eve", "d dstuser=eve"),
            // Chosen by its prematch, whatever becomes of its regex.
            ("door open id 7", "d"),
            ("door id 7", "d id=7"),
            ("door shut 3", "d"),
        ],
    );
}

#[test]
fn parent_with_children_does_not_use_its_own_regex() {
    check(
        "<decoder name=\"d\"><prematch>^door</prematch>
           <regex>id (\\d+)</regex><order>id</order></decoder>
         <decoder name=\"c\"><parent>d</parent><prematch>open</prematch></decoder>",
        &[("door id 7", "d"), ("door open id 7", "d")],
    );
}

#[test]
fn offsets() {
    check(
        "<decoder name=\"d\"><prematch>^door </prematch></decoder>
         <decoder name=\"a\"><parent>d</parent>
           <prematch offset=\"after_parent\">^open </prematch>
           <regex offset=\"after_prematch\">^(\\w+) (\\w+)</regex><order>user, id</order></decoder>
         <decoder name=\"b\"><parent>d</parent><prematch>shut </prematch>
           <regex offset=\"after_parent\">^(\\w+)</regex><order>action</order></decoder>
         <decoder name=\"c\"><parent>d</parent><prematch>ajar</prematch>
           <regex>^(\\w+)</regex><order>data</order></decoder>",
        &[
            ("door open eve 7", "d dstuser=eve id=7"),
            ("door xopen eve 7", "d"),
            ("door was shut ", "d action=was"),
            ("door ajar", "d extra_data=door"),
        ],
    );
}

#[test]
fn top_level_after_prematch() {
    check(
        "<decoder name=\"d\"><prematch>^door </prematch>
           <regex offset=\"after_prematch\">^(\\w+)</regex><order>action</order></decoder>",
        &[("door open", "d action=open")],
    );
}

#[test]
fn same_named_children_are_all_tried() {
    check(
        "<decoder name=\"d\"><prematch>^door</prematch></decoder>
         <decoder name=\"c\"><parent>d</parent><prematch>open </prematch>
           <regex offset=\"after_prematch\">^by (\\w+) </regex><order>user</order></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <regex offset=\"after_regex\">^(\\w+)</regex><order>id</order></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <regex>status (\\w+)</regex><order>status</order></decoder>
         <decoder name=\"later\"><parent>d</parent><regex>(\\d)</regex><order>url</order></decoder>",
        &[
            ("door open by eve 7 status 3", "d dstuser=eve id=7 status=3"),
            // A failed one does not stop the others; what looks behind it begins behind the
            // prematch.
            ("door open 7 status 3", "d id=7 status=3"),
            ("door open by eve 7", "d dstuser=eve id=7"),
            // If the first does not fit, its group is passed over.
            ("door status 3", "d url=3"),
        ],
    );
}

#[test]
fn next_means_next_in_the_list() {
    check(
        "<decoder name=\"d\"><prematch>^door</prematch></decoder>
         <decoder name=\"a\"><parent>d</parent><prematch>open</prematch>
           <regex>by (\\w+)</regex><order>user</order></decoder>
         <decoder name=\"b\"><parent>d</parent><prematch>shut</prematch>
           <regex>id (\\d+)</regex><order>id</order></decoder>
         <decoder name=\"a\"><parent>d</parent>
           <regex>status (\\d+)</regex><order>status</order></decoder>",
        &[
            // The first `a` continues into `b`, and there it ends.
            ("door open by eve id 7 status 3", "d dstuser=eve id=7"),
            // `b` is passed over with the group it got into.
            ("door shut id 7 status 3", "d status=3"),
        ],
    );
}

#[test]
fn later_values_win() {
    check(
        "<decoder name=\"d\"><prematch>^door</prematch></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <regex>(\\w+) (\\w+)</regex><order>id, id</order></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <regex>to (\\w+)</regex><order>id</order></decoder>",
        &[("door open", "d id=open"), ("door open to eve", "d id=eve")],
    );
}

#[test]
fn captures_and_order() {
    check(
        "<decoder name=\"d\"><prematch>^door</prematch></decoder>
         <decoder name=\"c\"><parent>d</parent><prematch>more</prematch>
           <regex>(\\w+) (\\w+) (\\w+)</regex><order>id, user</order></decoder>
         <decoder name=\"e\"><parent>d</parent><prematch>less</prematch>
           <regex>(\\w+)</regex><order>id, user</order></decoder>
         <decoder name=\"f\"><parent>d</parent>
           <regex>open (\\w+)|shut (\\d+)</regex><order>user, id</order></decoder>",
        &[
            ("door more x", "d id=door dstuser=more"),
            ("door less", "d id=door"),
            // A group that took no part leaves its place to the next.
            ("door shut 7", "d dstuser=7"),
        ],
    );
}

#[test]
fn dynamic_fields() {
    let text = "<decoder name=\"d\"><prematch>^door</prematch></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <regex>(\\w+) (\\w+) (\\w+)</regex><order>colour, SRCIP , old_filename</order></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <regex>lock (\\w+)</regex><order>Colour</order></decoder>";
    check(
        text,
        &[
            ("door red x y", "d colour=door SRCIP=red filename=x"),
            ("door red x lock y", "d colour=y SRCIP=red filename=x"),
        ],
    );
    assert_eq!(set(text).dynamic_names(), ["colour", "SRCIP"]);
}

#[test]
fn names_and_ids() {
    let text = "<decoder name=\"d\"><prematch>^door</prematch><type>ids</type></decoder>
         <decoder name=\"c\"><parent>d</parent><prematch>open</prematch></decoder>
         <decoder name=\"own\"><parent>d</parent><use_own_name>true</use_own_name>
           <prematch>shut</prematch><type>firewall</type></decoder>
         <decoder name=\"r\"><parent>d</parent><type>squid</type>
           <regex>id (\\d+)</regex><order>id</order></decoder>";
    let set = set(text);
    let id = |name: &str| set.id(name.as_bytes());
    for (line, name, id, category) in [
        ("door", "d", id("d"), Category::Ids),
        ("door open", "d", id("d"), Category::Syslog),
        ("door shut", "own", id("own"), Category::Firewall),
        // A child without a prematch is only heard of once its regex fits.
        ("door id 7", "d", id("d"), Category::Squid),
        ("door id x", "d", id("d"), Category::Ids),
    ] {
        let decoded = decoded(&set, line);
        let decoder = decoded.decoder.and_then(|index| set.decoder(index)).unwrap();
        assert_eq!((decoder.name.as_str(), decoded.decoder_id), (name, id), "{line}");
        assert_eq!(decoded.category, category, "{line}");
    }
    // Known, but no event carries it.
    assert!(id("c").is_some() && id("c") != id("d"));
    assert!(id("rootcheck").is_some());
    assert_eq!(id("other"), None);
}

#[test]
fn same_named_top_level_decoders() {
    check(
        "<decoder name=\"d\"><program_name>^doord</program_name></decoder>
         <decoder name=\"early\"><parent>d</parent><prematch>^early</prematch>
           <regex>(\\d+)</regex><order>id</order></decoder>
         <decoder name=\"d\"><prematch>^door</prematch></decoder>
         <decoder name=\"d\"><prematch>^gate</prematch></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <regex>by (\\w+)</regex><order>user</order></decoder>",
        &[
            ("door by eve", "d dstuser=eve"),
            ("gate by eve", "d dstuser=eve"),
            (&with_program("by eve"), "d dstuser=eve"),
            // A child belongs to the parents that stood before it.
            (&with_program("early 7"), "d id=7"),
            ("door early 7", "d"),
        ],
    );
}

#[test]
fn plugin_below_a_parent() {
    check(
        "<decoder name=\"d\"><program_name>^doord</program_name></decoder>
         <decoder name=\"fw\"><parent>d</parent><prematch>^rule </prematch><type>firewall</type>
           <plugin_decoder>PF_Decoder</plugin_decoder></decoder>
         <decoder name=\"other\"><parent>d</parent>
           <regex>(\\w+)</regex><order>id</order></decoder>",
        &[
            (
                &with_program("rule 2/(match) pass in on x: 10.0.0.1.66 > 10.0.0.2.80: P 1"),
                "d srcip=10.0.0.1 dstip=10.0.0.2 srcport=66 dstport=80 proto=TCP action=pass",
            ),
            // It ends the matter even where it finds nothing.
            (&with_program("rule x"), "d"),
            (&with_program("x"), "d id=x"),
        ],
    );
}

#[test]
fn anchored_literal_in_pcre2_yields_no_fields() {
    check(
        "<decoder name=\"d\"><prematch>^(door)</prematch></decoder>
         <decoder name=\"c\"><parent>d</parent>
           <pcre2>^door$</pcre2><order>srcip</order></decoder>",
        &[("door", "d")],
    );
}

#[test]
fn order_fields_at_their_limit() {
    let set = set("<decoder name=\"d\"><prematch>^door</prematch>
           <regex>(\\d)(\\d)(\\d)(\\d)(\\d)(\\d)(\\d)(\\d)(\\d)</regex>
           <order>a,b,c,d,e,f,g,h</order></decoder>");
    assert_eq!(answer(&set, "door 123456789"), "d a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8");
}

#[test]
fn long_lines_are_cut_and_counted() {
    let set = set("<decoder name=\"d\"><prematch>END$</prematch></decoder>");
    let mut scratch = DecodeScratch::default();
    for (length, cut, decoder) in
        [(limits::LINE_BYTES_MAX, 0, true), (limits::LINE_BYTES_MAX + 1, 1, false)]
    {
        let line = [vec![b'x'; length - 3], b"END".to_vec()].concat();
        let event = Event { line, ..Event::default() };
        let decoded = set.decode(event, &mut scratch, Box::default());
        assert_eq!(decoded.full_log().len(), limits::LINE_BYTES_MAX);
        assert_eq!(scratch.lines_cut, cut);
        assert_eq!(decoded.decoder.is_some(), decoder);
    }
}

#[test]
fn control_characters() {
    let text = "<decoder name=\"d\"><prematch>^a</prematch></decoder>";
    let line = "a\tb\x7f\r\nc\u{e4}\n";
    assert_eq!(decoded(&set(text), line).full_log(), "a\tb\x7f\r\nc\u{e4}".as_bytes());
    let strict = DecodeOptions { strip_control: true, ..DecodeOptions::default() };
    assert_eq!(decoded(&set_with(text, strict), line).full_log(), "abc\u{e4}".as_bytes());
}

/// The same line gives the same answer after any other, with the buffers of any other.
#[test]
fn nothing_is_left_of_earlier_lines() {
    let set = set("<decoder name=\"d\"><prematch>^door</prematch>
           <regex>by (\\w+)</regex><order>colour</order></decoder>");
    let lines = ["door by eve", "door", "bell", "Dec 29 10:00:01 host doord: door by eve"];
    let (mut scratch, mut spare) = (DecodeScratch::default(), Box::<Decoded>::default());
    for line in lines.iter().chain(lines.iter().rev()) {
        let fresh = decoded(&set, line);
        let event = fresh.event.clone();
        spare = set.decode(event, &mut scratch, spare);
        assert_eq!(spare.decoder, fresh.decoder);
        assert_eq!(spare.fields.names(), fresh.fields.names());
        assert_eq!(spare.header, fresh.header);
    }
}
