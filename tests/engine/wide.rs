//! Does a system of more accelerators than a word has bits keep the invariants.

use mascot::check::{Audit, Case, Size, audit};
use mascot::scheduler::find;
use mascot::sim::{Record, Scheduler};

/// Audits a run, and counts the starts on accelerators beyond the first 64.
fn starts_beyond_a_word(case: &Case, scheduler: &mut dyn Scheduler) -> usize {
    let (world, mut records) = (case.world(), Vec::<Record>::new());
    let audit = Audit::new(&world, &case.trace, &case.rules);
    let (end, verdict) = audit::run(audit, case.engine(), scheduler, &mut records);
    end.unwrap_or_else(|error| panic!("{error}\n{case}"));
    verdict.unwrap_or_else(|violation| panic!("{violation}\n{case}"));
    let is_beyond = |record: &&Record| matches!(record, Record::Start { accelerator: 64.., .. });
    records.iter().filter(is_beyond).count()
}

/// The engine keeps sets of accelerators in words of 64; the audit counts in other ways.
#[test]
fn more_accelerators_than_bits_of_a_word_are_no_special_case() {
    let sizes = [65, 127, 128, 200, 1_024];
    let beyond = sizes.into_iter().enumerate().map(|(seed, accelerators)| {
        let size = Size { accelerators, networks: 3, layers: 6, requests: 200 };
        let case = Case::with_drift(seed as u64, size);
        let edf = (find("edf").expect("registered").build)(&toml::Table::new(), 1);
        starts_beyond_a_word(&case, &mut case.chaos())
            + starts_beyond_a_word(&case, edf.expect("no parameter is mandatory").as_mut())
    });
    let beyond: usize = beyond.sum();
    assert!(beyond > 200, "{beyond} layers started beyond the first 64 accelerators");
}
