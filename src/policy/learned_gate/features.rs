//! The features that the policy sees. They have no units: times are relative to each other, bytes to the delivered
//! bandwidth. Each is cut to [-4, 4]. s is the time to the deadline, R best-case work left, W the mean best-case work
//! of a request of the platform's networks, M the number of accelerators, B the delivered bandwidth.
//!
//! | of the queue | |
//! |---|---|
//! | length | ln(1 + jobs) / 2 |
//! | backlog | sum of R / (M W) |
//! | backlog of bytes | sum of bytes left / (B W) |
//! | demand | sum of b of what runs / B |
//! | busy | share of accelerators that run something |
//! | missed | share of requests that missed, fading over 30 requests |
//! | offered work | best-case work that arrives per time / M, fading over 20 W |
//! | offered bytes | bytes that arrive per time / B, likewise |
//! | period | ln(time to the next decision / mean best-case layer) / 2; 0 without periods |
//! | term | mean ln((d - a) / isolated latency) of requests, fading over 30 of them |
//! | intensity | ln(M x bytes / (B x best-case work)), over all networks |
//! | scarcity | 4 ln(A / (1.5 B)), at least 0; A is what all accelerators would ask for if each ran all layers of all networks in turn |
//!
//! | of a job | |
//! |---|---|
//! | work / slack | R / s |
//! | path / slack | critical path left / s |
//! | bytes / slack | bytes left / (B s) |
//! | slack | ln(s / isolated latency) |
//! | size | ln(R / W) |
//! | done | 1 - R / best-case work of the whole |
//! | running | 1 if one of its layers runs |
//! | load before | work of those with earlier deadlines, itself included, / (M s) |
//! | bytes before | bytes of those / (B s) |
//! | rank | place by deadline / jobs |
//! | largest | the largest best-case layer from its first open layer on / s |
//! | demand | b of its first open layer on its fastest accelerator / B |
//! | spread of bytes | ln(DRAM bytes of that layer / least DRAM bytes), as a mean over accelerators |
//! | spread of speed | ln(c1 of that layer / best c1), as a mean over accelerators |
//! | open | open sub-jobs / 4 |

use super::layers::{Layers, OfLayer};
use crate::policy::dense;
use crate::policy::net::{LANES, Lanes};
use crate::sim::{JobId, PairCost, Record, SubJobView, View};
use crate::units::Time;

const QUEUE_FEATURES: usize = 12;
pub(super) const OWN_FEATURES: usize = 15;
pub(super) const JOB_FEATURES: usize = OWN_FEATURES + QUEUE_FEATURES;
/// The index of the scarcity.
pub(super) const SCARCITY: usize = JOB_FEATURES - 1;

/// Where the inputs that a net had before there was a scarcity are among those of this version.
pub(super) fn all_but_scarcity<const INPUTS: usize>() -> [usize; INPUTS] {
    std::array::from_fn(|input| if input < SCARCITY { input } else { input + 1 })
}

/// The features about bytes, as indices into the tables above, with a job's own features first: the queue's begin at 15.
pub(super) const OF_BYTES: [usize; 9] = [2, 8, 11, 12, 17, 18, 22, 25, SCARCITY];

/// The number of requests over which past events fade. Our choice, because it is a few times the number in flight.
const FADING: f64 = 30.0;
/// The time over which arrivals fade, in units of a mean request's work. Our choice, because it is long against a
/// request and short against a trace.
const FADING_WORK: f64 = 20.0;

/// The DRAM is short where all accelerators would ask for more than this many times what it gives. Our choice: on hetero-4, -6 and
/// -8, weights that had not seen the scarcity gained by larger judgements of accelerators above it, and not below.
const SHORT: f64 = 1.5;
/// What scarcity counts. Our choice, because it is then about 2 on hetero-6 at 16 GB/s, as large as other features.
const OF_SCARCITY: f64 = 4.0;

/// Figures of the platform, taken from the first view.
struct Scale {
    work_ps: f64,
    layer_ps: f64,
    intensity: f64,
    scarcity: f64,
    bytes_per_ps: f64,
    accelerators: f64,
}

