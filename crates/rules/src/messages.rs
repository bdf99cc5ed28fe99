//! What is said about rule files. Places are added by those who report.

use crate::value::{self, ValueError};
use model::diagnostic::nearest;
use model::{Category, Diagnostic, SourceId, Span};
use pattern::PatternError;

/// A value as a message shows it.
fn shown(value: &[u8]) -> String {
    format!("`{}`", value::shown(value))
}

fn suggest(finding: Diagnostic, meant: Option<&str>, otherwise: &str) -> Diagnostic {
    match meant {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None => finding.hint(otherwise),
    }
}

// Files and groups

pub(crate) fn more_findings(source: SourceId, count: usize) -> Diagnostic {
    Diagnostic::warning("more-findings", format!("{count} more findings are not shown"))
        .at(source, Span::default())
        .hint("correct those above first")
}

pub(crate) fn no_rules_in_file() -> Diagnostic {
    Diagnostic::error("no-rules", "the file contains no rules")
        .hint("add a rule, or do not name the file in ossec.conf")
}

pub(crate) fn unknown_element(
    name: &str,
    place: &str,
    wanted: &str,
    meant: Option<&str>,
) -> Diagnostic {
    let finding = Diagnostic::error(
        "unknown-element",
        format!("{} does not belong into {place}", shown(name.as_bytes())),
    );
    suggest(finding, meant, &format!("only <{wanted}> may stand here"))
}

pub(crate) fn empty_group() -> Diagnostic {
    Diagnostic::error("empty-group", "the group contains no rules").hint("add a rule, or remove it")
}

pub(crate) fn unknown_attribute(name: &str, element: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("<{element}> has no attribute {}", shown(name.as_bytes()));
    suggest(Diagnostic::error("unknown-attribute", message), meant, "remove it")
}

pub(crate) fn missing_attribute(element: &str, name: &str) -> Diagnostic {
    let message = format!("<{element}> needs the attribute `{name}`");
    Diagnostic::error("missing-attribute", message).hint(format!("write <{element} {name}=\"…\">"))
}

// Attributes

