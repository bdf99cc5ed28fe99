//! Adds addresses to nftables sets that the administrator has made, with the rules that use them.

use super::{Action, ActionError, Aim, Kind, List, Options, Want, Work};
use crate::netlink::Conversation;
use crate::netlink::nftables::{Element, Set, Transaction, elements_of, flags_of};
use crate::target::{Net, Target};

pub(super) const KIND: Kind = Kind {
    name: "nftables-drop",
    about: "adds an address to nftables sets of the administrator's (inet filter ossec_ar4, ossec_ar6)",
    executables: &["nftables-drop"],
    aim: Aim::Net,
    yields: false,
    open,
};

/// Which sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sets {
    pub family: Family,
    pub table: String,
    pub ipv4: String,
    pub ipv6: String,
}

/// Families of tables that have addresses of both kinds, or of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Inet,
    Ip,
    Ip6,
}

impl Default for Sets {
    fn default() -> Self {
        Self {
            family: Family::Inet,
            table: "filter".to_owned(),
            ipv4: "ossec_ar4".to_owned(),
            ipv6: "ossec_ar6".to_owned(),
        }
    }
}

fn open(options: &Options) -> Result<Box<dyn Action>, ActionError> {
    let kernel = Conversation::open(None).map_err(ActionError::io("reaching netfilter"))?;
    let mut action = Filled { kernel, sets: options.sets.clone(), ipv4: None, ipv6: None };
    action.prepare()?;
    Ok(Box::new(action))
}

struct Filled {
    kernel: Conversation,
    sets: Sets,
    /// The flags of the sets that are there.
    ipv4: Option<u32>,
    ipv6: Option<u32>,
}

impl Filled {
    fn flags(&self, net: Net) -> Option<u32> {
        if net.is_ipv4() { self.ipv4 } else { self.ipv6 }
    }

    fn look(&mut self, ipv4: bool) -> Result<Option<u32>, ActionError> {
        let set = set(&self.sets, ipv4);
        let what = format!("looking for the nftables set {} {}", set.table, set.name);
        flags_of(&mut self.kernel, set).map_err(ActionError::io(what))
    }

    fn change(
        &mut self,
        wants: &[Want],
        step: fn(&mut Transaction, Set<'_>, u32, &[Element]),
    ) -> Result<Work, ActionError> {
        for (ipv4, flags) in [(true, self.ipv4), (false, self.ipv6)] {
            let Some(flags) = flags else { continue };
            let nets = wants.iter().filter_map(|want| Some((want.target.net?, want.left)));
            let elements: Vec<Element> = nets
                .filter(|(net, _)| net.is_ipv4() == ipv4)
                .map(|(net, left)| Element { address: net.address(), left })
                .collect();
            let mut all = Transaction::new();
            for some in elements.chunks(Transaction::chunk()) {
                if all.is_full() {
                    let full = std::mem::replace(&mut all, Transaction::new());
                    full.commit(&mut self.kernel)
                        .map_err(ActionError::io("filling nftables sets"))?;
                }
                step(&mut all, set(&self.sets, ipv4), flags, some);
            }
            all.commit(&mut self.kernel).map_err(ActionError::io("filling nftables sets"))?;
        }
        Ok(Work::Done)
    }
}

impl Action for Filled {
    fn prepare(&mut self) -> Result<Work, ActionError> {
        self.ipv4 = self.look(true)?;
        self.ipv6 = self.look(false)?;
        if self.ipv4.is_none() && self.ipv6.is_none() {
            let Sets { table, ipv4, ipv6, .. } = &self.sets;
            let text = format!(
                "there is no nftables set {table} {ipv4} or {ipv6}: make them, with a rule that drops"
            );
            return Err(ActionError::Unavailable(text));
        }
        Ok(Work::Done)
    }

    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        self.change(wants, Transaction::put)
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        let wants = targets.iter().map(|target| Want { target: target.clone(), left: None });
        self.change(&wants.collect::<Vec<_>>(), Transaction::take)
    }

    fn list(&mut self) -> Result<List, ActionError> {
        let mut all = Vec::new();
        for ipv4 in [true, false] {
            let found = elements_of(&mut self.kernel, set(&self.sets, ipv4));
            let found = found.map_err(ActionError::io("listing nftables sets"))?;
            let target = |address| Target::address(Net::single(address));
            all.extend(found.iter().map(|it| Want { target: target(it.address), left: it.left }));
        }
        Ok(List::Shared(all))
    }

    fn is_whole(&mut self) -> Result<bool, ActionError> {
        Ok(self.look(true)? == self.ipv4 && self.look(false)? == self.ipv6)
    }

    fn refuses(&self, target: &Target) -> Option<&'static str> {
        let net = target.net?;
        match self.flags(net) {
            None => Some("there is no nftables set for this kind of address"),
            Some(_) if !net.is_single() => {
                Some("these nftables sets are filled with single addresses")
            }
            Some(_) => None,
        }
    }
}

fn set(sets: &Sets, ipv4: bool) -> Set<'_> {
    let family = match sets.family {
        Family::Inet => 1,
        Family::Ip => 2,
        Family::Ip6 => 10,
    };
    Set { family, table: &sets.table, name: if ipv4 { &sets.ipv4 } else { &sets.ipv6 } }
}
