//! The closed forms that need more than a line.

/// M/M/k.
pub(crate) struct Erlang {
    pub(crate) servers: usize,
    /// lambda.
    pub(crate) arrivals: f64,
    /// mu of one server.
    pub(crate) services: f64,
}

impl Erlang {
    /// Erlang C: the probability that an arrival finds all servers busy.
    pub(crate) fn waits(&self) -> f64 {
        let offered = self.arrivals / self.services;
        // Erlang B by its recursion over the servers.
        let blocked = (1..=self.servers).fold(1.0, |b, k| offered * b / (k as f64 + offered * b));
        let rho = offered / self.servers as f64;
        blocked / (1.0 - rho * (1.0 - blocked))
    }

    /// The mean time in the system.
    pub(crate) fn time(&self) -> f64 {
        let spare = self.servers as f64 * self.services - self.arrivals;
        1.0 / self.services + self.waits() / spare
    }
}

/// M/M/1//n, the machine repairman: customers of one server who think for an exponential time; services take 1.
pub(crate) struct Repairman {
    pub(crate) customers: usize,
    /// Mean think time.
    pub(crate) think: f64,
}

impl Repairman {
    /// Jobs per unit of time: the server is idle with probability 1 / sum over k of n! / (n - k)! / think^k.
    pub(crate) fn throughput(&self) -> f64 {
        let mut term = 1.0;
        let mut sum = 1.0;
        for k in 0..self.customers {
            term *= (self.customers - k) as f64 / self.think;
            sum += term;
        }
        1.0 - 1.0 / sum
    }

    /// The mean time at the server: the cycle without the thinking.
    pub(crate) fn time(&self) -> f64 {
        self.customers as f64 / self.throughput() - self.think
    }

    /// The mean number at the server.
    pub(crate) fn number(&self) -> f64 {
        self.throughput() * self.time()
    }
}

/// The mean times of two classes that share one processor in the ratio of their weights, with exponential sizes.
/// Fayolle, Mitrani and Iasnogorodski, Sharing a processor among many job classes, JACM 27(3), 1980.
pub(crate) fn discriminatory(rho: [f64; 2], mu: [f64; 2], weight: [f64; 2]) -> [f64; 2] {
    let idle = 1.0 - rho[0] - rho[1];
    let d = mu[0] * weight[0] * (1.0 - rho[0]) + mu[1] * weight[1] * (1.0 - rho[1]);
    let time = |i: usize, other: usize| {
        (1.0 + mu[i] * rho[other] * (weight[other] - weight[i]) / d) / (mu[i] * idle)
    };
    [time(0, 1), time(1, 0)]
}

#[test]
fn the_formulas_have_their_known_values() {
    // M/M/1; and two servers at half load: P(wait) = 1/3 and T = 4/3 by hand.
    assert!((Erlang { servers: 1, arrivals: 0.6, services: 1.0 }.time() - 2.5).abs() < 1e-12);
    let two = Erlang { servers: 2, arrivals: 1.0, services: 1.0 };
    assert!((two.waits() - 1.0 / 3.0).abs() < 1e-12 && (two.time() - 4.0 / 3.0).abs() < 1e-12);
    // Nobody waits for others where there are none; two who think as long as they are served: p0 = 1 / 5.
    let one = Repairman { customers: 1, think: 3.0 };
    assert!((one.throughput() - 0.25).abs() < 1e-12 && (one.time() - 1.0).abs() < 1e-12);
    assert!((Repairman { customers: 2, think: 1.0 }.throughput() - 0.8).abs() < 1e-12);
    // Equal weights share equally. With any weights the mean work is that of any work-conserving order:
    // sum of rho_i T_i = (sum of rho_i / mu_i) / (1 - rho) for exponential sizes.
    let (rho, mu) = ([0.3, 0.2], [2.0, 0.5]);
    let equal = discriminatory(rho, mu, [3.0, 3.0]);
    assert!((equal[0] - 1.0).abs() < 1e-12 && (equal[1] - 4.0).abs() < 1e-12, "{equal:?}");
    let times = discriminatory(rho, mu, [1.0, 7.0]);
    let work = rho[0] * times[0] + rho[1] * times[1];
    assert!((work - (0.3 / 2.0 + 0.2 / 0.5) / 0.5).abs() < 1e-12);
    assert!(times[0] > 1.2 && times[1] < 3.9, "{times:?}");
}
