//! Audits of runs on several memories.

use super::*;
use crate::check::cases::{Case, Size};
use crate::hw::Placement;

/// An audit that knows the memories otherwise than the engine finds what does not fit.
#[test]
fn a_run_on_other_memories_is_found_out() {
    let mut example = Example::new();
    let halves = |placement| Memories {
        shares: vec![0.5; 2],
        of: vec![0, 1],
        links: vec![Link { between: [0, 1], bytes_per_ps: 0.01, pj_per_byte: 0.0 }],
        placement,
        ..Memories::default()
    };
    for placement in [Placement::Local, Placement::Home] {
        example.world.platform.memories = Arc::new(halves(placement));
        let network = |(number, network): (usize, &mut NetworkModel)| {
            network.ways = (0..2).map(|m| halves(placement).way(number, m, 0.01)).collect();
        };
        example.world.networks.iter_mut().enumerate().for_each(network);
        let violation = example.verdict().expect_err("10 bytes/ns for all, not 5 each");
        assert!(violation.what.contains("recorded bandwidth"), "{violation}");
    }
}

/// Random runs with every placement pass, and others that the same cases would be without.
#[test]
fn random_cases_have_every_placement() {
    let mut seen = [0; 3];
    for seed in 0..400 {
        let case = Case::with_drift(seed, Size { accelerators: 4, networks: 3, layers: 6, requests: 12 });
        if case.platform.memories.is_one() {
            continue;
        }
        let (world, mut chaos) = (case.world(), case.chaos());
        let audit = Audit::new(&world, &case.trace, &case.rules);
        let (end, verdict) = crate::check::audit::run(audit, case.engine(), &mut chaos, &mut ());
        end.expect("legal, and never idle with everything held");
        assert!(verdict.is_ok(), "seed {seed}: {:?}\n{case}", verdict.err());
        seen[case.platform.memories.placement as usize] += 1;
    }
    assert!(seen.iter().all(|&cases| cases > 20), "{seen:?}");
}
