//! Are networks, layer lists, scenarios and arrivals read as what they stand for, and mistakes told with their place.

mod accel_yaml;
mod arrivals;
#[path = "../common/mod.rs"]
mod common;
mod drift;
mod families;
mod fleets;
mod layer_lists;
mod networks;
mod onnx_field;
mod onnx_fusion;
mod onnx_styles;
mod scenarios;
mod systems;
