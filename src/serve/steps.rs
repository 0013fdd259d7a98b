//! A run of a fleet that is stepped from outside: it stops wherever the dispatcher is asked, and goes on when it is told what
//! to do. Environments of reinforcement learning are made of this.

use std::sync::Arc;

use super::decide::Asked;
use super::fleet::{Crew, Fleet, ServeError};
use super::static_model::FleetModel;
use super::view::FleetView;
use super::{Dispatch, Dispatcher, Moment, Record, Recorder};
use crate::sim::{Scheduler, Trace};

/// A run of a fleet whose dispatcher is the caller. With the same answers it gives the same records as [`run`](super::run).
pub struct Stepper {
    fleet: Fleet,
    schedulers: Vec<Box<dyn Scheduler>>,
    asked: Option<Asked>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Between two instants.
    Between,
    /// Within an instant.
    Inside,
    /// The run is over.
    Over,
}

/// The caller answers in its place, and takes the records from the recorder.
struct Nobody;

impl Dispatcher for Nobody {
    fn decide(&mut self, _: &FleetView, _: Moment, _: &mut Dispatch) {
        unreachable!("the caller is asked")
    }
}

impl Stepper {
    /// Begins a run at time zero. `schedulers` has one scheduler for each site.
    pub fn new(model: Arc<FleetModel>, trace: Arc<Trace>, schedulers: Vec<Box<dyn Scheduler>>) -> Self {
        assert_eq!(model.sites.len(), schedulers.len(), "every site has its scheduler");
        Self { fleet: Fleet::new(model, trace), schedulers, asked: None, stage: Stage::Between }
    }

    /// Runs until the dispatcher is asked, and returns about what; `None` when the run is over.
    ///
    /// # Errors
    /// A scheduler takes an illegal action, or requests wait for ever.
    pub fn run_to_decision(&mut self, out: &mut dyn Recorder) -> Result<Option<Moment>, ServeError> {
        assert!(self.asked.is_none(), "the last question is answered first");
        let mut crew = Crew { dispatcher: &mut Nobody, schedulers: &mut self.schedulers, out };
        loop {
            match self.stage {
                Stage::Over => return Ok(None),
                Stage::Inside => {
                    self.asked = self.fleet.pass_instant(&mut crew)?;
                    if let Some(asked) = self.asked {
                        return Ok(Some(asked.moment));
                    }
                    self.fleet.end_instant(&mut crew)?;
                    self.stage = Stage::Between;
                }
                Stage::Between => {
                    let goes_on = self.fleet.begin_instant(&mut crew)?;
                    self.stage = if goes_on { Stage::Inside } else { Stage::Over };
                }
            }
        }
    }

    /// What the dispatcher may know where it is asked; `None` where it is not.
    pub fn view(&self) -> Option<FleetView<'_>> {
        self.asked.map(|asked| FleetView { fleet: &self.fleet, place: asked.place })
    }

    /// Answers the question.
    ///
    /// # Errors
    /// An action is illegal.
    pub fn answer(&mut self, dispatch: Dispatch, out: &mut dyn Recorder) -> Result<(), ServeError> {
        let asked = self.asked.take().expect("the dispatcher is asked before it answers");
        let mut crew = Crew { dispatcher: &mut Nobody, schedulers: &mut self.schedulers, out };
        self.fleet.carry_out(asked, dispatch, &mut crew)
    }
}

impl Record {
    /// Whether dispatchers receive it: conditions that change, what happens inside sites, and hops are unseen.
    pub fn is_seen_by_dispatchers(&self) -> bool {
        !matches!(self, Self::Drift { .. } | Self::Site { .. } | Self::Hop { .. })
    }
}
