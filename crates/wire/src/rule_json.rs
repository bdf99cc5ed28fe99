//! The `"rule"` object of JSON lines, made once for each rule.

use crate::RuleView;
use crate::digits::push_number;
use crate::json_string::push_escaped;

/// Labels of a host check's text that are used.
const LABELS_MAX: usize = 10;

/// Keys of the object that a label of a text may not take.
const OWN_KEYS: [&[u8]; 9] = [
    b"level",
    b"comment",
    b"sidid",
    b"cve",
    b"info",
    b"frequency",
    b"firedtimes",
    b"group",
    b"groups",
];

/// A rule's object, serialised but for the number of times it fired.
#[derive(Clone, Debug)]
pub struct RuleJson {
    /// `,"rule":{"level":…` up to the number.
    head: Vec<u8>,
    /// What follows the number, up to the end of the object.
    tail: Vec<u8>,
    /// Where in `tail` the compliance lists start.
    compliance_start: usize,
    compliance: Vec<Compliance>,
    /// Whether the texts of its events may carry labels.
    is_rootcheck: bool,
}

/// The values of one list, such as `"PCI_DSS":["10.2.4"]`.
#[derive(Clone, Debug)]
struct Compliance {
    key: &'static str,
    /// Quoted, separated by commas.
    values: Vec<u8>,
}

impl RuleJson {
    pub fn new(rule: &RuleView<'_>) -> Self {
        let groups = Groups::of(rule.groups);
        let mut tail = Vec::new();
        if !rule.groups.is_empty() {
            push_text(&mut tail, b",\"group\":", rule.groups);
        }
        if !groups.names.is_empty() {
            push_list(&mut tail, b"groups", &groups.names);
        }
        let compliance_start = tail.len();
        for list in &groups.compliance {
            push_list(&mut tail, list.key.as_bytes(), &list.values);
        }
        tail.push(b'}');
        Self {
            head: head(rule),
            tail,
            compliance_start,
            compliance: groups.compliance,
            is_rootcheck: groups.has_rootcheck,
        }
    }

    /// Appends the key and the object.
    pub(crate) fn push(&self, out: &mut Vec<u8>, fired_times: u64, full_log: &[u8]) {
        out.extend_from_slice(&self.head);
        push_number(out, fired_times);
        if self.is_rootcheck {
            let (groups, _) = self.tail.split_at(self.compliance_start);
            out.extend_from_slice(groups);
            self.push_labels(out, &Labels::of(full_log));
            out.push(b'}');
        } else {
            out.extend_from_slice(&self.tail);
        }
    }

    /// The compliance lists with the labels of a host check's text, each key once.
    fn push_labels(&self, out: &mut Vec<u8>, labels: &Labels<'_>) {
        for list in &self.compliance {
            push_key(out, list.key.as_bytes());
            out.extend_from_slice(&list.values);
            labels.push_values(out, list.key.as_bytes(), false);
            out.push(b']');
        }
        for (index, label) in labels.iter().enumerate() {
            let taken = OWN_KEYS.contains(&label.key)
                || self.compliance.iter().any(|list| list.key.as_bytes() == label.key)
                || labels.iter().take(index).any(|earlier| earlier.key == label.key);
            if taken {
                continue;
            }
            push_key(out, label.key);
            labels.push_values(out, label.key, true);
            out.push(b']');
        }
    }
}

fn head(rule: &RuleView<'_>) -> Vec<u8> {
    let mut head = b",\"rule\":{\"level\":".to_vec();
    push_number(&mut head, u64::from(rule.level));
    if !rule.description.is_empty() {
        push_text(&mut head, b",\"comment\":", rule.description);
    }
    head.extend_from_slice(b",\"sidid\":");
    push_number(&mut head, u64::from(rule.id));
    for (key, value) in [(&b",\"cve\":"[..], rule.cve), (b",\"info\":", rule.info)] {
        if let Some(value) = value {
            push_text(&mut head, key, value);
        }
    }
    if rule.frequency != 0 {
        head.extend_from_slice(b",\"frequency\":");
        push_number(&mut head, u64::from(rule.frequency));
    }
    head.extend_from_slice(b",\"firedtimes\":");
    head
}

/// A rule's group string, sorted into lists.
#[derive(Default)]
struct Groups {
    names: Vec<u8>,
    /// In order of first use.
    compliance: Vec<Compliance>,
    has_rootcheck: bool,
}

impl Groups {
    // compat: OSSEC loses the last character of compliance values.
    fn of(text: &str) -> Self {
        let mut groups = Self::default();
        for name in text.split(',').filter(|name| !name.is_empty()) {
            if let Some(value) = name.strip_prefix("pci_dss_") {
                push_item(groups.list("PCI_DSS"), value);
            } else if let Some(value) = name.strip_prefix("cis_") {
                push_item(groups.list("CIS"), value);
            } else {
                groups.has_rootcheck |= name == "rootcheck";
                push_item(&mut groups.names, name);
            }
        }
        groups
    }

    fn list(&mut self, key: &'static str) -> &mut Vec<u8> {
        let known = self.compliance.iter().position(|list| list.key == key);
        let index = known.unwrap_or(self.compliance.len());
        if known.is_none() {
            self.compliance.push(Compliance { key, values: Vec::new() });
        }
        &mut self.compliance[index].values
    }
}

/// The labels `{KEY: VALUE, VALUE}` of a host check's text.
#[derive(Default)]
struct Labels<'a> {
    found: [Label<'a>; LABELS_MAX],
    count: usize,
}

