//! Squishy bin packing (Nexus, algorithm 1): sessions, each a model with a rate and a time that a request has, are packed
//! onto servers.
//!
//! A session first fills whole servers with batches of the largest size whose service, twice, fits the time. What is left
//! of its rate gets the largest batch that gathers and is served in that time, which takes a share of a server: service
//! over duty cycle, the cycle being the time to gather it. Then, from the largest share down, servers are merged while all
//! of their batches fit into one cycle, the shortest of both; a shorter cycle makes the other batch smaller.

/// A model on a site.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// Its number.
    pub(super) session: usize,
    /// Requests per time.
    pub(super) rate: f64,
    /// The time that a request has at the site.
    pub(super) budget: f64,
    /// The service by size of the batch, ascending, from 1.
    pub(super) services: Vec<(usize, f64)>,
}

/// A batch of a session once a cycle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Turn {
    /// The server; all sessions together may need more than the site has, and then turns are late.
    pub(super) server: usize,
    pub(super) session: usize,
    pub(super) batch: usize,
    pub(super) cycle: f64,
}

/// What a batch gathers may exceed a whole number by this much (Nexus has the same in its code).
const ROUNDING: f64 = 1e-3;

impl Session {
    /// The service of a batch, padded to the next size.
    fn service(&self, batch: usize) -> Option<f64> {
        self.services.iter().find(|(size, _)| *size >= batch).map(|(_, service)| *service)
    }

    /// The largest size that a condition on size and service allows; else the smallest.
    fn largest(&self, allows: impl Fn(usize, f64) -> bool) -> (usize, f64) {
        let last = self.services.iter().rev().find(|(size, service)| allows(*size, *service));
        *last.unwrap_or(&self.services[0])
    }
}

/// A server that is not full: its cycle, and the sessions on it with their batches and rates.
struct Shared {
    cycle: f64,
    parts: Vec<(usize, usize, f64)>,
}

/// Packs sessions onto as many servers as they need, each onto `most` at most. Turns are sorted by server.
pub(super) fn pack(sessions: &[Session], most: usize) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut shared: Vec<(f64, Shared)> = Vec::new();
    let mut servers = 0;
    for (place, session) in sessions.iter().enumerate() {
        let (batch, service) = session.largest(|_, service| 2.0 * service <= session.budget);
        let full = (session.rate * service / batch as f64).floor();
        for _ in 0..most.min(full as usize) {
            turns.push(Turn { server: servers, session: session.session, batch, cycle: service });
            servers += 1;
        }
        let rest = session.rate - full * batch as f64 / service;
        if rest > 1e-9 * session.rate && full < most as f64 {
            let gathers = |size: usize, service: f64| service + size as f64 / rest <= session.budget;
            let (batch, service) = session.largest(gathers);
            let cycle = batch as f64 / rest;
            shared.push((service / cycle, Shared { cycle, parts: vec![(place, batch, rest)] }));
        }
    }
    shared.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut packed: Vec<(f64, Shared)> = Vec::new();
    for (occupied, of) in shared {
        let merges = packed.iter().enumerate().filter_map(|(place, (_, other))| {
            merge(sessions, other, &of).map(|(occupied, merged)| (occupied, place, merged))
        });
        // The best fit is the fullest server.
        match merges.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((occupied, place, merged)) => packed[place] = (occupied, merged),
            None => packed.push((occupied, of)),
        }
    }
    for (_, Shared { cycle, parts }) in packed {
        for (place, batch, _) in parts {
            turns.push(Turn { server: servers, session: sessions[place].session, batch, cycle });
        }
        servers += 1;
    }
    turns
}

/// Two servers in one, and its occupancy, if all batches fit into the shorter cycle.
fn merge(sessions: &[Session], a: &Shared, b: &Shared) -> Option<(f64, Shared)> {
    let cycle = a.cycle.min(b.cycle);
    let mut used = 0.0;
    let mut parts = Vec::new();
    for &(place, _, rate) in a.parts.iter().chain(&b.parts) {
        let batch = ((cycle * rate - ROUNDING).ceil() as usize).max(1);
        used += sessions[place].service(batch)?;
        parts.push((place, batch, rate));
    }
    (used <= cycle).then_some((used / cycle, Shared { cycle, parts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session with services for batches of 1, 4, 8 and 16.
    fn session(session: usize, rate: f64, budget: f64, services: [f64; 4]) -> Session {
        let sizes = [1, 4, 8, 16];
        Session { session, rate, budget, services: sizes.into_iter().zip(services).collect() }
    }

    const A: [f64; 4] = [40.0, 50.0, 75.0, 100.0];

    /// A budget of 200 allows batches of 16 in 100: 0.16 a time on each full server.
    #[test]
    fn a_high_rate_fills_whole_servers() {
        let turns = pack(&[session(0, 0.32, 200.0, A)], 9);
        let turn = |server| Turn { server, session: 0, batch: 16, cycle: 100.0 };
        assert_eq!(turns, [turn(0), turn(1)]);
        // More than the servers of the site is of no use, however many come.
        assert_eq!(pack(&[session(0, f64::INFINITY, 200.0, A)], 1), [turn(0)]);
    }

    /// The example of the paper's section 6.1, from memory: A, with 200 until its deadline and a rate of 0.064, gathers 8 in
    /// 125, which take 75. B, with 250 and 0.032, would gather 4 in 125 and take 50 for them: both fill one cycle of 125.
    /// C is alike, and finds no room.
    #[test]
    fn residual_loads_share_a_cycle() {
        let b = [45.0, 50.0, 90.0, 125.0];
        let c = [50.0, 60.0, 95.0, 125.0];
        let sessions =
            [session(0, 0.064, 200.0, A), session(1, 0.032, 250.0, b), session(2, 0.032, 250.0, c)];
        let turn = |server, session, batch, cycle| Turn { server, session, batch, cycle };
        assert_eq!(pack(&sessions[..1], 9), [turn(0, 0, 8, 125.0)]);
        let turns = pack(&sessions, 9);
        let mut found: Vec<_> = turns.iter().map(|of| (of.session, of.batch, of.cycle)).collect();
        found.sort_by_key(|of| of.0);
        assert_eq!(found, [(0, 8, 125.0), (1, 4, 125.0), (2, 4, 125.0)]);
        let server = |session: usize| turns.iter().find(|of| of.session == session).unwrap().server;
        assert!(server(0) == server(1) && server(0) != server(2), "{turns:?}");
    }

    /// Nothing fits the time: batches of one, as often as they come.
    #[test]
    fn a_hopeless_session_runs_one_by_one() {
        assert_eq!(
            pack(&[session(3, 0.01, 30.0, A)], 9),
            [Turn { server: 0, session: 3, batch: 1, cycle: 100.0 }]
        );
    }
}
