//! Limits that no schedule can exceed.
//!
//! [`Saturation`] is lambda*, the highest rate of a mix of requests that any schedule can sustain: the solution of a
//! linear program over accelerators and DRAM bandwidth. [`Relaxation`] bounds the number of given requests that any
//! schedule can meet: another linear program, which knows all requests in advance. Both relax a schedule to shares of
//! time, so neither limit can always be reached. [`largest_rate`] and [`largest_value`] are the fluid limits of a fleet.

mod bound;
mod fluid;
mod saturation;

pub use bound::{Relaxation, VERSION};
pub use fluid::{FluidRate, Way, largest_rate, largest_value, seconds_per_request};
pub use saturation::{
    AloneCost, LayerLoad, Resource, Saturation, SaturationError, Supply, mix_saturation, saturation,
};