impl Scale {
    fn of(view: &View) -> Self {
        let networks = &view.world().networks;
        let work_ps: f64 = networks.iter().map(|network| network.total_best.as_ps()).sum();
        let bytes: f64 = networks.iter().map(|network| network.total_bytes as f64).sum();
        let layers: f64 = networks.iter().map(|network| network.layers.len() as f64).sum();
        let (bytes_per_ps, accelerators) = (view.total_bandwidth(), view.accelerators().len() as f64);
        Self {
            work_ps: work_ps / networks.len() as f64,
            layer_ps: work_ps / layers,
            intensity: (accelerators * bytes / (bytes_per_ps * work_ps)).ln(),
            scarcity: OF_SCARCITY * (asked(view) / (SHORT * bytes_per_ps)).ln().max(0.0),
            bytes_per_ps,
            accelerators,
        }
    }
}

/// The bandwidth that all accelerators would ask for if each ran all layers in turn. Unlike the intensity, which takes all for the
/// fastest, this tells systems whose DRAM is short from those whose accelerators are unequal. Like the other figures of the
/// platform it stays as it was at the first view.
fn asked(view: &View) -> f64 {
    let of_accelerator = |accelerator: usize| {
        let costs = view.world().networks.iter().flat_map(|network| network.costs.column(accelerator));
        let add =
            |(bytes, ps): (f64, f64), cost: &PairCost| (bytes + cost.dram_bytes(), ps + cost.alone.as_ps());
        let (bytes, ps) = costs.flatten().fold((0.0, 0.0), add);
        if ps > 0.0 { bytes / ps } else { 0.0 }
    };
    (0..view.accelerators().len()).map(of_accelerator).sum()
}

/// A summary of past events.
#[derive(Default)]
struct History {
    youngest: Option<JobId>,
    at: Time,
    /// Sums of arrived work and bytes that fade with time.
    work_ps: f64,
    bytes: f64,
    missed: f64,
    term: f64,
}

/// The features of a view; the buffers are kept between decisions.
#[derive(Default)]
pub(super) struct Observation {
    scale: Option<Scale>,
    history: History,
    queue: [f32; QUEUE_FEATURES],
    /// The jobs in order of deadline.
    ranked: Vec<(Time, usize)>,
    layers: Layers,
    /// By the index in the view: the index of the first open sub-job of a job, and how many are open.
    open: Vec<(usize, u32)>,
    /// By the index in the view: the rank of a job, and the work in ps and the bytes that are due by its deadline.
    before: Vec<(usize, f64, f64)>,
}

/// A feature, cut to [-4, 4].
#[inline]
pub(super) fn cut(x: f64) -> f32 {
    // NaN, as from 0 / 0 on a platform without traffic, becomes 0.
    if x.is_nan() { 0.0 } else { (x as f32).clamp(-4.0, 4.0) }
}

/// Features, cut. A loop, because `map` of an array is not inlined across codegen units.
#[inline]
pub(super) fn all_cut<const N: usize>(features: [f64; N]) -> [f32; N] {
    let mut all = [0.0; N];
    for i in 0..N {
        all[i] = cut(features[i]);
    }
    all
}

impl Observation {
    pub(super) fn observe(&mut self, record: &Record) {
        let Some(met) = record.met() else { return };
        self.history.missed += (f64::from(u8::from(!met)) - self.history.missed) / FADING;
    }

    /// Computes the features that all jobs share; returns the number of comparisons that this took.
    pub(super) fn take(&mut self, view: &View) -> u64 {
        let scale = self.scale.get_or_insert_with(|| Scale::of(view));
        self.history.update(view, scale);
        self.layers.take(view);
        let jobs = view.jobs();
        self.open.clear();
        self.open.resize(jobs.len(), (0, 0));
        for (place, sub) in view.sub_jobs().iter().enumerate() {
            let (first, count) = &mut self.open[sub.job];
            if *count == 0 {
                *first = place;
            }
            *count += 1;
        }
        self.ranked.clear();
        self.ranked.extend(jobs.iter().enumerate().map(|(i, job)| (job.deadline, i)));
        self.ranked.sort_unstable();
        self.before.clear();
        self.before.resize(jobs.len(), (0, 0.0, 0.0));
        let (mut work_ps, mut bytes) = (0.0, 0.0);
        for (rank, &(_, i)) in self.ranked.iter().enumerate() {
            work_ps += jobs[i].remaining_best.as_ps();
            bytes += jobs[i].unstarted_bytes as f64;
            self.before[i] = (rank, work_ps, bytes);
        }
        let lanes = view.accelerators();
        let demand: f64 = lanes.iter().map(|lane| lane.demand_bytes_per_ps).sum();
        let busy = lanes.iter().filter(|lane| lane.running.is_some()).count() as f64;
        let period = view
            .next_decision()
            .map_or(0.0, |tick| ((tick - view.now()).as_ps() / scale.layer_ps).ln() / 2.0);
        let Scale { work_ps: mean_ps, bytes_per_ps, accelerators, .. } = *scale;
        let fading_ps = FADING_WORK * mean_ps;
        self.queue = all_cut([
            (1.0 + jobs.len() as f64).ln() / 2.0,
            work_ps / (accelerators * mean_ps),
            bytes / (bytes_per_ps * mean_ps),
            demand / bytes_per_ps,
            busy / accelerators,
            self.history.missed,
            self.history.work_ps / (accelerators * fading_ps),
            self.history.bytes / (bytes_per_ps * fading_ps),
            period,
            self.history.term,
            scale.intensity,
            scale.scarcity,
        ]);
        let n = jobs.len() as u64;
        n * u64::from(n.next_power_of_two().ilog2()) + 2 * n
    }