#[derive(Clone, Copy, Default)]
struct Label<'a> {
    key: &'a [u8],
    values: &'a [u8],
}

impl<'a> Labels<'a> {
    fn of(text: &'a [u8]) -> Self {
        let mut labels = Self::default();
        let mut slots = labels.found.iter_mut();
        for piece in text.split(|&byte| byte == b'{').skip(1) {
            let Some(label) = Label::of(piece) else { continue };
            let Some(slot) = slots.next() else { break };
            *slot = label;
            labels.count += 1;
        }
        labels
    }

    fn iter(&self) -> impl Iterator<Item = &Label<'a>> {
        self.found.iter().take(self.count)
    }

    /// The values of all labels of that key, separated by commas.
    fn push_values(&self, out: &mut Vec<u8>, key: &[u8], mut first: bool) {
        for label in self.iter().filter(|label| label.key == key) {
            let values = label.values.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
            for value in values.filter(|value| !value.is_empty()) {
                out.extend_from_slice(if first { b"\"" } else { b",\"" });
                out.extend_from_slice(value);
                out.push(b'"');
                first = false;
            }
        }
    }
}

impl<'a> Label<'a> {
    /// The label that starts behind a `{`. Its bytes need no escape.
    fn of(text: &'a [u8]) -> Option<Self> {
        let length = text.iter().position(|&byte| byte == b'}')?;
        let (inner, _) = text.split_at(length);
        let colon = inner.iter().position(|&byte| byte == b':')?;
        let (key, values) = inner.split_at(colon);
        let values = values.strip_prefix(b": ")?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let is_value = |byte: &u8| is_name(byte) || b"., ".contains(byte);
        let valid = !key.is_empty() && key.iter().all(is_name) && values.iter().all(is_value);
        valid.then_some(Self { key, values })
    }
}

fn push_text(out: &mut Vec<u8>, key: &[u8], value: &str) {
    out.extend_from_slice(key);
    out.push(b'"');
    push_escaped(out, value.as_bytes());
    out.push(b'"');
}

fn push_item(values: &mut Vec<u8>, value: &str) {
    push_text(values, if values.is_empty() { b"" } else { b"," }, value);
}

fn push_list(out: &mut Vec<u8>, key: &[u8], values: &[u8]) {
    push_key(out, key);
    out.extend_from_slice(values);
    out.push(b']');
}

/// `,"KEY":[`
fn push_key(out: &mut Vec<u8>, key: &[u8]) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key);
    out.extend_from_slice(b"\":[");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(rule: &RuleView<'_>, full_log: &str) -> String {
        let mut out = Vec::new();
        RuleJson::new(rule).push(&mut out, 3, full_log.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn compliance_values_are_whole() {
        let rule = RuleView {
            id: 1,
            level: 2,
            description: "a \"b\"",
            groups: "x,cis_1.1,pci_dss_10.2.4,y,pci_dss_11.4,",
            info: Some("i"),
            cve: Some("c"),
            ..RuleView::default()
        };
        assert_eq!(
            json(&rule, "{PCI_DSS: 9}"),
            ",\"rule\":{\"level\":2,\"comment\":\"a \\\"b\\\"\",\"sidid\":1,\"cve\":\"c\",\
             \"info\":\"i\",\"firedtimes\":3,\"group\":\"x,cis_1.1,pci_dss_10.2.4,y,pci_dss_11.4,\",\
             \"groups\":[\"x\",\"y\"],\"CIS\":[\"1.1\"],\"PCI_DSS\":[\"10.2.4\",\"11.4\"]}"
        );
    }

    #[test]
    fn a_bare_rule() {
        let rule = RuleView { id: 7, ..RuleView::default() };
        assert_eq!(json(&rule, ""), ",\"rule\":{\"level\":0,\"sidid\":7,\"firedtimes\":3}");
    }

    #[test]
    fn labels_of_host_checks() {
        let rule = RuleView { groups: "rootcheck,pci_dss_1.2,", ..RuleView::default() };
        let start = ",\"rule\":{\"level\":0,\"sidid\":0,\"firedtimes\":3,\
                     \"group\":\"rootcheck,pci_dss_1.2,\",\"groups\":[\"rootcheck\"]";
        for (log, expected) in [
            ("no label", ",\"PCI_DSS\":[\"1.2\"]}"),
            ("a {CIS: 1.4 Debian Linux}", ",\"PCI_DSS\":[\"1.2\"],\"CIS\":[\"1.4 Debian Linux\"]}"),
            ("{PCI_DSS: 4.1,  2.2 }", ",\"PCI_DSS\":[\"1.2\",\"4.1\",\"2.2\"]}"),
            ("{A: 1}{A: 2}", ",\"PCI_DSS\":[\"1.2\"],\"A\":[\"1\",\"2\"]}"),
            ("{A: , }", ",\"PCI_DSS\":[\"1.2\"],\"A\":[]}"),
            ("{level: 0} {: 1} {A:1} {B: \"} {C: 1", ",\"PCI_DSS\":[\"1.2\"]}"),
            ("{ {D: 1}}", ",\"PCI_DSS\":[\"1.2\"],\"D\":[\"1\"]}"),
        ] {
            assert_eq!(json(&rule, log), format!("{start}{expected}"), "{log}");
        }
    }

    #[test]
    fn labels_at_their_limit() {
        let rule = RuleView { groups: "rootcheck", ..RuleView::default() };
        let log: String = (0..=LABELS_MAX).map(|index| format!("{{K{index}: v}}")).collect();
        let json = json(&rule, &log);
        assert!(json.contains("\"K9\"") && !json.contains("\"K10\""), "{json}");
    }
}