pub(crate) fn bad_value(name: &str, value: &[u8], wanted: &str) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{name}` is {}, not {wanted}", shown(value)))
        .hint(format!("write {wanted}, without blanks"))
}

pub(crate) fn number_cut(name: &str, value: &[u8], used: &[u8]) -> Diagnostic {
    let message = format!("`{name}` is {}, of which only {} is used", shown(value), shown(used));
    Diagnostic::warning("number-cut", message).hint("write a shorter number")
}

pub(crate) fn noalert_is_on(value: &[u8]) -> Diagnostic {
    let message = format!("`noalert` is on, although its value is {}", shown(value));
    Diagnostic::warning("noalert-value", message).hint("leave the attribute out to turn it off")
}

pub(crate) fn level_99() -> Diagnostic {
    Diagnostic::warning("level-99", "level 99 means level 0: the rule never alerts")
        .hint("write 0 if that is meant, or a level from 1 to 16")
}

pub(crate) fn unusual_level(level: u32) -> Diagnostic {
    Diagnostic::warning("unusual-level", format!("level {level} is above 16, the highest in use"))
        .hint("write a level from 0 to 16")
}

// Options

pub(crate) fn unknown_option(name: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("there is no rule option {}", shown(name.as_bytes()));
    let otherwise = "remove it";
    suggest(Diagnostic::error("unknown-option", message), meant, otherwise)
}

pub(crate) fn rule_without_options() -> Diagnostic {
    Diagnostic::error("empty-rule", "the rule has no options")
        .hint("say at least which events are meant: <if_sid>, <decoded_as> or <category>")
}

pub(crate) fn attribute_ignored(name: &str, option: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("<{option}> does not read an attribute {}", shown(name.as_bytes()));
    suggest(Diagnostic::warning("attribute-ignored", message), meant, "remove it")
}

pub(crate) fn element_ignored(name: &str, option: &str) -> Diagnostic {
    let message =
        format!("<{option}> does not read the element {} inside it", shown(name.as_bytes()));
    Diagnostic::warning("element-ignored", message).hint("write a literal `<` as `\\<`")
}

pub(crate) fn last_one_counts(name: &str) -> Diagnostic {
    let message = format!("`{name}` is written again, and only the last one counts");
    Diagnostic::warning("repeated-option", message)
        .hint("remove the others, or put them into child rules")
}

pub(crate) fn twin_ignored(ignored: &str, used: &str) -> Diagnostic {
    let message = format!("`{ignored}` is not tested, because `{used}` is written too");
    Diagnostic::warning("option-ignored", message)
        .hint("write one of the two, or put the second into a child rule")
}

pub(crate) fn unknown_word(option: &str, value: &[u8], words: &[&str]) -> Diagnostic {
    let message = format!("`{option}` does not know {}", shown(value));
    let finding = Diagnostic::error("unknown-word", message);
    match_word(finding, value, words)
}

/// Hints at the word that was meant, or lists all.
fn match_word(finding: Diagnostic, value: &[u8], words: &[&str]) -> Diagnostic {
    let text = String::from_utf8_lossy(value);
    let trimmed = text.trim();
    if trimmed.len() != text.len() && words.contains(&trimmed) {
        return finding.hint("leave out the blanks around it");
    }
    match nearest(trimmed, words.iter().copied()) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None if words.is_empty() => finding.hint("remove it"),
        None => finding.hint(format!("it knows {}", words.join(", "))),
    }
}

pub(crate) fn needs_correlation(name: &str) -> Diagnostic {
    let message = format!("`{name}` has nothing to count");
    Diagnostic::error("needs-correlation", message)
        .hint("add if_matched_sid, if_matched_group or if_matched_regex")
}

pub(crate) fn not_same_alone(name: &str) -> Diagnostic {
    Diagnostic::warning("without-effect", format!("`{name}` has nothing to count"))
        .hint("add if_matched_sid, if_matched_group or if_matched_regex")
}

pub(crate) fn one_kind_of_counting() -> Diagnostic {
    let message = "a rule counts one kind of events, and another kind is written before";
    Diagnostic::warning("option-ignored", message)
        .hint("if_matched_sid goes before if_matched_group, and that before if_matched_regex")
}

pub(crate) fn level_zero_options() -> Diagnostic {
    let message = "the option has no effect, because rules of level 0 never alert";
    Diagnostic::warning("without-effect", message).hint("remove it, or give the rule a level")
}

pub(crate) fn mail_without_log() -> Diagnostic {
    let message = "no mail will be sent, because mail is made from the alert log and `no_log` \
                   keeps the alert out of it";
    Diagnostic::warning("without-effect", message).hint("write one of the two")
}

pub(crate) fn groups_joined(last: &str, first: &str) -> Diagnostic {
    let message = format!(
        "the groups {} and {} become one word",
        shown(last.as_bytes()),
        shown(first.as_bytes())
    );
    Diagnostic::warning("groups-joined", message)
        .hint("end the name of the enclosing group in a comma")
}

pub(crate) fn too_many_infos(max: usize) -> Diagnostic {
    let message = format!("only the first {max} entries of info and cve are kept");
    Diagnostic::warning("too-many-infos", message).hint("remove or join some")
}

pub(crate) fn unknown_info_type(value: &[u8], words: &[&str]) -> Diagnostic {
    let message = format!("info has no type {}; it is taken as text", shown(value));
    match_word(Diagnostic::warning("unknown-info-type", message), value, words)
}

// Patterns and values

pub(crate) fn bad_pattern(option: &str, error: PatternError) -> Diagnostic {
    Diagnostic::error("bad-pattern", format!("`{option}`: {}", error.message))
        .hint(error.hint.unwrap_or_else(|| "correct the pattern, or remove the option".to_owned()))
}

pub(crate) fn bad_option(option: &str, error: ValueError) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{option}`: {}", error.message)).hint(error.hint)
}

pub(crate) fn pattern_too_long(option: &str, length: usize) -> Diagnostic {
    let max = model::limits::PATTERN_BYTES_MAX;
    let message = format!("`{option}` has {length} bytes, more than {max}");
    Diagnostic::error("pattern-too-long", message).hint("split it into several rules")
}

pub(crate) fn leading_catch_all(start: &str) -> Diagnostic {
    let message = format!("the pattern begins with `{start}`, which costs time on every line");
    Diagnostic::warning("leading-catch-all", message)
        .hint("leave it out: a pattern is searched everywhere unless it begins with `^`")
}

pub(crate) fn unknown_decoder<'a>(
    name: &[u8],
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let finding =
        Diagnostic::error("unknown-decoder", format!("there is no decoder {}", shown(name)));
    let text = String::from_utf8_lossy(name);
    let otherwise = "name one of the decoder files, or add the file to <rules> in ossec.conf";
    suggest(finding, nearest(text.trim(), known), otherwise)
}

pub(crate) fn decoder_left_out(name: &[u8]) -> Diagnostic {
    let message = format!("left out: decoder {} is not known after errors", shown(name));
    Diagnostic::warning("decoder-left-out", message)
        .hint("correct the errors in the decoder files first")
}

pub(crate) fn unknown_list(name: &[u8], known: &[&str]) -> Diagnostic {
    let message = format!("no list {} is configured", shown(name));
    let finding = Diagnostic::error("unknown-list", message);
    if known.is_empty() {
        return finding.hint("add it as <list> to <rules> in ossec.conf");
    }
    match_word(finding, name, known)
}

