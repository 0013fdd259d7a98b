//! What an importer gives: a network, its counts, and the command that gives it again.

use serde::Serialize;

use super::network::Network;

/// An imported model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its layers.
    pub network: Network,
    /// Its counts.
    pub summary: Summary,
    /// The command line that gives the same result.
    pub command: String,
    /// What a reader of the network file has to know.
    pub note: &'static str,
    /// What the user should know of this import: what was replaced, dropped or put together.
    pub notes: Vec<String>,
}

/// The counts of a model, by the rules in `tests/data/networks/README.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The name of the model.
    pub model: String,
    /// Operations with MACs. A recurrent network is one, although it has a layer per time step.
    pub mac_layers: u64,
    /// Pairs of operations of which one reads what the other writes, views removed, before layers are put together.
    pub edges: u64,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// Elements of the parameters that the operations read.
    pub weight_elems: u64,
}

impl Imported {
    /// The network file: the same bytes for the same model and options.
    pub fn to_toml(&self) -> String {
        let header =
            format!("Written by `{}`: change the importer, not this file.\n{}", self.command, self.note);
        self.network.to_toml(&header)
    }
}