    pub(super) fn layers(&self) -> &Layers {
        &self.layers
    }

    /// What is known of the first open layer of a job.
    pub(super) fn first_open(&self, view: &View, job: usize) -> OfLayer {
        match self.first_open_sub_job(view, job) {
            None => OfLayer::default(),
            Some(sub) => *self.layers.of_layer(view.jobs()[job].network, sub.id.layer),
        }
    }

    /// The first open sub-job of a job.
    pub(super) fn first_open_sub_job<'a>(&self, view: &View<'a>, job: usize) -> Option<&'a SubJobView> {
        let (first, count) = self.open[job];
        (count > 0).then(|| &view.sub_jobs()[first])
    }

    /// The inputs of the net that all jobs share.
    pub(super) fn queue(&self) -> [Lanes; JOB_FEATURES] {
        let mut features = [[0.0; LANES]; JOB_FEATURES];
        for (row, feature) in features[OWN_FEATURES..].iter_mut().zip(self.queue) {
            *row = [feature; LANES];
        }
        features
    }

    /// The inputs of the net for one job.
    pub(super) fn job(&self, view: &View, job: usize) -> [f32; OWN_FEATURES] {
        let scale = self.scale.as_ref().expect("the view was taken");
        let shown = &view.jobs()[job];
        let network = view.network_of(shown);
        let slack_ps = slack_ps(view, shown.deadline);
        let (rank, work_ps, bytes) = self.before[job];
        let left_ps = shown.remaining_best.as_ps();
        let per_slack = 1.0 / slack_ps;
        let layer = self.first_open(view, job);
        let bytes_per_slack = per_slack / scale.bytes_per_ps;
        all_cut([
            left_ps * per_slack,
            shown.shortest_left.as_ps() * per_slack,
            shown.unstarted_bytes as f64 * bytes_per_slack,
            ln(slack_ps / network.isolated.as_ps()),
            ln(left_ps / scale.work_ps),
            1.0 - left_ps / network.total_best.as_ps(),
            f64::from(u8::from(shown.running)),
            work_ps / scale.accelerators * per_slack,
            bytes * bytes_per_slack,
            (rank + 1) as f64 / view.jobs().len() as f64,
            layer.largest_ps * per_slack,
            layer.demand / scale.bytes_per_ps,
            layer.spread_of_bytes,
            layer.spread_of_speed,
            f64::from(self.open[job].1) / 4.0,
        ])
    }
}

/// A natural logarithm that is exact enough for features.
pub(super) fn ln(x: f64) -> f64 {
    f64::from(dense::ln(x as f32))
}

/// The slack in picoseconds; at least a microsecond, as in the scores of `scheduler/placing.rs`.
pub(super) fn slack_ps(view: &View, deadline: Time) -> f64 {
    deadline.saturating_sub(view.now()).as_ps().max(1e6)
}

impl History {
    fn update(&mut self, view: &View, scale: &Scale) {
        let fade = (-(view.now() - self.at).as_ps() / (FADING_WORK * scale.work_ps)).exp();
        self.at = view.now();
        self.work_ps *= fade;
        self.bytes *= fade;
        let known = self.youngest;
        for job in view.jobs().iter().rev().take_while(|job| Some(job.id) > known) {
            let network = view.network_of(job);
            self.work_ps += network.total_best.as_ps();
            self.bytes += network.total_bytes as f64;
            let factor = (job.deadline - job.arrival).as_ps() / network.isolated.as_ps();
            self.term += (factor.ln() - self.term) / FADING;
        }
        self.youngest = self.youngest.max(view.jobs().last().map(|job| job.id));
    }
}
