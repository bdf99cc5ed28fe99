//! About elements that do not go together.

use model::Diagnostic;

use super::{shown, suggest};

// Mail and what is sent by it.

pub(crate) fn mail_lacks(name: &str, example: &str) -> Diagnostic {
    let message = format!("mail is on, but <global> has no <{name}>");
    Diagnostic::error("mail-incomplete", message).hint(format!(
        "add one such as <{name}>{example}</{name}>, or write \
         <email_notification>no</email_notification>"
    ))
}

pub(crate) fn login_lacks(name: &str) -> Diagnostic {
    Diagnostic::error("mail-incomplete", format!("<auth_smtp> is on, but there is no <{name}>"))
        .hint(format!("add <{name}> to <global>, or write <auth_smtp>no</auth_smtp>"))
}

pub(crate) fn no_condition(names: &[&str]) -> Diagnostic {
    Diagnostic::error("no-condition", "<email_alerts> does not say which alerts are meant")
        .hint(format!("add one of {}; or put the address into <global>", names.join(", ")))
}

pub(crate) fn report_without_recipient() -> Diagnostic {
    Diagnostic::warning("no-recipient", "the report is sent to nobody and is not made")
        .hint("add <email_to>ops@example.org</email_to> to it")
}

pub(crate) fn report_without_mail(name: &str) -> Diagnostic {
    Diagnostic::warning("no-recipient", format!("reports cannot be sent: there is no <{name}>"))
        .hint(format!("add <{name}> to <global>"))
}

// Active response.

pub(crate) fn unknown_command(name: &str, meant: Option<&str>) -> Diagnostic {
    let finding =
        Diagnostic::error("unknown-command", format!("there is no command `{}`", shown(name)));
    suggest(
        finding,
        meant.map(|meant| format!("`{meant}`")),
        "add a <command> section with this <name>",
    )
}

pub(crate) fn command_repeated(name: &str) -> Diagnostic {
    let message = format!("there is a command `{}` before", shown(name));
    Diagnostic::warning("command-repeated", message)
        .hint("the first one is used; rename or remove this one")
}

pub(crate) fn timeout_not_allowed(command: &str) -> Diagnostic {
    let command = shown(command);
    let message = format!("`{command}` cannot be undone, so it can have no <timeout>");
    Diagnostic::error("timeout-not-allowed", message).hint(format!(
        "write <timeout_allowed>yes</timeout_allowed> into the <command> `{command}`, or remove \
         <timeout>"
    ))
}

pub(crate) fn no_agent_id() -> Diagnostic {
    Diagnostic::error("no-agent-id", "`defined-agent` does not say which agent")
        .hint("add <agent_id>001</agent_id>, or another <location>")
}

pub(crate) fn response_without_condition() -> Diagnostic {
    Diagnostic::warning("response-without-condition", "no rule leads to this response")
        .hint("add <level>, <rules_id> or <rules_group>")
}

// Listeners.

pub(crate) fn secure_repeated() -> Diagnostic {
    Diagnostic::error("secure-repeated", "there is a listener for agents before")
        .hint("only one <remote> may have <connection>secure</connection>; remove the others")
}

pub(crate) fn listener_repeated(port: u16, protocol: &str) -> Diagnostic {
    let message = format!("there is a listener on {protocol} port {port} before");
    Diagnostic::error("listener-repeated", message)
        .hint("give each <remote> its own <port>, <protocol> or <local_ip>")
}

pub(crate) fn no_allowed_ips() -> Diagnostic {
    Diagnostic::warning("no-allowed-ips", "nobody may send to this listener: it is not opened")
        .hint("add <allowed-ips>192.0.2.0/24</allowed-ips> to it, or remove it")
}

// Other outputs.

pub(crate) fn tls_over_udp() -> Diagnostic {
    Diagnostic::error("tls-over-udp", "<tls> does not go with <protocol>udp</protocol>")
        .hint("remove <protocol>, or write `tcp`")
}

pub(crate) fn no_frequency() -> Diagnostic {
    Diagnostic::error("no-frequency", "a `periodic` check needs a <frequency> above 0")
        .hint("write the seconds between checks, as in <frequency>3600</frequency>")
}

// What is watched.

pub(crate) fn no_location() -> Diagnostic {
    Diagnostic::error("missing-element", "<localfile> lacks <location>")
        .hint("add one such as <location>/var/log/messages</location>")
}

pub(crate) fn format_without_command(format: &str) -> Diagnostic {
    let message = format!("<log_format> is `{format}`, but there is no <command>");
    Diagnostic::error("missing-element", message)
        .hint("add one such as <command>df -P</command>, or choose another format")
}

pub(crate) fn path_repeated(path: &str) -> Diagnostic {
    Diagnostic::warning("path-repeated", format!("`{}` is named before", shown(path)))
        .hint("the first one counts; remove this one")
}

pub(crate) fn directories_without_checks() -> Diagnostic {
    Diagnostic::error("no-checks", "<directories> does not say what is checked")
        .hint("write <directories check_all=\"yes\">")
}

pub(crate) fn nothing_checked() -> Diagnostic {
    Diagnostic::error("no-checks", "the attributes of <directories> leave nothing to check")
        .hint("let at least one `check_…` be `yes`")
}

// agent.conf

pub(crate) fn remote_command(what: &str) -> Diagnostic {
    Diagnostic::warning("remote-command", format!("the command `{}` is not run", shown(what))).hint(
        "commands from agent.conf run where local_internal_options.conf says \
             logcollector.remote_commands=1",
    )
}
