//! A fleet of one site without links that launches every request at once is the plain run of that site.

use std::sync::Arc;

use mascot::check::cases::{Case, Size};
use mascot::serve::{
    self, Action, Client, Dispatch, Dispatcher, FleetModel, FleetView, Moment, Projection, ServedModel,
    ServedVariant, Site,
};
use mascot::sim::{self, DecisionCost, Late, LateRules, Origin, Record, Rules, Variation};
use mascot::units::Time;

/// Sends every request to site 0 and launches it there alone, at once.
struct Identity;

impl Dispatcher for Identity {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Arrived(request) => out.actions.push(Action::Send { request, site: 0 }),
            Moment::Free(site) | Moment::Wake(site) => {
                let models = 0..view.model().models.len();
                let mut queued: Vec<_> =
                    models.flat_map(|model| view.queue(model).map(move |of| (of.id, model))).collect();
                queued.sort_unstable();
                let launch = |(_, model)| Action::Launch { site, model, variant: 0, count: 1 };
                out.actions.extend(queued.into_iter().map(launch));
            }
        }
    }
}

/// One site with the networks of a case, each a model of its own; tenant i asks for network i, or begins again.
fn one_site(case: &Case) -> FleetModel {
    let world = Arc::new(case.world());
    let networks = 0..world.networks.len();
    let way: Arc<[u32]> = Arc::new([]);
    let client = |model| Client {
        model,
        node: 0,
        input_bytes: 1e6,
        output_bytes: 1e3,
        terms: Default::default(),
        ways: vec![Some([Arc::clone(&way), Arc::clone(&way)])],
    };
    let model = |network: usize| ServedModel {
        name: network.to_string(),
        batches: vec![1],
        variants: vec![ServedVariant {
            name: network.to_string(),
            accuracy: 1.0,
            weight_bytes: 0.0,
            networks: vec![network as u32],
        }],
    };
    let rules = Rules { late: LateRules::all(Late::Finish), ..case.rules.clone() };
    let deployed = networks.clone().map(|_| true).collect();
    FleetModel {
        sites: vec![Site {
            name: "here".into(),
            world,
            rules,
            slots: u32::MAX,
            deployed,
            cost_per_s: None,
            memory: None,
        }],
        models: networks.clone().map(model).collect(),
        wires: Vec::new(),
        clients: networks.clone().cycle().take(networks.len().max(TENANTS)).map(client).collect(),
        nodes: 1,
        report: Time::ZERO,
        dispatch_cost: DecisionCost::Ideal,
        late: case.rules.late.clone(),
        changes: Vec::new(),
    }
}

/// At least as many as the tenants of a case.
const TENANTS: usize = 8;

type Records = Vec<(Record, Origin)>;

/// The records about requests, and all others: within an instant, the fleet answers after all layers have ended. The
/// origins of layers name their request by its id, as a fleet's do.
fn parts(mut records: Records) -> [Records; 2] {
    for (record, origin) in &mut records {
        if let Record::Start { sub_job, .. }
        | Record::Phase { sub_job, .. }
        | Record::Finish { sub_job, .. } = record
        {
            origin.place = sub_job.job.0;
        }
    }
    let of_request = |(record, _): &(Record, Origin)| {
        matches!(
            record,
            Record::Arrival { .. } | Record::Done { .. } | Record::Drop { .. } | Record::End { .. }
        )
    };
    let (one, other) = records.into_iter().partition(of_request);
    [one, other]
}

#[test]
fn one_site_that_launches_at_once_gives_the_records_of_the_plain_run() {
    let (mut layers, mut following) = (0, 0);
    for seed in 0..1_000 {
        let mut case = Case::with_drift(seed, Size::of(seed));
        // Draws are by place, and to a site every order is new.
        case.rules.variation = Variation::NONE;
        let (followers, networks) = (case.trace.followers.len(), case.world().networks.len() as u32);
        for request in &mut case.trace.requests {
            // A tenant asks for one model. Followers know each other by their tenants.
            match followers {
                0 => request.tenant = request.network,
                _ => request.network = request.tenant % networks,
            }
            // What is late when it arrives never reaches a site.
            request.deadline = request.deadline.max(request.arrival.saturating_add(Time(1)));
        }
        for follower in &mut case.trace.followers {
            follower.within = follower.within.max(Time(1));
        }
        let mut plain = Records::new();
        let ran = sim::run(case.engine(), &mut case.chaos(), &mut plain);
        // What changes at a site is not passed on.
        plain.retain(|(record, _)| record.is_seen());
        let mut fleet = Records::new();
        let (model, trace) = (Arc::new(one_site(&case)), Arc::new(case.trace.clone()));
        let served = {
            let out = &mut Projection::new(&model, &mut fleet);
            serve::run(Arc::clone(&model), trace, vec![Box::new(case.chaos())], &mut Identity, out)
        };
        assert_eq!(ran.is_ok(), served.is_ok(), "seed {seed}: {case}: {ran:?}, {served:?}");
        if ran.is_err() {
            continue;
        }
        let follows =
            |(record, _): &&(Record, Origin)| matches!(record, Record::Arrival { after: Some(_), .. });
        following += plain.iter().filter(follows).count();
        layers += plain.iter().filter(|(record, _)| matches!(record, Record::Finish { .. })).count();
        for (plain, fleet) in parts(plain).iter().zip(&parts(fleet)) {
            let differs = plain.iter().zip(fleet).position(|(one, other)| one != other);
            let at = differs.unwrap_or(plain.len().min(fleet.len()));
            assert!(
                plain == fleet,
                "seed {seed}: {case}: record {at}: {:?} against {:?}",
                plain.get(at),
                fleet.get(at)
            );
        }
    }
    assert!(layers > 100_000, "{layers} layers are no test");
    assert!(following > 2_000, "{following} followers are no test");
}
