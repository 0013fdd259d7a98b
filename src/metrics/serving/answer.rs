//! What became of one request.

use crate::serve::Loss;
use crate::sim::{Request, RequestId};
use crate::units::Time;

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The site that gave it, by number.
    pub site: usize,
    /// The variant, by number.
    pub variant: usize,
    /// The size of the batch that ran.
    pub batch: u32,
    /// The accuracy of the variant.
    pub accuracy: f64,
    /// When it was at the node.
    pub time: Time,
}

/// A measured request that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerRow {
    /// Its id.
    pub request: RequestId,
    /// What it asked for.
    pub asked: Request,
    /// The answer, if there was one.
    pub answer: Option<Answer>,
    /// Why there was none.
    pub loss: Option<Loss>,
    /// The quality of the answer; 0 without one.
    pub quality: f64,
    /// Whether the answer was in time and accurate enough.
    pub served: bool,
    /// From the arrival to the departure from the node.
    pub dispatch: Time,
    /// On links, there and back.
    pub network: Time,
    /// In the queue of the site.
    pub queue: Time,
    /// In service.
    pub service: Time,
}
