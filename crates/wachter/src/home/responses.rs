//! What is doubtful about active responses: programs that are not there.

use std::path::Path;

use model::Diagnostic;
use respond::actions::for_executable;
use respond::responder::Files;
use respond::script;
use respond::webhook::is_webhook;

use super::{Settings, messages};
use crate::roles::execd::is_restart;

/// Responses whose program can be neither built in nor run.
pub(super) fn lint(home: &Path, settings: &Settings) -> Vec<Diagnostic> {
    let conf = &settings.conf;
    if conf.active_responses.disabled {
        return Vec::new();
    }
    let bin = Files::of(home).bin;
    let has_webhook = settings.ours.webhook.url.is_some();
    let mut findings = Vec::new();
    for section in conf.active_responses.list.iter().filter(|section| !section.disabled) {
        let named = |name: &String| *name == section.command.value;
        let Some(command) = conf.commands.iter().find(|it| named(&it.name.value)) else { continue };
        let executable = &command.executable.value;
        let is_built_in = for_executable(executable).is_some()
            || is_restart(executable)
            || (has_webhook && is_webhook(executable));
        if is_built_in {
            continue;
        }
        if let Err(error) = script::find(&bin, executable) {
            let (source, span) = section.command.at;
            findings.push(messages::no_program(&error).at(source, span));
        }
    }
    findings
}
