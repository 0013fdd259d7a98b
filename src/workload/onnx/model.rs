//! The protobuf messages that `rten-onnx` leaves out: the functions of a model, and the model itself, which contains
//! them.

use rten_onnx::onnx::{AttributeProto, GraphProto, NodeProto, OperatorSetIdProto};
use rten_onnx::protobuf::{DecodeMessage, Fields, OwnedValues, ProtobufError, ReadValue, ValueReader};

/// A model with its functions.
#[derive(Default)]
pub(super) struct Model {
    pub(super) ir_version: Option<i64>,
    pub(super) graph: Option<GraphProto>,
    pub(super) opset_import: Vec<OperatorSetIdProto>,
    pub(super) functions: Vec<Function>,
}

/// An operator that the model defines itself (`FunctionProto`).
#[derive(Default)]
pub(super) struct Function {
    pub(super) domain: String,
    pub(super) name: String,
    /// Tells functions of the same name apart.
    pub(super) overload: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    /// The values of attributes that a call leaves out.
    pub(super) defaults: Vec<AttributeProto>,
    pub(super) nodes: Vec<NodeProto>,
}

impl Model {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ProtobufError> {
        Self::decode(ValueReader::from_buf(bytes))
    }
}

impl DecodeMessage for Model {
    type Types = OwnedValues;

    fn decode_fields<R: ReadValue<Types = Self::Types>>(
        mut fields: Fields<R>,
    ) -> Result<Self, ProtobufError> {
        let mut model = Self::default();
        while let Some(mut field) = fields.next()? {
            match field.number() {
                1 => model.ir_version = Some(field.get_int64()?),
                7 => model.graph = Some(GraphProto::decode_field(&mut field)?),
                8 => model.opset_import.push(OperatorSetIdProto::decode_field(&mut field)?),
                25 => model.functions.push(Function::decode_field(&mut field)?),
                _ => field.skip()?,
            }
        }
        Ok(model)
    }
}

impl DecodeMessage for Function {
    type Types = OwnedValues;

    fn decode_fields<R: ReadValue<Types = Self::Types>>(
        mut fields: Fields<R>,
    ) -> Result<Self, ProtobufError> {
        let mut function = Self::default();
        while let Some(mut field) = fields.next()? {
            match field.number() {
                1 => function.name = field.read_string()?,
                4 => function.inputs.push(field.read_string()?),
                5 => function.outputs.push(field.read_string()?),
                7 => function.nodes.push(NodeProto::decode_field(&mut field)?),
                10 => function.domain = field.read_string()?,
                11 => function.defaults.push(AttributeProto::decode_field(&mut field)?),
                13 => function.overload = field.read_string()?,
                _ => field.skip()?,
            }
        }
        Ok(function)
    }
}
