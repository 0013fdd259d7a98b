//! Laws of several memories: what they have to do with one, and with systems of their own.

use std::sync::Arc;

use proptest::prelude::*;

use super::carries_no_more_than_lambda;
use super::fixed::{Fixed, ROUNDING_PS, any_fixed, assert_near};
use crate::check::testing::{any_case, chaos_records, trace};
use crate::hw::{Placement, Sharing};
use crate::limits::Relaxation;
use crate::sim::{JobId, LayerModel, Link, Memories, Record, Request, RequestId, SubJobId};
use crate::units::{Bytes, Time};

/// The records about layers and requests that have ended, without the times of decisions.
fn runs(fixed: &Fixed) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    fixed.run(&mut records);
    records.retain_mut(|record| match record {
        Record::Start { assigned, .. } => {
            *assigned = Time::ZERO;
            true
        }
        record => matches!(record, Record::Finish { .. } | Record::Done { .. }),
    });
    records
}

/// Two systems as one, with a memory of each, and the system of each job.
fn joined(one: &Fixed, other: &Fixed) -> (Fixed, Vec<usize>) {
    let mut both = one.clone();
    let counts = [one, other].map(|fixed| fixed.order.len());
    let memories = Memories {
        shares: vec![0.5; 2],
        of: (0..2).flat_map(|system| vec![system; counts[system]]).collect(),
        ..Memories::default()
    };
    both.case.platform.accelerators.extend(other.case.platform.accelerators.clone());
    both.case.platform.bandwidth_bytes_per_ps *= 2.0;
    both.case.platform.memories = Arc::new(memories);
    let padded = |fixed: &Fixed, before: usize, after: usize| -> Vec<Vec<LayerModel>> {
        let mut networks = fixed.case.networks.clone();
        for layer in networks.iter_mut().flatten() {
            let own = std::mem::take(&mut layer.costs);
            layer.costs = [vec![None; before], own, vec![None; after]].concat();
        }
        networks
    };
    both.case.networks = padded(one, 0, counts[1]);
    both.case.networks.extend(padded(other, counts[0], 0));
    let of = |system: usize, fixed: &Fixed| -> Vec<(usize, Request)> {
        let first = if system == 0 { 0 } else { one.case.networks.len() as u32 };
        let shifted = |request: &Request| Request { network: first + request.network, ..*request };
        fixed.case.trace.requests.iter().map(|request| (system, shifted(request))).collect()
    };
    let mut requests = [of(0, one), of(1, other)].concat();
    requests.sort_by_key(|(_, request)| request.arrival);
    let systems: Vec<usize> = requests.iter().map(|(system, _)| *system).collect();
    both.case.trace = trace(&requests.into_iter().map(|(_, request)| request).collect::<Vec<_>>());
    let places = |system: usize| (0..).zip(&systems).filter(move |(_, of)| **of == system);
    let numbers = [0, 1].map(|system| places(system).map(|(job, _)| JobId(job)).collect::<Vec<JobId>>());
    let renamed = |system: usize, fixed: &Fixed| {
        let rename = |sub: &SubJobId| SubJobId { job: numbers[system][sub.job.0 as usize], ..*sub };
        fixed.order.iter().map(|order| order.iter().map(rename).collect()).collect::<Vec<Vec<_>>>()
    };
    both.order = [renamed(0, one), renamed(1, other)].concat();
    (both, systems)
}

/// The records of one of two systems, with the numbers that they have there.
fn of_system(records: &[Record], system: usize, systems: &[usize], one: &Fixed) -> Vec<Record> {
    let own = |job: usize| systems[..job].iter().filter(|of| **of == system).count() as u32;
    let (lanes, networks) = match system {
        0 => (0, 0),
        _ => (one.order.len(), one.case.networks.len() as u32),
    };
    let is_own = |record: &&Record| record.request().is_some_and(|of| systems[of.0 as usize] == system);
    let mut found: Vec<Record> = records.iter().filter(is_own).copied().collect();
    for record in &mut found {
        match record {
            Record::Start { sub_job, network, accelerator, .. }
            | Record::Finish { sub_job, network, accelerator, .. } => {
                sub_job.job = JobId(own(sub_job.job.0 as usize));
                *network -= networks;
                *accelerator -= lanes;
            }
            Record::Done { request, job, asked, .. } => {
                (*request, *job) = (RequestId(own(request.0 as usize)), JobId(own(job.0 as usize)));
                asked.network -= networks;
            }
            _ => {}
        }
    }
    found
}

