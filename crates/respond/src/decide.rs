//! Which responses does an alert lead to, and against whom?
//!
//! A [`Decider`] is made from the configuration. What an attacker wrote is looked at here for the
//! first time: what is no address, user or file name that may be acted against gives a [`Refusal`]
//! instead of an order. Whoever acts looks again, with what only they can know.

use std::collections::HashMap;

use config::sections::{ActiveResponse, Command, Expect};
use config::{OssecConf, Place as ConfPlace};
use model::limits::LOCATION_BYTES_MAX;
use pattern::{Language, PatternId, PatternSet, Scratch};

use crate::allow::AllowList;
use crate::ar_conf::Responses;
use crate::order::{AlertId, Cause, Order, Place, why};
use crate::target::{FileName, Net, NoTarget, Target, User};

/// Rules of which it is remembered which responses they have.
const RULES_MAX: usize = 100_000;

/// An alert, as far as responses depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offence<'a> {
    pub alert: AlertId,
    pub rule: u32,
    pub level: u16,
    /// The rule's groups, as written.
    pub groups: &'a str,
    /// The rule has the option `no_ar`.
    pub no_response: bool,
    pub srcip: Option<&'a [u8]>,
    pub srcuser: Option<&'a [u8]>,
    pub dstuser: Option<&'a [u8]>,
    pub filename: Option<&'a [u8]>,
    pub location: &'a [u8],
    /// Whether an agent sent the event.
    pub from_agent: bool,
    pub line: &'a [u8],
}

/// What follows from an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Act(Order),
    Refuse(Refusal),
}

/// A response that is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub command: String,
    pub why: Reason,
    /// What stood where a target should be, as it came: escape it before you show it.
    pub text: Vec<u8>,
}

/// Why a response is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// Nothing stands where the command expects something.
    #[error("the event does not say against whom")]
    Missing,
    #[error(transparent)]
    NoTarget(#[from] NoTarget),
    #[error("on the allow list")]
    Allowed,
    #[error("not a response of this configuration")]
    Unknown,
    #[error("too many new blocks in a minute")]
    OverLimit,
    #[error("too many blocks")]
    Full,
}

impl Reason {
    /// OSSEC's number of the message; 0 for those that it does not have.
    pub fn code(self) -> u16 {
        match self {
            Self::NoTarget(NoTarget::Address | NoTarget::Special | NoTarget::TooWide) => 1271,
            Self::NoTarget(NoTarget::User) => 1272,
            Self::NoTarget(NoTarget::FileName)
            | Self::Missing
            | Self::Allowed
            | Self::OverLimit
            | Self::Full => 0,
            Self::Unknown => 1311,
        }
    }
}

/// Knows the responses of a configuration.
pub struct Decider {
    responses: Vec<Bound>,
    /// By rule: which of `responses` it has.
    rules: HashMap<u32, Box<[u16]>>,
    patterns: PatternSet,
    scratch: Scratch,
    allow: AllowList,
    /// Sections that cannot be used: their place, and why.
    pub unusable: Vec<(ConfPlace, String)>,
}

/// A response with its command.
struct Bound {
    section: ActiveResponse,
    group: Option<PatternId>,
    command: Command,
    name: String,
}

impl Decider {
    /// The responses of a configuration, and who is never acted against.
    pub fn new(conf: &OssecConf, allow: AllowList) -> Self {
        let mut decider = Self {
            responses: Vec::new(),
            rules: HashMap::new(),
            patterns: PatternSet::default(),
            scratch: Scratch::default(),
            allow,
            unusable: Vec::new(),
        };
        // Those that come out here can be found again by whoever acts.
        let named = Responses::of(conf);
        let sections = &conf.active_responses.list;
        for section in sections.iter().filter(|section| !section.disabled) {
            let name = &section.command.value;
            let command = conf.commands.iter().find(|command| command.name.value == *name);
            let timeout = section.timeout.as_ref().map_or(0, |timeout| timeout.value);
            let known = command.and_then(|command| {
                let timeout = if command.timeout_allowed { timeout } else { 0 };
                let name = format!("{name}{timeout}");
                named.named(&name).next().map(|response| (command, response.name.clone()))
            });
            if let Some((command, name)) = known {
                decider.add(section, command, name);
            }
        }
        decider
    }

