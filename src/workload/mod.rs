//! What runs: layers, networks as DAGs of layers, tenants with arrivals and SLAs, and the importers of
//! networks.
//!
//! Shapes are counted in tensor elements; the accelerator's word widths turn them into bytes.

pub mod arrivals;
pub mod burstiness;
pub mod draw;
pub mod followers;
pub mod imported;
pub mod layer;
pub mod layer_list;
mod names;
pub mod network;
pub mod onnx;
pub mod recorded;
pub mod scenario;
pub mod sla;
pub mod stream;
pub mod tenant;
pub mod trace;

pub use arrivals::Arrivals;
pub use followers::{After, Extent, Follower, Offer};
pub use imported::{Imported, Summary};
pub use layer::{Layer, LoopNest, Op};
pub use network::Network;
pub use recorded::RecordedArrivals;
pub use scenario::{Scenario, Stage, Variant};
pub use sla::{Firm, Late, Qos, Sla, SlaRule, SlaTerms};
pub use stream::{Arrival, ArrivalStream, MAX_REQUESTS};
pub use tenant::{Tenant, Weighted};