/// Two or three memories with the accelerators in turn, joined in a chain.
fn chained(accelerators: usize, parts: &[f64], link: f64, placement: Placement) -> Arc<Memories> {
    let all: f64 = parts.iter().sum();
    let link = |number| Link { between: [number, number + 1], bytes_per_ps: link, pj_per_byte: 0.0 };
    Arc::new(Memories {
        shares: parts.iter().map(|part| part / all).collect(),
        of: (0..accelerators).map(|accelerator| accelerator % parts.len()).collect(),
        links: (1..parts.len()).map(|number| link(number - 1)).collect(),
        placement,
        ..Memories::default()
    })
}

fn any_placement() -> impl Strategy<Value = Placement> {
    prop_oneof![Just(Placement::Local), Just(Placement::Home), Just(Placement::Interleaved)]
}

proptest! {
    /// What nothing crosses are two systems: every record about a layer or a request is one of theirs, to the bit.
    #[test]
    fn two_memories_are_two_systems(one in any_fixed(), mut other in any_fixed()) {
        other.case.platform.bandwidth_bytes_per_ps = one.case.platform.bandwidth_bytes_per_ps;
        let (both, systems) = joined(&one, &other);
        let records = runs(&both);
        prop_assert_eq!(of_system(&records, 0, &systems, &one), runs(&one));
        prop_assert_eq!(of_system(&records, 1, &systems, &one), runs(&other));
    }

    /// Data that lie in all memories behind links without end are in one.
    #[test]
    fn interleaved_memories_behind_fast_links_are_one(
        fixed in any_fixed(),
        parts in prop::collection::vec(0.1..1.0f64, 2..4),
    ) {
        let mut parted = fixed.clone();
        let accelerators = fixed.order.len();
        parted.case.platform.memories = chained(accelerators, &parts, f64::INFINITY, Placement::Interleaved);
        assert_near(parted.ends(), fixed.ends(), ROUNDING_PS);
    }

    /// lambda* and the bound of the SLA rate hold for every placement.
    #[test]
    fn no_run_exceeds_the_bounds(
        mut case in any_case(1..=4),
        placement in any_placement(),
        parts in prop::collection::vec(0.1..1.0f64, 2..4),
        link in 0.1..2.0f64,
    ) {
        prop_assume!(!matches!(case.platform.sharing, Sharing::Score | Sharing::Knee));
        case.max_sub_job = None;
        let link = link * case.platform.bandwidth_bytes_per_ps;
        let accelerators = case.platform.accelerators.len();
        case.platform.memories = chained(accelerators, &parts, link, placement);
        // Accelerators of a model have equal costs, which memories make differ.
        case.platform.accelerators.iter_mut().enumerate().for_each(|(m, accelerator)| accelerator.model = m);
        carries_no_more_than_lambda(&case)?;
        let met = chaos_records(&case).iter().filter(|record| record.met() == Some(true)).count();
        let mut whole = case.trace.clone();
        whole.measured = 0..whole.requests.len();
        let bound = Relaxation::new(&case.world(), &whole).expect("nothing follows or is forwarded").most_met();
        prop_assert!(met <= bound, "{met} requests are met, and at most {bound} can be");
    }

    /// Twice the bytes take as long behind memories and links of twice the bandwidth.
    #[test]
    fn bytes_and_bandwidths_scale_together(
        mut fixed in any_fixed(),
        placement in any_placement(),
        parts in prop::collection::vec(0.1..1.0f64, 2..4),
        link in 0.1..2.0f64,
    ) {
        let link = link * fixed.case.platform.bandwidth_bytes_per_ps;
        let accelerators = fixed.order.len();
        fixed.case.platform.memories = chained(accelerators, &parts, link, placement);
        let mut twice = fixed.clone();
        twice.case.platform.bandwidth_bytes_per_ps *= 2.0;
        twice.case.platform.memories = chained(accelerators, &parts, 2.0 * link, placement);
        for cost in twice.case.networks.iter_mut().flatten().flat_map(|layer| layer.costs.iter_mut().flatten()) {
            cost.dram_bytes = Bytes(2 * cost.dram_bytes.0);
        }
        prop_assert_eq!(twice.ends(), fixed.ends());
    }
}
