//! Unique names of layers.

use std::collections::{BTreeMap, BTreeSet};

/// Gives out names, each once.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
    repeats: BTreeMap<String, u64>,
}

impl Names {
    /// `name`, or `name_2`, `name_3`, ... where it is taken.
    pub(super) fn unique(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) {
            return name;
        }
        let repeat = self.repeats.entry(name.clone()).or_insert(1);
        loop {
            *repeat += 1;
            let numbered = format!("{name}_{repeat}");
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_names_are_numbered() {
        let mut names = Names::default();
        let given = ["a", "a_2", "a", "a"].map(|name| names.unique(name.into()));
        assert_eq!(given, ["a", "a_2", "a_3", "a_4"]);
    }
}
