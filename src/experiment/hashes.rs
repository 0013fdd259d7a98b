//! What a policy was trained for: a hash of a system's accelerators.

use crate::hw::SystemSpec;
use crate::rl::policy::sha256;

/// SHA-256 of the accelerators in their order, with all that their models say. DRAM is left out: a policy serves many
/// bandwidths.
pub fn system(system: &SystemSpec) -> String {
    let mut text = String::new();
    for accelerator in &system.accelerators {
        text += &format!("{} {:?}\n", accelerator.name, system.models[accelerator.model]);
    }
    sha256(text.as_bytes())
}
