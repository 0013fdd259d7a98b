//! Scaling the energies of an accelerator from one technology node to another.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{AccelSpec, Gating, Level};

/// The `technology` key of an accelerator file: its energies are those of one node, and the accelerator is of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `node` and `scale_from`")]
pub struct Technology {
    /// The node of the accelerator.
    pub node: TechnologyNode,
    /// The node to which the energies in the file belong.
    pub scale_from: TechnologyNode,
}

/// A technology node by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum TechnologyNode {
    /// 130 nm.
    #[serde(rename = "130nm")]
    Nm130,
    /// 90 nm.
    #[serde(rename = "90nm")]
    Nm90,
    /// 65 nm.
    #[serde(rename = "65nm")]
    Nm65,
    /// 45 nm.
    #[serde(rename = "45nm")]
    Nm45,
    /// 32 nm.
    #[serde(rename = "32nm")]
    Nm32,
    /// 20 nm.
    #[serde(rename = "20nm")]
    Nm20,
    /// 16 nm.
    #[serde(rename = "16nm")]
    Nm16,
    /// 14 nm.
    #[serde(rename = "14nm")]
    Nm14,
    /// 10 nm.
    #[serde(rename = "10nm")]
    Nm10,
    /// 7 nm.
    #[serde(rename = "7nm")]
    Nm7,
}

/// The supply voltage of all nodes. Our choice, because Accelergy scales with it as well, so that the factors are the
/// same.
const VOLTS: f64 = 0.8;

impl TechnologyNode {
    /// The size in nm, and the coefficients a, b, c of the energy of a gate, a V^2 + b V + c, in a unit that all nodes
    /// share: Stillmaker and Baas, "Scaling equations for the accurate prediction of CMOS device performance from 180 nm
    /// to 7 nm", Integration 58 (2017). 45 and 32 nm are the paper's low-power transistors, 20 nm and less its
    /// high-performance ones, the choice of Accelergy. 180 nm is left out: its equation does not hold at 0.8 V.
    fn row(self) -> (u32, [f64; 3]) {
        match self {
            Self::Nm130 => (130, [7.171, -6.709, 2.904]),
            Self::Nm90 => (90, [4.762, -4.781, 2.092]),
            Self::Nm65 => (65, [3.755, -4.398, 1.975]),
            Self::Nm45 => (45, [1.103, -0.362, 0.2767]),
            Self::Nm32 => (32, [0.9559, -0.7823, 0.471]),
            Self::Nm20 => (20, [0.373, -0.1582, 0.04104]),
            Self::Nm16 => (16, [0.2958, -0.1241, 0.03024]),
            Self::Nm14 => (14, [0.2363, -0.09675, 0.02239]),
            Self::Nm10 => (10, [0.2068, -0.09311, 0.02375]),
            Self::Nm7 => (7, [0.1776, -0.09097, 0.02447]),
        }
    }

    /// The energy of a gate, in the unit of the table.
    fn energy(self) -> f64 {
        let (_, [a, b, c]) = self.row();
        (a * VOLTS + b) * VOLTS + c
    }
}

impl fmt::Display for TechnologyNode {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}nm", self.row().0)
    }
}

impl Technology {
    /// By what the energies of the file are multiplied.
    pub fn energy_factor(self) -> f64 {
        self.node.energy() / self.scale_from.energy()
    }
}

/// What was scaled, in words.
impl fmt::Display for Technology {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { node, scale_from } = self;
        write!(f, "on-chip energies of {scale_from} x {:.4} for {node}", self.energy_factor())
    }
}

impl AccelSpec {
    /// The accelerator at another node: every energy on chip is multiplied, leakage and clock power as well, of which the
    /// source says nothing. DRAM, which is off chip, and the clock stay.
    pub(super) fn scaled(mut self, technology: Technology) -> Self {
        let factor = technology.energy_factor();
        self.vector_pj_per_op *= factor;
        self.mac.energy_pj *= factor;
        self.clock_mw *= factor;
        self.gating = self.gating.map(|gating| Gating { wake_uj: gating.wake_uj * factor, ..gating });
        for level in &mut self.levels[1..] {
            let Level::Storage(storage) = level else { continue };
            storage.read_pj_per_access *= factor;
            storage.write_pj_per_access *= factor;
            storage.update_pj_per_access *= factor;
            storage.leak_pj_per_cycle *= factor;
        }
        self.technology = Some(technology);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::TechnologyNode::*;
    use super::*;

    /// At 0.8 V, by hand: 1.103 x 0.64 - 0.362 x 0.8 + 0.2767 = 0.69302, and so on.
    #[test]
    fn energies_by_hand() {
        for (node, energy) in
            [(Nm130, 2.12624), (Nm65, 0.8598), (Nm45, 0.69302), (Nm16, 0.120272), (Nm7, 0.065358)]
        {
            assert!((node.energy() - energy).abs() < 1e-12, "{node}: {}", node.energy());
        }
    }

    #[test]
    fn a_smaller_node_takes_less() {
        let nodes = [Nm130, Nm90, Nm65, Nm45, Nm32, Nm20, Nm16, Nm14, Nm10, Nm7];
        for pair in nodes.windows(2) {
            let factor = Technology { node: pair[1], scale_from: pair[0] }.energy_factor();
            assert!((0.3..0.9).contains(&factor), "{pair:?}: {factor}");
        }
        assert_eq!(Technology { node: Nm45, scale_from: Nm45 }.energy_factor(), 1.0);
    }
}
