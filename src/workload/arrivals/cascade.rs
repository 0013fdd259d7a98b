//! `cascade`: a stage behind another tenant. When a request of the other tenant is done, one of this tenant arrives for
//! the same input, with a given probability; whether it does is drawn when the requests of a run are made. None arrives
//! after a request that was dropped. Behind a camera its deadline can be the next frame, like that of every stage for
//! the frame.
//!
//! XRBench's dependencies: control dependencies have a probability, data dependencies have 1. What is left out: stages
//! that wait for several others, or that look at every second frame only.

use rand::RngExt;
use serde::Deserialize;

use super::{ArrivalKind, Law, Point, Process, Rate, Setting};
use crate::files::{Parameter, Share, parse_parameters};
use crate::workload::draw::Draws;

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "cascade",
    doc: "whenever a request of another tenant is done, one arrives with a probability; none after a dropped one",
    source: "XRBench (Kwon et al., MLSys 2023), its cascades and dependencies",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "after", default: "", doc: "the other tenant's name" },
        Parameter { name: "probability", default: "1", doc: "from 0 to 1" },
    ],
    read: |table| Ok(Box::new(parse_parameters::<Cascade>(table)?)),
};

/// The law of a cascade.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cascade {
    /// The tenant whose requests the cascade follows.
    pub after: String,
    #[serde(default = "always")]
    probability: Share,
}

fn always() -> Share {
    Share(1.0)
}

impl Cascade {
    /// Mean number of requests per request of the other tenant, if none is dropped.
    pub fn probability(&self) -> f64 {
        self.probability.0
    }

    /// Draws whether a request follows.
    pub(in crate::workload) fn comes(&self, draws: &mut Draws) -> bool {
        draws.rng.random_bool(self.probability.0)
    }
}

impl Law for Cascade {
    fn start(&self, _: &Setting) -> Box<dyn Process> {
        Box::new(Nothing)
    }

    fn total(&self) -> Option<usize> {
        Some(0)
    }

    fn cascade(&self) -> Option<&Cascade> {
        Some(self)
    }
}

/// A process without requests: no request of a cascade has a fixed time.
struct Nothing;

impl Process for Nothing {
    fn next(&mut self, _: &mut Draws) -> Option<Point> {
        None
    }
}
