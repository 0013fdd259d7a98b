//! What no schedule exceeds.
//!
//! [`Saturation`] is lambda*, the highest rate of a mix of requests that any schedule carries for ever, by a linear program
//! over accelerators and DRAM bandwidth. [`Relaxation`] bounds how many of given requests any schedule meets by their deadlines,
//! by another, which knows all requests in advance. Both relax a schedule to shares of time, so that neither is always reached.

mod bound;
mod saturation;

pub use bound::{Relaxation, VERSION};
pub use saturation::{
    AloneCost, LayerLoad, Resource, Saturation, SaturationError, mix_saturation, saturation,
};
