//! About internal_options.conf and wachter.toml.

use model::Diagnostic;

use super::{one_of, quoted, shown, suggest};

// internal_options.conf

pub(crate) fn not_an_option(text: &str) -> Diagnostic {
    Diagnostic::warning("not-an-option", format!("`{}` is no option", shown(text)))
        .hint("write section.name=number, or # in front of a comment")
}

pub(crate) fn blank_in_option(key: &str) -> Diagnostic {
    let message = format!("`{}` has blanks around it and is not found", shown(key));
    Diagnostic::warning("blank-in-option", message).hint("write section.name=number without blanks")
}

pub(crate) fn unknown_option(key: &str, meant: Option<&str>) -> Diagnostic {
    let finding =
        Diagnostic::warning("unknown-option", format!("there is no option `{}`", shown(key)));
    suggest(finding, meant.map(|meant| format!("`{meant}`")), "it is not read; remove it")
}

pub(crate) fn option_repeated(key: &str) -> Diagnostic {
    Diagnostic::warning("option-repeated", format!("`{key}` is given before"))
        .hint("the first one counts; remove one of them")
}

pub(crate) fn option_out_of_range(key: &str, value: &str, min: u32, max: u32) -> Diagnostic {
    let message = format!("`{key}` is a number from {min} to {max}, not {}", quoted(value));
    Diagnostic::error("bad-number", message).hint("digits only, without blanks")
}

// wachter.toml

pub(crate) fn not_toml(why: &str) -> Diagnostic {
    Diagnostic::error("not-toml", shown(why)).hint("see https://toml.io for the syntax")
}

pub(crate) fn toml_not_utf8() -> Diagnostic {
    Diagnostic::error("not-text", "the file is not UTF-8").hint("save the file as UTF-8")
}

/// `table`: where the key stands, empty at the top.
pub(crate) fn unknown_key(key: &str, table: &str, meant: Option<&str>) -> Diagnostic {
    let place = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
    let message = format!("there is no setting `{}`{place}", shown(key));
    let finding = Diagnostic::error("unknown-key", message);
    suggest(finding, meant.map(|meant| format!("`{meant}`")), "remove it")
}

pub(crate) fn not_a_table(name: &str) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{name}` is a table of settings"))
        .hint(format!("write [{name}] on a line of its own, and the settings below it"))
}

pub(crate) fn bad_compat(known: &[&str]) -> Diagnostic {
    let known: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
    let message = format!("`compat` is {}", known.join(" or "));
    Diagnostic::error("bad-value", message).hint("\"strict\" means: as OSSEC, its faults included")
}

pub(crate) fn bad_integer(key: &str, min: u64, max: u64, unit: &str) -> Diagnostic {
    let message = format!("`{key}` is a number from {min} to {max}");
    Diagnostic::error("bad-value", message)
        .hint(format!("write {unit} without quotes, as in `{key} = {}`", min.max(1)))
}

pub(crate) fn bad_listener(key: &str) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{key}` is an address with a port"))
        .hint(format!("write {key} = \"127.0.0.1:9184\""))
}

pub(crate) fn listener_not_local(key: &str) -> Diagnostic {
    let message = format!("`{key}` must be an address of this machine alone");
    Diagnostic::error("not-loopback", message).hint(format!(
        "write {} with a port; whoever needs it elsewhere puts a server with a login before it",
        one_of(&["127.0.0.1", "[::1]"])
    ))
}

pub(crate) fn bad_word(key: &str, known: &[&str]) -> Diagnostic {
    let quoted: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
    Diagnostic::error("bad-value", format!("`{key}` is {}", quoted.join(" or ")))
        .hint("write one of them, in quotes")
}

pub(crate) fn bad_boolean(key: &str) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{key}` is true or false"))
        .hint(format!("write `{key} = true`, without quotes"))
}

pub(crate) fn bad_name(key: &str, bytes_max: usize) -> Diagnostic {
    let message = format!("`{key}` is a name of letters, digits and `._-`, {bytes_max} at most");
    Diagnostic::error("bad-value", message).hint(format!("write {key} = \"a-name\""))
}

pub(crate) fn bad_names(key: &str) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{key}` is a list of names"))
        .hint(format!("write {key} = [\"host-deny\", \"firewall-drop\"]"))
}

pub(crate) fn bad_path(key: &str) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{key}` is the whole path of a file"))
        .hint(format!("write {key} = \"/etc/…\""))
}

pub(crate) fn bad_gateway() -> Diagnostic {
    Diagnostic::error("bad-value", "`at` says where the gateway is")
        .hint("write \"here\", \"namespace:NAME\", \"container:NAME\" or \"ssh:USER@HOST\"")
}

pub(crate) fn bad_url(key: &str) -> Diagnostic {
    Diagnostic::error("bad-value", format!("`{key}` is an address of the web"))
        .hint(format!("write {key} = \"https://hooks.example.org/…\""))
}
