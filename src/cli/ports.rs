//! What binds an accelerator that runs alone: its own DRAM port, or the bandwidth that all share.

use std::collections::BTreeSet;

use super::table::Listing;
use crate::experiment::{DataRoot, Error};
use crate::plan::Case;

const COLUMNS: [(&str, &str); 4] = [
    ("system", "system"),
    ("DRAM GB/s", "dram_bandwidth_gbps"),
    ("delivered GB/s", "delivered_gbps"),
    ("bound by their own DRAM ports when alone, GB/s", "narrower_ports_gbps"),
];

/// A row per system and bandwidth at which some accelerator cannot take all that the DRAM delivers, even if it runs alone.
///
/// Where costs come from a table (`cost` of a system), ports have no meaning and no row.
///
/// # Errors
/// A system cannot be read.
pub(super) fn narrow_ports(cases: &[Case], data: &DataRoot) -> Result<Listing, Error> {
    let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
    for case in cases {
        let dram = &case.site.dram;
        if !seen.insert((&case.system, dram.bandwidth_gbps.to_bits(), dram.efficiency.to_bits())) {
            continue;
        }
        let system = data.system(&case.words[0])?;
        let delivered_gbps = dram.bandwidth_gbps * dram.efficiency;
        let ports = system.models.iter().map(|model| (&model.name, model.port_bytes_per_s() / 1e9));
        let narrow = ports.filter(|(_, gbps)| *gbps < delivered_gbps && system.cost.is_none());
        let narrow: Vec<String> = narrow.map(|(name, gbps)| format!("{name} {}", rounded(gbps))).collect();
        if !narrow.is_empty() {
            let bandwidths = [dram.bandwidth_gbps.to_string(), rounded(delivered_gbps)];
            rows.push([vec![case.system.clone()], bandwidths.to_vec(), vec![narrow.join(", ")]].concat());
        }
    }
    Ok(Listing { columns: &COLUMNS, numbers: 1..3, rows })
}

/// Two decimals at most.
fn rounded(gbps: f64) -> String {
    ((gbps * 100.0).round() / 100.0).to_string()
}
