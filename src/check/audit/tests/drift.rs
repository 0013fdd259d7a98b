//! The run under conditions that change, and what is found in it when they are told wrongly or not obeyed.

use super::*;

/// Half speed from 3 ns on and full speed from 40 ns on with half the bandwidth; accelerator 1 is lost at 205 ns, when it
/// runs the first layer of request 5.
fn drift(world: &World) -> Drift {
    let change = |at| Change { at: Time(at), speed: None, bandwidth_bytes_per_ps: None, loss: None };
    let left = world.without(&[1]).expect("accelerator 0 can run everything");
    Drift::new(vec![
        Change { speed: Some(0.5), ..change(3_000) },
        Change { speed: Some(1.0), bandwidth_bytes_per_ps: Some(5e-3), ..change(40_000) },
        Change { loss: Some(Losing { accelerators: vec![1], world: Arc::new(left) }), ..change(205_000) },
    ])
}

fn places(example: &Example) -> Vec<usize> {
    let is_told = |event: &Event| matches!(event, Event::Record(Record::Drift { .. }, _));
    (0..example.events.len()).filter(|&place| is_told(&example.events[place])).collect()
}

/// Changes the n-th change that is told.
fn told(example: &mut Example, n: usize, tamper: impl Fn(&mut Record)) {
    let place = places(example)[n];
    if let Event::Record(record, _) = &mut example.events[place] {
        tamper(record);
    }
}

#[test]
fn the_drifting_run_passes_and_takes_longer() {
    let example = Example::under(drift);
    assert_eq!(places(&example).len(), 3);
    let (drifting, plain) = (example.verdict().unwrap(), Example::new().verdict().unwrap());
    assert_eq!(drifting.arrived, plain.arrived);
    assert!(drifting.window > plain.window, "{:?}, {:?}", drifting.window, plain.window);
    // Layer 0 of request 5 ends where it runs, and layer 1 goes to the other accelerator.
    let last = example.events.iter().rev().find_map(|event| match event {
        Event::Record(Record::Finish { accelerator, sub_job, .. }, _) => Some((*accelerator, sub_job.layer)),
        _ => None,
    });
    assert_eq!(last, Some((0, 1)));
}

#[test]
fn what_is_told_wrongly_or_not_obeyed_is_found() {
    type Tamper = fn(&mut Example);
    let wrong: [(&str, Tamper); 9] = [
        ("conditions do not change at 3000 ps", |example| {
            let place = places(example)[0];
            example.events.remove(place);
        }),
        // The loss asks for a decision, which nothing explains without it.
        ("a decision that the trigger does not ask for", |example| {
            let place = places(example)[2];
            example.events.remove(place);
        }),
        ("the next change is due at 40000 ps", |example| {
            let place = places(example)[0];
            let again = example.events[place].clone();
            example.events.insert(place, again);
        }),
        ("conditions are", |example| {
            told(example, 0, |record| {
                if let Record::Drift { speed, .. } = record {
                    *speed = 0.6
                }
            });
        }),
        ("conditions are", |example| {
            told(example, 1, |record| {
                if let Record::Drift { bandwidth_bytes_per_ps, .. } = record {
                    *bandwidth_bytes_per_ps *= 2.0;
                }
            });
        }),
        ("conditions are", |example| {
            told(example, 2, |record| {
                if let Record::Drift { lost, .. } = record {
                    *lost = 2
                }
            });
        }),
        ("the next change is due at 18446744073709551615 ps", |example| example.rules.drift = Drift::NONE),
        // The engine made half of the speed, the rules say a quarter, and so do the records.
        ("recorded bandwidth", |example| {
            let mut changes = example.rules.drift.to_vec();
            changes[0].speed = Some(0.25);
            example.rules.drift = Drift::new(changes);
            told(example, 0, |record| {
                if let Record::Drift { speed, .. } = record {
                    *speed = 0.25
                }
            });
        }),
        // A layer that starts on the lost accelerator.
        ("cannot run", |example| {
            let starts = example.events.iter_mut().rev().find_map(|event| match event {
                Event::Record(Record::Start { accelerator, .. }, _) => Some(accelerator),
                _ => None,
            });
            *starts.expect("something starts") = 1;
        }),
    ];
    for (what, tamper) in wrong {
        let mut example = Example::under(drift);
        tamper(&mut example);
        let violation = example.verdict().expect_err(what);
        assert!(violation.what.contains(what), "{violation}, not {what}");
    }
}