    /// Whether there is any response at all.
    pub fn is_empty(&self) -> bool {
        self.responses.is_empty()
    }

    /// Who is not acted against from now on.
    pub fn allow(&mut self, allow: AllowList) {
        self.allow = allow;
    }

    /// The responses to an alert, in the order of the configuration.
    pub fn decide<'a>(
        &'a mut self,
        offence: &'a Offence<'a>,
    ) -> impl Iterator<Item = Decision> + use<'a> {
        if !self.rules.contains_key(&offence.rule) {
            if self.rules.len() >= RULES_MAX {
                self.rules.clear();
            }
            let bound = self.bind(offence);
            self.rules.insert(offence.rule, bound);
        }
        let bound = self.rules.get(&offence.rule).map(|bound| &**bound).unwrap_or_default();
        let responses = bound.iter().filter_map(|&index| self.responses.get(usize::from(index)));
        let allow = &self.allow;
        responses.flat_map(move |response| response.decide(offence, allow))
    }

    fn add(&mut self, section: &ActiveResponse, command: &Command, name: String) {
        let compiled = section.rules_group.as_ref().map(|group| {
            let id = self.patterns.compile(Language::Regex, group.value.as_bytes());
            id.map_err(|error| (group.at, error.to_string()))
        });
        let group = match compiled.transpose() {
            Ok(group) => group,
            Err(unusable) => {
                self.unusable.push(unusable);
                None
            }
        };
        self.responses.push(Bound {
            section: section.clone(),
            group,
            command: command.clone(),
            name,
        });
    }

    /// compat: one of level, id and group is enough; a rule of level 0 has no response.
    fn bind(&mut self, offence: &Offence<'_>) -> Box<[u16]> {
        if offence.level == 0 || offence.no_response {
            return Box::default();
        }
        let Self { responses, patterns, scratch, .. } = self;
        scratch.begin_event();
        let mut fits = |Bound { section, group, .. }: &Bound| {
            section.level.is_some_and(|level| level > 0 && offence.level >= level)
                || section.rules_id.contains(&offence.rule)
                || group.is_some_and(|id| patterns.is_match(id, offence.groups.as_bytes(), scratch))
        };
        let indexes = (0_u16..).zip(responses).filter(|(_, bound)| fits(bound));
        indexes.map(|(index, _)| index).collect()
    }
}

impl Bound {
    fn decide(&self, offence: &Offence<'_>, allow: &AllowList) -> Vec<Decision> {
        let target = match target(self.command.expect, offence, allow) {
            Ok(target) => target,
            Err((why, text)) => {
                let command = self.command.name.value.clone();
                return vec![Decision::Refuse(Refusal { command, why, text: text.to_vec() })];
            }
        };
        let cause = Cause {
            alert: offence.alert,
            rule: offence.rule,
            level: offence.level,
            location: offence
                .location
                .get(..LOCATION_BYTES_MAX)
                .unwrap_or(offence.location)
                .to_vec(),
            line: why(offence.line),
        };
        let order = |place| {
            let (target, cause) = (target.clone(), cause.clone());
            Decision::Act(Order { response: self.name.clone(), place, target, cause })
        };
        self.places(offence.from_agent).into_iter().map(order).collect()
    }

    /// All places that are named. (Of several, OSSEC takes this host alone.)
    fn places(&self, from_agent: bool) -> Vec<Place> {
        let location = self.section.location;
        let mut places = Vec::new();
        if location.server || (location.local && !from_agent) {
            places.push(Place::Here);
        }
        if location.all {
            places.push(Place::All);
            return places;
        }
        if location.local && from_agent {
            places.push(Place::Origin);
        }
        if let Some(id) = self.section.agent_id.as_ref().filter(|_| location.defined_agent) {
            places.push(Place::Agent(id.value.clone()));
        }
        places
    }
}

