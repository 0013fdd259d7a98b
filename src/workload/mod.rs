//! What runs: layers, networks as DAGs of layers, tenants with arrivals and SLAs, and the ONNX importer.
//!
//! Shapes are counted in tensor elements; the accelerator's word widths turn them into bytes.

pub mod layer;
pub mod network;
pub mod onnx;

pub use layer::{Layer, LoopNest, Op};
pub use network::Network;
