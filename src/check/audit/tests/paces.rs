//! The run with execution times that vary and changes of network that cost, and what is found in it when that is told wrongly.

use super::*;

const SWITCH: Switch = Switch { latency_ps: 2_000.0, dram_bytes: 10.0, energy: Picojoules(7.0) };

fn varying() -> Example {
    let spread = |world: &World| {
        let spread = Spread { distribution: Distribution::Gamma, cv: 0.2, correlation: 0.5, bias_cv: 0.1 };
        Variation::new(spread, 1, world)
    };
    Example::of(|_| Drift::NONE, spread, Switch::FREE)
}

fn switching() -> Example {
    Example::of(|_| Drift::NONE, |_| Variation::NONE, SWITCH)
}

/// The first record that is of a kind, by place.
fn first(example: &Example, is_it: impl Fn(&Record) -> bool) -> usize {
    let found = |event: &Event| matches!(event, Event::Record(record, _) if is_it(record));
    example.events.iter().position(found).expect("there is one")
}

/// What the audit says of a run in which the first record of a kind was changed.
fn verdict(mut example: Example, is_it: fn(&Record) -> bool, tamper: impl Fn(&mut Record)) -> String {
    let place = first(&example, is_it);
    if let Event::Record(record, _) = &mut example.events[place] {
        tamper(record);
    }
    example.verdict().unwrap_err().to_string()
}

#[test]
fn both_runs_pass() {
    let plain = Example::new().verdict().unwrap();
    for example in [varying(), switching()] {
        let found = example.verdict().unwrap();
        assert_eq!(found.arrived, plain.arrived);
        assert_ne!(found.busy, plain.busy);
    }
}

#[test]
fn wrong_paces_are_found() {
    let is_pace = |record: &Record| matches!(record, Record::Pace { .. });
    let said = verdict(varying(), is_pace, |record| {
        if let Record::Pace { pace, .. } = record {
            *pace *= 1.01;
        }
    });
    assert!(said.contains("pace: "), "{said}");
    let mut example = varying();
    let place = first(&example, is_pace);
    let pace = example.events[place].clone();
    example.events.insert(place, pace);
    assert!(example.verdict().unwrap_err().to_string().contains("changes its pace"));
    example.events.drain(place..place + 2);
    assert!(example.verdict().unwrap_err().to_string().contains("runs at no pace"));
    let mut calm = varying();
    calm.rules.variation = Variation::NONE;
    assert!(calm.verdict().unwrap_err().to_string().contains("execution times do not vary"));
}

#[test]
fn a_change_of_network_that_costs_nothing_or_too_much_is_found() {
    let is_second = |record: &Record| matches!(record, Record::Start { network: 1, .. });
    let said = verdict(switching(), is_second, |record| {
        if let Record::Start { alone, .. } = record {
            *alone = Time(20_000);
        }
    });
    assert!(said.contains("c1 of the layer: 20000 ps, not 22000 ps"), "{said}");
    let is_end = |record: &Record| matches!(record, Record::Finish { network: 1, .. });
    let said = verdict(switching(), is_end, |record| {
        if let Record::Finish { dram_bytes, .. } = record {
            *dram_bytes -= 10.0;
        }
    });
    assert!(said.contains("DRAM bytes of the layer: 120"), "{said}");
    let said = verdict(switching(), is_end, |record| {
        if let Record::Finish { energy, .. } = record {
            energy.0 -= 7.0;
        }
    });
    assert!(said.contains("energy of the layer"), "{said}");
}

#[test]
fn wrong_corrections_are_found() {
    let learning = || {
        let spread = |world: &World| {
            let spread =
                Spread { distribution: Distribution::Gamma, cv: 0.2, correlation: 0.5, bias_cv: 0.1 };
            Variation::new(spread, 1, world).estimated_by(Estimates::Ewma)
        };
        Example::of(|_| Drift::NONE, spread, Switch::FREE)
    };
    learning().verdict().unwrap();
    let is_correction = |record: &Record| matches!(record, Record::Corrected { .. });
    let said = verdict(learning(), is_correction, |record| {
        if let Record::Corrected { ratio, .. } = record {
            *ratio *= 1.01;
        }
    });
    assert!(said.contains("the correction is (network, accelerator, ratio)"), "{said}");
    let mut example = learning();
    let place = first(&example, is_correction);
    let correction = example.events.remove(place);
    assert!(example.verdict().unwrap_err().to_string().contains("estimates lack the correction"));
    let mut example = varying();
    let place = first(&example, |record| matches!(record, Record::Finish { .. }));
    example.events.insert(place + 1, correction);
    assert!(example.verdict().unwrap_err().to_string().contains("not None"));
}