/// What the command expects. The text comes back where it is not that.
fn target<'a>(
    expect: Expect,
    offence: &Offence<'a>,
    allow: &AllowList,
) -> Result<Target, (Reason, &'a [u8])> {
    let mut target = Target::default();
    if expect.user {
        let user = present(offence.dstuser).or_else(|| present(offence.srcuser));
        let text = user.ok_or((Reason::Missing, &b""[..]))?;
        target.user = Some(User::parse(text).map_err(|why| (why.into(), text))?);
    }
    if expect.srcip {
        let text = present(offence.srcip).ok_or((Reason::Missing, &b""[..]))?;
        let net = Net::of_attacker(text).map_err(|why| (Reason::from(why), text))?;
        if allow.holds(net) {
            return Err((Reason::Allowed, text));
        }
        target.net = Some(net);
    }
    if expect.filename {
        let text = present(offence.filename).ok_or((Reason::Missing, &b""[..]))?;
        target.filename = Some(FileName::parse(text).map_err(|why| (why.into(), text))?);
    }
    Ok(target)
}

/// compat: `-` counts as nothing.
fn present(text: Option<&[u8]>) -> Option<&[u8]> {
    text.filter(|text| !text.is_empty() && *text != b"-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::conf;

    const COMMANDS: &str = "
        <command><name>drop</name><executable>firewall-drop.sh</executable><expect>srcip</expect>
          <timeout_allowed>yes</timeout_allowed></command>
        <command><name>lock</name><executable>disable-account.sh</executable>
          <expect>user</expect></command>
        <command><name>keep</name><executable>keep.sh</executable>
          <expect>filename</expect></command>
        <command><name>tell</name><executable>tell.sh</executable><expect></expect></command>";

    fn decider(responses: &str) -> Decider {
        let text = format!(
            "<ossec_config><global><allow_list>192.0.2.0/24</allow_list></global>{COMMANDS}{responses}</ossec_config>"
        );
        let conf = conf(&text);
        let allow = AllowList::of(&conf);
        Decider::new(&conf, allow)
    }

    fn offence() -> Offence<'static> {
        Offence {
            alert: AlertId { seconds: 1000, number: 1 },
            rule: 5716,
            level: 5,
            groups: "syslog,sshd,authentication_failed,",
            srcip: Some(b"203.0.113.7"),
            location: b"/var/log/auth.log",
            line: b"Failed password",
            ..Offence::default()
        }
    }

    /// Each decision as a line: `drop600 here 203.0.113.7`, `lock refused not a user name`.
    fn decided(decider: &mut Decider, offence: &Offence<'_>) -> Vec<String> {
        let show = |decision| match decision {
            Decision::Act(Order { response, place, target, .. }) => {
                let place = match place {
                    Place::Here => "here".to_owned(),
                    Place::Origin => "origin".to_owned(),
                    Place::All => "all".to_owned(),
                    Place::Agent(id) => id,
                };
                format!("{response} {place} {target}")
            }
            Decision::Refuse(Refusal { command, why, .. }) => format!("{command} refused: {why}"),
        };
        decider.decide(offence).map(show).collect()
    }

    fn section(command: &str, rest: &str) -> String {
        format!("<active-response><command>{command}</command>{rest}</active-response>")
    }

    #[test]
    fn level_ids_and_groups_each_lead_to_it() {
        let table = [
            ("<level>5</level>", true),
            ("<level>6</level>", false),
            ("<rules_id>1, 5716</rules_id>", true),
            ("<rules_id>571</rules_id>", false),
            ("<rules_group>authentication_failed|x</rules_group>", true),
            ("<rules_group>^sshd</rules_group>", false),
            ("<level>9</level><rules_id>5716</rules_id>", true),
            ("<level>9</level><rules_id>1</rules_id><rules_group>sshd,</rules_group>", true),
        ];
        for (conditions, expected) in table {
            let mut decider =
                decider(&section("drop", &format!("<location>local</location>{conditions}")));
            let expected: &[&str] = if expected { &["drop0 here 203.0.113.7"] } else { &[] };
            assert_eq!(decided(&mut decider, &offence()), expected, "{conditions}");
            assert!(decided(&mut decider, &Offence { level: 0, rule: 1, ..offence() }).is_empty());
            let silent = Offence { no_response: true, rule: 2, level: 15, ..offence() };
            assert!(decided(&mut decider, &silent).is_empty());
        }
    }

    #[test]
    fn places() {
        let table = [
            ("local", &["here"][..], &["origin"][..]),
            ("server", &["here"], &["here"]),
            ("AS", &["here"], &["here"]),
            ("all", &["all"], &["all"]),
            ("local,server", &["here"], &["here", "origin"]),
            ("server,all", &["here", "all"], &["here", "all"]),
            ("defined-agent", &["007"], &["007"]),
        ];
        for (location, from_here, from_agent) in table {
            let rest = format!(
                "<location>{location}</location><agent_id>007</agent_id><level>1</level>\
                 <timeout>600</timeout>"
            );
            let mut decider = decider(&section("drop", &rest));
            for (expected, from_agent) in [(from_here, false), (from_agent, true)] {
                let expected: Vec<String> =
                    expected.iter().map(|place| format!("drop600 {place} 203.0.113.7")).collect();
                let found = decided(&mut decider, &Offence { from_agent, ..offence() });
                assert_eq!(found, expected, "{location} {from_agent}");
            }
        }
    }

    #[test]
    fn what_a_command_expects() {
        let at_level_1 = "<location>local</location><level>1</level>";
        let all = ["drop", "lock", "keep", "tell"].map(|command| section(command, at_level_1));
        let mut decider = decider(&all.concat());
        let full = Offence {
            dstuser: Some(b"root"),
            srcuser: Some(b"eve"),
            filename: Some(b"/etc/a b"),
            ..offence()
        };
        let expected = [
            "drop0 here 203.0.113.7",
            "lock0 here user root",
            "keep0 here file /etc/a b",
            "tell0 here nobody",
        ];
        assert_eq!(decided(&mut decider, &full), expected);
        let sparse =
            Offence { srcip: Some(b"-"), dstuser: Some(b"-"), filename: Some(b""), ..full };
        let expected = [
            "drop refused: the event does not say against whom",
            "lock0 here user eve",
            "keep refused: the event does not say against whom",
            "tell0 here nobody",
        ];
        assert_eq!(decided(&mut decider, &sparse), expected);
    }

    #[test]
    fn hostile_texts_are_refused() {
        let at_level_1 = "<location>local</location><level>1</level>";
        let mut decider =
            decider(&["drop", "lock", "keep"].map(|it| section(it, at_level_1)).concat());
        let hostile = [
            (&b"host.example"[..], &b"-l"[..], &b"/a\nb"[..]),
            (b"1.2.3.4;id", b"a$(id)", b"-rf"),
            (b"0.0.0.0", b"a b", b"/a\x1b[2J"),
            (b"::1", b"\xff", b"\x00"),
            (b"192.0.2.9", b"../x/y", b"\r"),
            (b"::ffff:192.0.2.9", b"`id`", b"/\x7f"),
        ];
        for (srcip, user, filename) in hostile {
            let offence = Offence {
                srcip: Some(srcip),
                dstuser: Some(user),
                filename: Some(filename),
                ..offence()
            };
            for decision in decider.decide(&offence) {
                assert!(matches!(decision, Decision::Refuse(_)), "{decision:?}");
            }
        }
    }

    #[test]
    fn disabled_is_one_response_or_all() {
        let on = section("drop", "<location>local</location><level>1</level>");
        let off =
            section("tell", "<location>local</location><level>1</level><disabled>yes</disabled>");
        for responses in [format!("{on}{off}"), format!("{off}{on}")] {
            assert_eq!(decided(&mut decider(&responses), &offence()), ["drop0 here 203.0.113.7"]);
        }
        let all_off = "<active-response><disabled>yes</disabled></active-response>";
        assert!(decider(&format!("{on}{all_off}")).is_empty());
    }
}
