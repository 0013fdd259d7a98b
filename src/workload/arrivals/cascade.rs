//! `cascade`: a stage behind another tenant. A request of this tenant comes when one of the other tenant is done, for
//! the same input, with a probability that is drawn when the requests of a run are made; none comes after one that was
//! dropped. Behind a camera its deadline can be the next frame, like that of every stage for the frame.
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
    doc: "one with each request of another tenant that is done, with a probability; none after one that is dropped",
    source: "XRBench (Kwon et al., MLSys 2023), its cascades and dependencies",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "after", default: "", doc: "the other tenant's name" },
        Parameter { name: "probability", default: "1", doc: "from 0 to 1" },
    ],
    read: |table| Ok(Box::new(parse_parameters::<Cascade>(table)?)),
};

/// The law.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cascade {
    /// The tenant whose requests it follows.
    pub after: String,
    #[serde(default = "always")]
    probability: Share,
}

fn always() -> Share {
    Share(1.0)
}

impl Cascade {
    /// How many requests come per request of the other tenant, if none is dropped.
    pub fn probability(&self) -> f64 {
        self.probability.0
    }

    /// Whether one comes.
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

/// No request has a time of its own.
struct Nothing;

impl Process for Nothing {
    fn next(&mut self, _: &mut Draws) -> Option<Point> {
        None
    }
}