pub(crate) fn check_value_missing(lookup: &str) -> Diagnostic {
    let message = format!("the lookup {lookup} needs the attribute `check_value`");
    Diagnostic::error("missing-attribute", message)
        .hint("it holds the pattern that the value must match")
}

pub(crate) fn check_value_unused(lookup: &str) -> Diagnostic {
    let message = format!("the lookup {lookup} does not read `check_value`");
    Diagnostic::warning("attribute-ignored", message).hint("use one that ends in _value")
}

pub(crate) fn field_without_name() -> Diagnostic {
    Diagnostic::error("missing-attribute", "<field> needs the attribute `name`")
        .hint("<field name=\"…\"> names a field that a decoder sets")
}

pub(crate) fn static_field(name: &str, option: Option<&str>) -> Diagnostic {
    let message = format!("`{name}` is no dynamic field, so the condition never holds");
    let finding = Diagnostic::warning("never-matches", message);
    match option {
        Some(option) => finding.hint(format!("use <{option}>")),
        None => finding.hint("no option tests it; match the log instead"),
    }
}

// Places

pub(crate) fn if_sid_joined() -> Diagnostic {
    let message = "the ids of two `if_sid` are joined without a separator";
    Diagnostic::warning("repeated-option", message)
        .hint("list all ids in one `if_sid`, separated by commas")
}

pub(crate) fn not_an_id_list(wrong: u8) -> Diagnostic {
    let message = format!("`if_sid` contains {}, which is no id", shown(&[wrong]));
    Diagnostic::error("bad-value", message).hint("separate ids by commas, on one line")
}

pub(crate) fn id_listed_twice(id: u32) -> Diagnostic {
    Diagnostic::warning("repeated-id", format!("rule {id} is listed twice")).hint("leave one out")
}

pub(crate) fn if_sid_empty() -> Diagnostic {
    Diagnostic::error("bad-value", "`if_sid` names no rule").hint("write the id of a rule")
}

pub(crate) fn trailing_separator() -> Diagnostic {
    Diagnostic::warning("trailing-separator", "nothing follows the last separator of `if_sid`")
        .hint("leave it out")
}

pub(crate) fn duplicate_rule(id: u32, first: Option<String>) -> Diagnostic {
    let place = first.map(|first| format!(" (first in {first})")).unwrap_or_default();
    Diagnostic::error("duplicate-rule", format!("rule {id} is defined twice{place}"))
        .hint("choose another id, or say overwrite=\"yes\"")
}

/// A rule that nobody defines; `meant` is one that somebody does.
pub(crate) fn unknown_rule(option: &str, id: u32, meant: Option<u32>) -> Diagnostic {
    let message = format!("`{option}` names rule {id}, which does not exist");
    suggest_id(Diagnostic::error("unknown-rule", message), meant)
}

fn suggest_id(finding: Diagnostic, meant: Option<u32>) -> Diagnostic {
    match meant {
        Some(meant) => finding.hint(format!("did you mean {meant}?")),
        None => {
            finding.hint("correct the id, or add the file of that rule to <rules> in ossec.conf")
        }
    }
}

pub(crate) fn names_itself(option: &str, id: u32) -> Diagnostic {
    Diagnostic::error("unknown-rule", format!("`{option}` of rule {id} names the rule itself"))
        .hint("name an earlier rule")
}

pub(crate) fn rule_comes_later(option: &str, id: u32, place: Option<String>) -> Diagnostic {
    let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
    let message = format!("`{option}` names rule {id}, which is loaded later{place}");
    Diagnostic::error("rule-order", message).hint("move it before this rule")
}

pub(crate) fn left_out_with(id: u32, other: u32) -> Diagnostic {
    let message = format!("rule {id} is left out too, because rule {other} is");
    Diagnostic::warning("left-out", message).hint(format!("correct rule {other} first"))
}

pub(crate) fn left_out_unread(id: u32, other: u32) -> Diagnostic {
    let message = format!("rule {id} is left out, because rule {other} was not read");
    Diagnostic::warning("left-out", message)
        .hint("it may stand in a file that could not be read to its end")
}

pub(crate) fn left_out_group(id: u32, pattern: &[u8]) -> Diagnostic {
    let message = format!("rule {id} is left out too, because all rules of {} are", shown(pattern));
    Diagnostic::warning("left-out", message).hint("correct those rules first")
}

pub(crate) fn parent_left_out(id: u32, other: u32) -> Diagnostic {
    let message = format!("rule {id} does not hang below rule {other}, which is left out");
    Diagnostic::warning("left-out", message).hint(format!("correct rule {other} first"))
}

