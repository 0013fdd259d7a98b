//! Checks what several memories and links carry.

use super::{Check, TOLERANCE, ensure};
use crate::hw::Sharing;
use crate::sim::SubJobId;

/// What a layer in execution takes; bandwidths in bytes per picosecond.
pub(super) struct Takes<'a> {
    pub(super) sub_job: SubJobId,
    pub(super) demand: f64,
    pub(super) grant: f64,
    /// The part of its bytes that each memory and link carries.
    pub(super) uses: &'a [f64],
}

/// Checks that no memory or link carries more than it can, and that a layer which gets less than it demands takes one that
/// carries all it can, except under `knee`.
pub(super) fn check_paths(capacities: &[f64], layers: &[Takes], sharing: Sharing) -> Check {
    let carried = |resource: usize| layers.iter().map(|of| of.uses[resource] * of.grant).sum::<f64>();
    let carried: Vec<f64> = (0..capacities.len()).map(carried).collect();
    for (resource, (carried, capacity)) in carried.iter().zip(capacities).enumerate() {
        let fits = *carried <= capacity * (1.0 + TOLERANCE);
        ensure!(fits, "memory or link {resource} carries {carried} bytes/ps, but at most {capacity}");
    }
    let is_full = |resource: usize| carried[resource] >= capacities[resource] * (1.0 - TOLERANCE);
    for Takes { sub_job, demand, grant, uses } in layers.iter().filter(|_| sharing != Sharing::Knee) {
        let is_met = *grant >= demand * (1.0 - TOLERANCE);
        let is_held = (0..capacities.len()).any(|resource| uses[resource] > 0.0 && is_full(resource));
        ensure!(is_met || is_held, "{sub_job:?} gets {grant} of {demand} bytes/ps, and nothing limits it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::JobId;

    /// Two layers that demand 20 each, with these grants, of two memories of 10 and a link of 4 that the second takes.
    fn verdict(grants: [f64; 2], sharing: Sharing) -> Check {
        let uses = [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]];
        let takes = |job: usize| Takes {
            sub_job: SubJobId { job: JobId(job as u32), layer: 0 },
            demand: 20.0,
            grant: grants[job],
            uses: &uses[job],
        };
        check_paths(&[10.0, 10.0, 4.0], &[takes(0), takes(1)], sharing)
    }

    #[test]
    fn who_gets_less_is_limited_by_what_is_full_and_nothing_is_fuller() {
        assert_eq!(verdict([10.0, 4.0], Sharing::MaxMin), Ok(()));
        let said = verdict([10.5, 4.0], Sharing::MaxMin).expect_err("more than the memory has");
        assert_eq!(said, "memory or link 0 carries 10.5 bytes/ps, but at most 10");
        let said = verdict([10.0, 5.0], Sharing::MaxMin).expect_err("more than the link has");
        assert_eq!(said, "memory or link 2 carries 5 bytes/ps, but at most 4");
        let said = verdict([9.0, 4.0], Sharing::MaxMin).expect_err("the first could have more");
        assert!(said.contains("gets 9 of 20 bytes/ps, and nothing limits it"), "{said}");
        assert_eq!(verdict([9.0, 3.0], Sharing::Knee), Ok(()));
    }
}
