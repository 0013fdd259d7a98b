//! One small run from which every metric's test takes its numbers, and a way to fold any other run.

use std::sync::Arc;

use super::{Context, Metrics};
use crate::check::{Script, layer, network_to_accelerator, plain_rules, platform, request, world};
use crate::sim::{
    Decision, DecisionCost, DramPower, Engine, Gating, Host, JobView, Recorder, Rules, Trace, View, World,
    run,
};
use crate::units::{Picojoules, Time};

/// A run to fold: by default [`Example::new`]'s.
pub(super) struct Example {
    pub(super) world: World,
    pub(super) trace: Trace,
    pub(super) rules: Rules,
    /// Whether the scheduler gives request 3 up.
    pub(super) drops: bool,
}

impl Example {
    /// Two accelerators at 10 bytes/ns max-min, each leaking 1 pJ/ns. Network 0 runs on m0: one layer of c 10 ns and
    /// b 10. Network 1 runs on m1: a layer of c 10, b 5, then one of c 20, b 0. Each layer takes 1 pJ, each sub-job in
    /// a view 5 pJ of deciding. Isolated latencies: 10 and 30.
    ///
    /// ```text
    /// request tenant network priority arrival deadline
    /// r0      0      0       1         0      far       warm-up
    /// r1      0      0       1         5      20        measured
    /// r2      1      1       4         5      35        measured
    /// r3      0      0       3        35      far       measured; dropped by the scheduler at 45
    /// r4      1      1       4        35      far       measured
    /// r5      0      0       1        60      far       after the count
    ///
    /// from-to DRAM   m0                   m1
    ///  0- 5   10     r0                   idle
    ///  5-15   10     r0 at rate 1/2       r2 layer 0
    /// 15-25   10     r1                   r2 layer 1
    /// 25-35    0     idle                 r2 layer 1
    /// 35-45   10     r3 at rate 1/2       r4 layer 0
    /// 45-50   10     r3, dropped          r4 layer 1
    /// 50-60    0     idle                 r4 layer 1
    /// 60-65   10     r5                   r4 layer 1, which ends the run
    /// ```
    ///
    /// So r1 ends at 25, 5 late; r2 ends at 35, just in time; r4 ends at 65. The window is 5 to 65. Decisions are taken
    /// at 0 on r0; 5 on r1, r2; 15 on r2 layer 1; 35 on r3, r4; 45 on r4 layer 1; 60 on r5: all ready.
    pub(super) fn new() -> Self {
        let (c10_b10, c10_b5, c20_b0) = ([(10.0, 10.0); 2], [(10.0, 5.0); 2], [(20.0, 0.0); 2]);
        let world = world(
            platform(2, 10.0),
            &[&[layer(&[], &c10_b10)], &[layer(&[], &c10_b5), layer(&[0], &c20_b0)]],
        );
        let arrivals = [(0, 0.0, 1), (0, 5.0, 1), (1, 5.0, 4), (0, 35.0, 3), (1, 35.0, 4), (0, 60.0, 1)];
        let mut requests = arrivals.map(|(network, at, priority)| {
            let mut request = request(network, at);
            request.priority = priority;
            request
        });
        requests[1].deadline = Time(20_000);
        requests[2].deadline = Time(35_000);
        let free_of_time = Host {
            base: Time::ZERO,
            macs_per_s: f64::INFINITY,
            comparisons_per_s: f64::INFINITY,
            pj_per_operation: 5.0,
        };
        Self {
            world,
            trace: Trace { requests: requests.to_vec(), measured: 1..5, ..Trace::default() },
            rules: Rules { decision_cost: DecisionCost::Host(free_of_time), ..plain_rules() },
            drops: true,
        }
    }

    pub(super) fn context(&self) -> Context {
        Context::of_run(&Arc::new(self.world.clone()))
    }

    /// Feeds the run to a recorder. Networks go to the accelerator of their number; whatever is open costs one
    /// multiply-accumulate; request 3 is dropped at 45, unless [`Self::drops`] is off.
    pub(super) fn record(&self, out: &mut dyn Recorder) {
        let decide = |view: &View, out: &mut Decision| {
            network_to_accelerator(view, out);
            out.operations.macs = view.sub_jobs().len() as u64;
            let dropped = |job: &&JobView| self.drops && job.request.0 == 3 && view.now() == Time(45_000);
            view.jobs().iter().filter(dropped).for_each(|job| out.drop_request(job.request));
        };
        let (world, trace) = (Arc::new(self.world.clone()), Arc::new(self.trace.clone()));
        run(Engine::new(world, trace, self.rules.clone()), &mut Script(decide), out)
            .expect("every sub-job is assigned where it can run");
    }

    /// A column of the run's results.
    pub(super) fn value(&self, column: &str) -> f64 {
        let mut metrics = Metrics::new(&self.context());
        self.record(&mut metrics);
        let place = Metrics::columns().position(|c| c.name == column).expect("the column exists");
        metrics.values()[place].as_f64()
    }

    /// Asserts columns of the run's results to 12 digits.
    pub(super) fn assert(&self, expected: &[(&str, f64)]) {
        for &(column, expected) in expected {
            let actual = self.value(column);
            assert!(
                (actual - expected).abs() <= 1e-12 * expected.abs(),
                "{column}: {actual}, not {expected}"
            );
        }
    }
}

/// [`Example::new`] with more than leakage: m0 has a clock of 2 pJ/ns, and is off after 7 ns, when it draws a quarter and
/// takes 6 pJ to wake up; m1 is off as soon as it is idle, and then draws nothing. The DRAM draws 0.5 + 0.25 pJ/ns.
pub(super) fn standby_example() -> Example {
    let mut example = Example::new();
    let platform = &mut example.world.platform;
    platform.accelerators[0].clock_pj_per_ps = 2e-3;
    let gating =
        |after, residual, wake| Some(Gating { after: Time(after), residual, wake: Picojoules(wake) });
    platform.accelerators[0].gating = gating(7_000, 0.25, 6.0);
    platform.accelerators[1].gating = gating(0, 0.0, 0.0);
    platform.dram_power = DramPower { background_pj_per_ps: 0.5e-3, refresh_pj_per_ps: 0.25e-3 };
    example
}
