//! What runs: layers, networks as DAGs of layers, tenants with arrivals and SLAs, and the importers of
//! networks.
//!
//! Shapes are counted in tensor elements; the accelerator's word widths turn them into bytes.

pub mod arrivals;
pub mod imported;
pub mod layer;
pub mod layer_list;
mod names;
pub mod network;
pub mod onnx;
pub mod process;
pub mod scenario;
pub mod sla;
pub mod tenant;

pub use arrivals::{Arrival, ArrivalStream};
pub use imported::{Imported, Summary};
pub use layer::{Layer, LoopNest, Op};
pub use network::Network;
pub use process::Arrivals;
pub use scenario::Scenario;
pub use sla::{Qos, Sla, SlaRule, SlaTerms};
pub use tenant::{Tenant, Weighted};
