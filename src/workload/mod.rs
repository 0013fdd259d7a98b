//! The workload: layers, networks as DAGs of layers, tenants with arrivals and SLAs, and the importers of networks.
//!
//! Shapes are counted in tensor elements; the accelerator's word widths turn them into bytes.

mod arrivals;
mod burstiness;
mod draw;
mod followers;
mod imported;
mod layer;
pub mod layer_list;
mod model;
mod names;
mod network;
pub mod onnx;
mod rates;
mod recorded;
mod scenario;
mod sla;
mod stream;
mod tenant;
mod trace;
mod utility;

pub use arrivals::{
    ARRIVALS, ArrivalKind, Arrivals, Binding, Cascade, ClosedLoop, Law, Point, Process, Rate, Setting, schema,
};
pub use burstiness::{Gaps, Windows, rate_per_s};
pub use draw::{Draw, Draws};
pub use followers::{After, Extent, Follower, Offer};
pub use imported::{Imported, Summary};
pub use layer::{Layer, LoopNest, MAX_COUNT, MAX_LAYERS, Op, Post, Work, product, tile_elements};
pub use layer_list::{Options as ListOptions, Padding, import_maestro, import_scale_sim};
pub use model::{Model, ModelVariant};
pub use network::{Network, Totals};
pub use onnx::{Options as OnnxOptions, UnknownOperators, import, import_from};
pub use rates::RateChanges;
pub use recorded::RecordedArrivals;
pub use scenario::{Scenario, Stage, Variant};
pub use sla::{Firm, Late, Qos, Sla, SlaRule, SlaTerms};
pub use stream::{Arrival, ArrivalStream, MAX_REQUESTS};
pub use tenant::{Tenant, Weighted};
pub use trace::{
    Labels, MoreColumns, NetworkBy, Reach, Recording, Row, Rows, Tally, TraceKeys, TraceStats, Written,
    to_csv,
};
pub use utility::{AccuracyRange, AccuracyTerm, Combine, DelayTerm, Utility};
