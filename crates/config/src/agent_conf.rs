//! `agent.conf`: what a server wants its agents to watch.
//!
//! A file has blocks, each for the agents that fit all its attributes. A block adds to an agent's
//! own `ossec.conf` or overrides it, as a later section of that file would.

use model::{Diagnostic, SourceId};
use osxml::Element;

use crate::findings::{File, Findings};
use crate::messages;
use crate::ossec_conf::{OssecConf, known_sections, of_kind};
use crate::section;
use crate::sections::{self, Section};
use crate::spanned::{Place, Spanned};

/// The root element; a file has one for each block.
pub const ROOT: &str = "agent_config";

const ATTRIBUTES: &[&str] = &["name", "os", "profile", "overwrite"];

/// All blocks, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentConf {
    pub blocks: Vec<AgentBlock>,
    source: SourceId,
}

/// One block: whom it is for, and sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentBlock {
    /// OS_Match on the agent's name.
    pub name: Option<Spanned<String>>,
    /// OS_Match on the description of its system.
    pub os: Option<Spanned<String>>,
    /// OS_Match on the whole text of its `config-profile`.
    pub profile: Option<Spanned<String>>,
    pub at: Place,
    sections: Vec<Element>,
}

/// What an agent says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentFacts<'a> {
    pub name: Option<&'a str>,
    /// `SYSTEM NODE RELEASE VERSION MACHINE - OSSEC HIDS VERSION`.
    pub os: &'a str,
    /// The text of `config-profile`.
    pub profile: Option<&'a str>,
}

/// Whether an agent runs commands that its server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteCommands {
    Accept,
    Refuse,
}

/// Reads the file. A block with a mistake in it is kept, without what is wrong; a file that is not
/// well-formed has no blocks.
pub fn read(source: SourceId, text: &[u8]) -> (AgentConf, Vec<Diagnostic>) {
    let mut conf = AgentConf { blocks: Vec::new(), source };
    let parsed = osxml::parse(source, text);
    let usable = parsed.is_usable();
    let mut findings = Findings::new(source, File::AgentConf, parsed.diagnostics);
    for root in parsed.elements {
        if root.name != ROOT {
            findings.add(messages::unknown_root(&root.name, ROOT), &root);
            continue;
        }
        section::container(&root, ATTRIBUTES, &mut findings);
        let found = known_sections(&root, &mut findings);
        for (_, element) in found.iter().filter(|(kind, _)| !kind.for_agents) {
            findings.add(messages::not_for_agents(&element.name), element);
        }
        // Each block alone: others may be for other agents.
        read_sections(&found, &mut OssecConf::default(), &mut findings);
        if usable {
            conf.blocks.push(AgentBlock::new(source, root));
        }
    }
    (conf, findings.into_list())
}

impl AgentConf {
    /// Puts what is meant for an agent into its configuration. The findings are about commands that
    /// are refused; all others come from [`read`].
    pub fn apply(
        &self,
        agent: &AgentFacts<'_>,
        commands: RemoteCommands,
        conf: &mut OssecConf,
    ) -> Vec<Diagnostic> {
        let own = conf.localfiles.len();
        let blocks = self.blocks.iter().filter(|block| block.applies_to(agent));
        let found: Vec<(&Section, &Element)> = blocks
            .flat_map(|block| &block.sections)
            .filter_map(|element| Some((kind_of(element)?, element)))
            .collect();
        let mut told_already = Findings::new(self.source, File::AgentConf, Vec::new());
        read_sections(&found, conf, &mut told_already);
        match commands {
            RemoteCommands::Accept => Vec::new(),
            RemoteCommands::Refuse => {
                let mut findings = Findings::new(self.source, File::AgentConf, Vec::new());
                refuse_commands(own, conf, &mut findings);
                findings.into_list()
            }
        }
    }
}

impl AgentBlock {
    fn new(source: SourceId, root: Element) -> Self {
        let selector = |name: &str| {
            let attribute = root.attributes.iter().find(|attribute| attribute.name == name)?;
            let at = (source, attribute.value_span);
            Some(Spanned { value: attribute.text().into_owned(), at })
        };
        Self {
            name: selector("name"),
            os: selector("os"),
            profile: selector("profile"),
            at: (source, root.name_span),
            sections: root.children,
        }
    }

    /// Whether a block is for an agent: all attributes that it has fit.
    ///
    /// compat: a pattern is found anywhere in the agent's text, so `web` is for `web01` too, and a
    /// list of profiles fits only an agent that has this list; write `a|b` for either. Fixed: what an
    /// agent does not say of itself fits nothing.
    pub fn applies_to(&self, agent: &AgentFacts<'_>) -> bool {
        let fits = |selector: &Option<Spanned<String>>, fact: Option<&str>| match selector {
            Some(pattern) => fact.is_some_and(|fact| os_match(pattern, fact)),
            None => true,
        };
        fits(&self.name, agent.name)
            && fits(&self.os, Some(agent.os))
            && fits(&self.profile, agent.profile)
    }
}

fn kind_of(element: &Element) -> Option<&'static Section> {
    sections::ALL.iter().find(|kind| kind.name == element.name && kind.for_agents)
}

fn read_sections(found: &[(&Section, &Element)], conf: &mut OssecConf, findings: &mut Findings) {
    for kind in sections::ALL.iter().filter(|kind| kind.for_agents) {
        (kind.read)(&of_kind(kind.name, found), conf, findings);
    }
}

/// Removes the commands after an agent's own entries.
fn refuse_commands(own: usize, conf: &mut OssecConf, findings: &mut Findings) {
    let mut index = 0;
    conf.localfiles.retain(|localfile| {
        index += 1;
        let command = localfile.command.as_deref().filter(|_| index > own);
        if let Some(command) = command {
            findings.add_to(messages::remote_command(command), localfile.at);
        }
        command.is_none()
    });
}

/// OSSEC's smallest pattern language: alternatives between `|`, each found anywhere unless `^` or
/// `$` binds it to an end, whatever the case. Everything else means itself.
fn os_match(pattern: &str, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    pattern.to_ascii_lowercase().split('|').any(|alternative| {
        let (at_start, rest) = strip(alternative, alternative.strip_prefix('^'));
        let (at_end, word) = strip(rest, rest.strip_suffix('$'));
        match (at_start, at_end) {
            (true, true) => text == word,
            (true, false) => text.starts_with(word),
            (false, true) => text.ends_with(word),
            (false, false) => text.contains(word),
        }
    })
}

fn strip<'a>(whole: &'a str, stripped: Option<&'a str>) -> (bool, &'a str) {
    (stripped.is_some(), stripped.unwrap_or(whole))
}
