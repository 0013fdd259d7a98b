//! The result of an importer: a network, its counts, and the command that reproduces it.

use serde::Serialize;

use super::network::Network;

/// An imported model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// The counts of the model.
    pub summary: Summary,
    /// The command line that reproduces the result.
    pub command: String,
    /// A note for readers of the network file.
    pub note: String,
    /// Notes for the user about this import: what was replaced, dropped or fused.
    pub notes: Vec<String>,
}

/// The counts of a model, by the rules in `tests/data/networks/README.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The name of the model.
    pub model: String,
    /// Number of operations with MACs. A recurrent network is one, although it has a layer per time step.
    pub mac_layers: u64,
    /// Number of pairs of operations of which one reads what the other writes, with views removed and before fusion.
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
