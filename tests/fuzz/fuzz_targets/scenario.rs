//! Scenario TOML: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::workload::Scenario;

fuzz_target!(|content: &[u8]| {
    let [networks, models] = ["workloads/networks", "workloads/models"].map(|folder| mascot_fuzz::ROOT.join(folder));
    if let Ok(scenario) = Scenario::read(&mascot_fuzz::file("scenario.toml", content), &networks, &models) {
        assert!((scenario.tenant_shares().iter().sum::<f64>() - 1.0).abs() < 1e-6);
    }
});
