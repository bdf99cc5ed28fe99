//! The values that decoders took out of an event.

use model::{Field, Span};

/// Values by field, in the order they were assigned. Most are spans of the event's text; what is
/// not stands in a text of its own.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    assigned: [Option<Value>; Field::COUNT],
    dynamic: Vec<(DynamicField, Value)>,
    order: Vec<Name>,
    extra: Vec<u8>,
}

/// A dynamic field: its position in [`crate::DecoderSet::dynamic_names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DynamicField(pub u16);

/// What a value is assigned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    Static(Field),
    Dynamic(DynamicField),
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Line(Span),
    Extra(Span),
}

impl Fields {
    /// The value of a static field. `line` is the text the spans refer to.
    pub fn get<'a>(&'a self, field: Field, line: &'a [u8]) -> Option<&'a [u8]> {
        self.assigned[field as usize].map(|value| self.text(value, line))
    }

    /// The value of a dynamic field.
    pub fn get_dynamic<'a>(&'a self, field: DynamicField, line: &'a [u8]) -> Option<&'a [u8]> {
        self.dynamic
            .iter()
            .rev()
            .find(|(name, _)| *name == field)
            .map(|&(_, value)| self.text(value, line))
    }

    /// All names in the order of their first assignment.
    pub fn names(&self) -> &[Name] {
        &self.order
    }

    /// The value assigned to a name.
    pub fn value<'a>(&'a self, name: Name, line: &'a [u8]) -> Option<&'a [u8]> {
        match name {
            Name::Static(field) => self.get(field, line),
            Name::Dynamic(field) => self.get_dynamic(field, line),
        }
    }

    /// Assigns a part of the event's text.
    pub fn assign(&mut self, name: Name, span: Span) {
        self.set(name, Value::Line(span));
    }

    /// Assigns a text that does not stand in the event.
    pub fn assign_text(&mut self, name: Name, parts: &[&[u8]]) {
        let start = self.extra.len();
        for part in parts {
            self.extra.extend_from_slice(part);
        }
        self.set(name, Value::Extra(Span::new(start, self.extra.len())));
    }

    /// Copies the values that are parts of `line`, so that it may change.
    pub(crate) fn detach(&mut self, line: &[u8]) {
        let names = self.order.clone();
        for name in names {
            let value = self.value(name, line).map(<[u8]>::to_vec);
            if let Some(value) = value {
                self.assign_text(name, &[&value]);
            }
        }
    }

    /// Forgets everything but keeps the room.
    pub fn clear(&mut self) {
        self.assigned = [None; Field::COUNT];
        self.dynamic.clear();
        self.order.clear();
        self.extra.clear();
    }

    fn set(&mut self, name: Name, value: Value) {
        let known = match name {
            Name::Static(field) => self.assigned[field as usize].replace(value).is_some(),
            Name::Dynamic(field) => {
                let known = self.dynamic.iter_mut().find(|(other, _)| *other == field);
                match known {
                    Some((_, old)) => {
                        *old = value;
                        true
                    }
                    None => {
                        self.dynamic.push((field, value));
                        false
                    }
                }
            }
        };
        if !known {
            self.order.push(name);
        }
    }

    fn text<'a>(&'a self, value: Value, line: &'a [u8]) -> &'a [u8] {
        match value {
            Value::Line(span) => crate::decoded::part(line, span.range()),
            Value::Extra(span) => crate::decoded::part(&self.extra, span.range()),
        }
    }
}
