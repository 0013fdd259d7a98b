//! The energy reference table (ERT) that Accelergy writes: energies of actions by component.

use std::cell::Cell;

use super::super::draft::Energy;
use super::super::notes::Notes;
use super::super::yaml::Node;
use crate::files::InputError;

/// The tables of all ERTs, by the name of the component.
pub(super) struct EnergyTable<'a>(Vec<Table<'a>>);

struct Table<'a> {
    name: String,
    /// With the path to the component and its instances.
    full_name: &'a str,
    node: &'a Node,
    is_used: Cell<bool>,
}

/// An energy in pJ within what an accelerator file may have.
pub(super) fn pj(value: f64, node: &Node) -> Result<f64, InputError> {
    match (0.0..=1e12).contains(&value) {
        true => Ok(value),
        false => Err(node.expected("an energy from 0 to 1e12 pJ")),
    }
}

impl<'a> EnergyTable<'a> {
    /// Finds the tables in the documents.
    pub(super) fn read(documents: &'a [Node]) -> Result<Self, InputError> {
        let mut found: Vec<Table> = vec![];
        for document in documents {
            let Some(ert) = document.find(&["ERT"])? else { continue };
            ert.find(&["version"])?;
            for node in ert.need(&["tables"])?.list()? {
                let full_name = node.need(&["name"])?.text()?;
                // Without its instances, whose range has dots, too.
                let path = plain_name(full_name);
                let name = path.rsplit('.').next().unwrap_or(&path).to_string();
                if let Some(first) = found.iter().find(|table| table.name == name) {
                    let line = first.node.place.line;
                    return Err(node.error(format!("a second table for `{name}` (the first: line {line})")));
                }
                found.push(Table { name, full_name, node, is_used: Cell::new(false) });
            }
        }
        Ok(Self(found))
    }

    /// Energies of a storage component; `None` if no table has them.
    pub(super) fn storage(&self, name: &str) -> Result<Option<Energy>, InputError> {
        let Some(table) = self.find(name) else { return Ok(None) };
        let action = |names: &[&str]| table.action(names);
        let missing = || table.node.error("no energy of `read`");
        let read = action(&["read", "random_read"])?.ok_or_else(missing)?;
        let write = action(&["write", "fill", "random_fill"])?;
        let remark = match write {
            Some(_) => format!("From the ERT's {}.", table.full_name),
            None => format!("From the ERT's {}, which has no `write`: as `read`.", table.full_name),
        };
        let write = write.unwrap_or(read);
        let update = action(&["update", "random_update"])?.unwrap_or(write);
        let leak = action(&["leak"])?.unwrap_or(0.0);
        Ok(Some(Energy { read, write, update, leak, remark, is_ours: false }))
    }

    /// Energy of one operation of a compute component, and where it comes from.
    pub(super) fn compute(&self, name: &str) -> Result<Option<(f64, String)>, InputError> {
        let Some(table) = self.find(name) else { return Ok(None) };
        let names = ["compute", "mac_random", "mac", "random_compute"];
        let missing = || table.node.error("no energy of `compute`");
        let pj = table.action(&names)?.ok_or_else(missing)?;
        Ok(Some((pj, format!("From the ERT's {}.", table.full_name))))
    }

    fn find(&self, name: &str) -> Option<&Table<'a>> {
        let table = self.0.iter().find(|table| table.name == name)?;
        table.is_used.set(true);
        Some(table)
    }

    /// Notes tables of components that the architecture does not have, and actions that are no access.
    pub(super) fn note_unused(&self, notes: &Notes) -> Result<(), InputError> {
        for table in &self.0 {
            if !table.is_used.get() {
                notes.add_whole(table.node, "no level here has this name");
                continue;
            }
            for action in table.node.need(&["actions"])?.list()? {
                match action.peek("name").and_then(|name| name.text().ok()) {
                    _ if action.is_taken("energy") => {}
                    Some("leak") => notes.add_whole(action, "leakage of logic is left out"),
                    _ => notes.add_whole(action, "no access here is of this kind"),
                }
            }
        }
        Ok(())
    }
}

impl Table<'_> {
    /// The energy of the first of several actions that the table has; with several arguments, the most.
    fn action(&self, names: &[&str]) -> Result<Option<f64>, InputError> {
        let actions = self.node.need(&["actions"])?.list()?;
        for name in names {
            let mut most: Option<f64> = None;
            for action in actions {
                if action.need(&["name"])?.text()? == *name {
                    action.find(&["arguments"])?.iter().for_each(|arguments| arguments.take_all());
                    let node = action.need(&["energy"])?;
                    let pj = pj(node.number()?, node)?;
                    most = Some(most.map_or(pj, |most| most.max(pj)));
                }
            }
            if most.is_some() {
                return Ok(most);
            }
        }
        Ok(None)
    }
}

/// `chip.PE[1..16].spad[1..4]` without the instances.
pub(super) fn plain_name(name: &str) -> String {
    let mut depth = 0;
    let mut is_outside = |c: char| {
        depth += i32::from(c == '[');
        let outside = depth == 0;
        depth -= i32::from(c == ']');
        outside
    };
    name.chars().filter(|&c| is_outside(c)).collect()
}
