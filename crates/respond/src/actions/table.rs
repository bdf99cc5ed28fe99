//! The nftables table of our own: `inet wachter`.
//!
//! For each length of prefix that occurs there is a set, which holds the networks' first addresses,
//! and a rule that looks the sender's network up in it. So networks may overlap, every set is a
//! plain hash table with timeouts of the kernel, and one look-up a set is all a packet costs.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ActionError, Want};
use crate::netlink::Conversation;
use crate::netlink::nftables::{
    Element, FAMILY_INET, SET_TIMEOUT, Set, Transaction, elements_of, rules_in, sets_of,
};
use crate::target::{Net, Target};

const TABLE: &str = "wachter";
const CHAIN: &str = "prerouting";

/// The table, in the network namespace of a conversation.
#[derive(Debug)]
pub(super) struct Table {
    kernel: Conversation,
    sets: BTreeSet<Shape>,
}

/// What the networks of one set have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    ipv4: bool,
    bits: u8,
}

impl Table {
    pub(super) fn new(kernel: Conversation) -> Self {
        Self { kernel, sets: BTreeSet::new() }
    }

    /// Makes the table, with the sets that it has, those that single addresses need, and the rules
    /// for all of them.
    pub(super) fn prepare(&mut self) -> Result<(), ActionError> {
        let names = sets_of(&mut self.kernel, TABLE).map_err(ActionError::io(told("reading")))?;
        self.sets = names.iter().filter_map(|name| Shape::of_name(name)).collect();
        self.sets.extend([Shape { ipv4: true, bits: 32 }, Shape { ipv4: false, bits: 128 }]);
        self.write_rules().map_err(ActionError::io(told("making")))
    }

    pub(super) fn put(&mut self, wants: &[Want]) -> Result<(), ActionError> {
        let elements = wants.iter().filter_map(|want| Some((want.target.net?, want.left)));
        let by_shape = by_shape(elements);
        if by_shape.keys().any(|shape| !self.sets.contains(shape)) {
            self.sets.extend(by_shape.keys().copied());
            self.write_rules().map_err(ActionError::io(told("extending")))?;
        }
        self.change(&by_shape, Transaction::put).map_err(ActionError::io(told("filling")))
    }

    pub(super) fn take(&mut self, targets: &[Target]) -> Result<(), ActionError> {
        let nets = targets.iter().filter_map(|target| target.net.map(|net| (net, None)));
        let mut by_shape = by_shape(nets);
        by_shape.retain(|shape, _| self.sets.contains(shape));
        self.change(&by_shape, Transaction::take).map_err(ActionError::io(told("clearing")))
    }

    pub(super) fn list(&mut self) -> Result<Vec<Want>, ActionError> {
        let mut all = Vec::new();
        for shape in self.sets.clone() {
            let name = shape.name();
            let found = elements_of(&mut self.kernel, set(&name));
            for Element { address, left } in found.map_err(ActionError::io(told("listing")))? {
                let net = Net::new(address, shape.bits);
                all.extend(net.map(|net| Want { target: Target::address(net), left }));
            }
        }
        Ok(all)
    }

    pub(super) fn is_whole(&mut self) -> Result<bool, ActionError> {
        let rules = rules_in(&mut self.kernel, TABLE, CHAIN);
        let rules = rules.map_err(ActionError::io(told("looking at")))?;
        Ok(rules.is_some_and(|rules| rules as usize == self.sets.len()))
    }

    fn write_rules(&mut self) -> io::Result<()> {
        let mut all = Transaction::new();
        all.empty_chain(TABLE, CHAIN);
        for (id, shape) in (1..).zip(&self.sets) {
            let name = shape.name();
            all.set(set(&name), shape.ipv4, id);
            all.drop_rule(set(&name), CHAIN, shape.example());
        }
        all.commit(&mut self.kernel)
    }

    fn change(
        &mut self,
        by_shape: &BTreeMap<Shape, Vec<Element>>,
        step: fn(&mut Transaction, Set<'_>, u32, &[Element]),
    ) -> io::Result<()> {
        let mut all = Transaction::new();
        for (shape, elements) in by_shape {
            let name = shape.name();
            for some in elements.chunks(Transaction::chunk()) {
                if all.is_full() {
                    std::mem::replace(&mut all, Transaction::new()).commit(&mut self.kernel)?;
                }
                step(&mut all, set(&name), SET_TIMEOUT, some);
            }
        }
        all.commit(&mut self.kernel)
    }
}

impl Shape {
    fn of(net: Net) -> Self {
        Self { ipv4: net.is_ipv4(), bits: net.bits() }
    }

    fn name(self) -> String {
        let family = if self.ipv4 { "blocked4" } else { "blocked6" };
        if self.example().is_single() {
            family.to_owned()
        } else {
            format!("{family}_{}", self.bits)
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        let (family, bits) = name.split_once('_').unwrap_or((name, ""));
        let (ipv4, width) = match family {
            "blocked4" => (true, 32),
            "blocked6" => (false, 128),
            _ => return None,
        };
        let bits = if bits.is_empty() { width } else { bits.parse().ok()? };
        let shape = Self { ipv4, bits };
        (bits <= width && shape.name() == name).then_some(shape)
    }

    /// Any network of the shape.
    fn example(self) -> Net {
        let (ipv4, ipv6) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let address = if self.ipv4 { ipv4 } else { ipv6 };
        Net::new(address, self.bits).unwrap_or(Net::single(address))
    }
}

fn set(name: &str) -> Set<'_> {
    Set { family: FAMILY_INET, table: TABLE, name }
}

fn by_shape(
    nets: impl Iterator<Item = (Net, Option<std::time::Duration>)>,
) -> BTreeMap<Shape, Vec<Element>> {
    let mut by_shape: BTreeMap<Shape, Vec<Element>> = BTreeMap::new();
    for (net, left) in nets {
        let elements = by_shape.entry(Shape::of(net)).or_default();
        elements.push(Element { address: net.address(), left });
    }
    by_shape
}

fn told(what: &str) -> String {
    format!("{what} the nftables table inet {TABLE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sets() {
        let table = [
            ("blocked4", Some((true, 32))),
            ("blocked6", Some((false, 128))),
            ("blocked4_24", Some((true, 24))),
            ("blocked6_64", Some((false, 64))),
            ("blocked4_32", None),
            ("blocked4_33", None),
            ("blocked4_024", None),
            ("blocked4_x", None),
            ("other", None),
        ];
        for (name, expected) in table {
            let found = Shape::of_name(name).map(|shape| (shape.ipv4, shape.bits));
            assert_eq!(found, expected, "{name}");
        }
    }
}