pub(crate) fn no_rule_in_group<'a>(
    option: &str,
    pattern: &[u8],
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let message = format!("`{option}`: no earlier rule has a group that fits {}", shown(pattern));
    let finding = Diagnostic::error("unknown-group", message);
    let meant = nearest(&String::from_utf8_lossy(pattern), known).map(str::to_owned);
    let otherwise = "correct the group, or move the rule behind those that have it";
    suggest(finding, meant.as_deref(), otherwise)
}

pub(crate) fn no_rule_of_level(level: u32) -> Diagnostic {
    let message = format!("`if_level`: no earlier rule has level {level} or more");
    Diagnostic::error("no-parent", message)
        .hint("write a lower level, or move the rule behind those that have it")
}

pub(crate) fn if_level_zero() -> Diagnostic {
    let message = "the rule is left out, because `if_level` 0 means nothing";
    Diagnostic::warning("if-level-zero", message).hint("write a level from 1 to 16")
}

pub(crate) fn no_template(category: Category) -> Diagnostic {
    let word = category.word();
    let message = format!("no template for rules of category {word} is loaded");
    Diagnostic::error("no-template", message)
        .hint("load rules_config.xml before all other rule files")
}

pub(crate) fn overwrites_nothing(id: u32, meant: Option<u32>) -> Diagnostic {
    let message = format!("there is no rule {id} to overwrite");
    suggest_id(Diagnostic::error("unknown-rule", message), meant)
}

pub(crate) fn overwrite_left_out(id: u32) -> Diagnostic {
    let message = format!("the overwrite of rule {id} is left out too, because the rule is");
    Diagnostic::warning("left-out", message).hint(format!("correct rule {id} first"))
}

pub(crate) fn overwrite_keeps_place(option: &str, id: u32) -> Diagnostic {
    let message = format!("`{option}` is not used: rule {id} stays where it was defined");
    Diagnostic::warning("overwrite-keeps-place", message)
        .hint("an overwrite changes what a rule tests and tells, not below which rules it is tried")
}

pub(crate) fn too_deep(id: u32, max: usize) -> Diagnostic {
    let message = format!("rule {id} hangs more than {max} rules deep");
    Diagnostic::error("too-deep", message).hint("hang it below a higher rule")
}

pub(crate) fn too_many_places(id: u32, max: u64) -> Diagnostic {
    let message = format!("rule {id} hangs in more than {max} places");
    Diagnostic::error("too-many-places", message).hint("name fewer or higher rules as its parents")
}

pub(crate) fn category_ignored(written: Category, parent: u32, used: Category) -> Diagnostic {
    let message = format!(
        "category {} is not used: rule {parent} above it is of category {}",
        written.word(),
        used.word()
    );
    Diagnostic::warning("option-ignored", message).hint("remove it, or name another parent")
}

// Lint

pub(crate) fn no_description(id: u32) -> Diagnostic {
    Diagnostic::warning("no-description", format!("rule {id} has no description"))
        .hint("add <description>: alerts show it")
}

pub(crate) fn decoder_not_reported(id: u32, name: &str) -> Diagnostic {
    let message =
        format!("rule {id} can never match: events carry the name of `{name}`'s parent decoder");
    Diagnostic::warning("never-matches", message)
        .hint("name the parent, or give the decoder <use_own_name>true</use_own_name>")
}

pub(crate) fn decoder_of_other_category(id: u32, name: &str, category: Category) -> Diagnostic {
    let message = format!(
        "rule {id} can never match: it is tried for events of category {}, and decoder `{name}` \
         makes none",
        category.word()
    );
    Diagnostic::warning("never-matches", message)
        .hint("give the decoder that <type>, or hang the rule below one of its category")
}

pub(crate) fn contradicts_parents(id: u32, what: &str) -> Diagnostic {
    let message = format!("rule {id} can never match: the rules above it want another {what}");
    Diagnostic::warning("never-matches", message).hint("hang it below another rule")
}

pub(crate) fn noalert_leaf(id: u32) -> Diagnostic {
    let message = format!("rule {id} never fires: it is `noalert` and has no rules below it");
    Diagnostic::warning("never-matches", message).hint("remove `noalert`, or the rule")
}

pub(crate) fn counts_nothing(id: u32, what: &str) -> Diagnostic {
    let message = format!("rule {id} can never match: {what} never alerts, so nothing is counted");
    Diagnostic::warning("never-matches", message)
        .hint("give what is counted a level, or count something else")
}

pub(crate) fn shadowed(id: u32, by: u32) -> Diagnostic {
    let message =
        format!("rule {id} can never match: rule {by} is tried before it and wants no more");
    Diagnostic::warning("shadowed", message)
        .hint(format!("hang it below rule {by}, or give it a higher level"))
}
