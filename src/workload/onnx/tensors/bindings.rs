//! The user's values for inputs (`--bind`): sizes of symbolic dimensions, and values of inputs that are one integer.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{DataType, GraphProto};

use super::{Tensors, name_of};
use crate::workload::onnx::branches::all_nodes;
use crate::workload::onnx::problem::Problem;
use crate::workload::onnx::types::{Extent, sized};
use crate::workload::onnx::values::Value;

impl<'m> Tensors<'m> {
    /// Gives symbolic dimensions the sizes of `--bind`; a dimension of an input that has no name goes by its place.
    pub(super) fn bind(
        &mut self,
        graph: &'m GraphProto,
        bindings: &BTreeMap<String, u64>,
    ) -> Result<(), Problem> {
        let mut known = BTreeSet::new();
        for value in &graph.input {
            known.extend(Some(name_of(value)).filter(|name| self.is_number(name)).map(str::to_owned));
            let shape = self.types.get_mut(name_of(value)).and_then(|ty| ty.shape.as_mut());
            for (index, extent) in shape.into_iter().flatten().enumerate() {
                if *extent == Extent::Unknown {
                    let place = place(name_of(value), index);
                    bindings.get(&place).into_iter().for_each(|&size| *extent = sized(size));
                    known.insert(place);
                }
            }
        }
        let types = self.types.values().chain(self.declared.values());
        let extents = types.flat_map(|ty| ty.shape.iter().flatten());
        known.extend(extents.filter_map(|extent| match extent {
            Extent::Symbol(name) => Some((*name).to_owned()),
            Extent::Size(_) | Extent::Unknown => None,
        }));
        if let Some(name) = bindings.keys().find(|name| !known.contains(*name)) {
            let known = match known.is_empty() {
                true => "it has none".into(),
                false => format!("it has {}", known.into_iter().collect::<Vec<_>>().join(", ")),
            };
            return Err(Problem::UnknownBinding { name: name.clone(), known });
        }
        if let Some((name, _)) = bindings.iter().find(|&(name, &size)| size == 0 && !self.is_number(name)) {
            return Err(Problem::ZeroBinding { name: name.clone() });
        }
        self.types.values_mut().for_each(|ty| ty.bind(bindings));
        Ok(())
    }

    /// What to do about sizes that do not fit, where the user gave some.
    pub(in super::super) fn advice(&self) -> String {
        if self.bindings.is_empty() {
            return String::new();
        }
        let given: Vec<String> =
            self.bindings.iter().map(|(name, size)| format!("--bind {name}={size}")).collect();
        format!(
            "; the model may hold sizes that do not go with {}: bind those that it was exported with, or export it again",
            given.join(" ")
        )
    }

    /// Whether a tensor is one integer or truth value, such as a sampling rate: an input whose value can be given.
    pub(in super::super) fn is_number(&self, tensor: &str) -> bool {
        let whole = [DataType::INT64, DataType::INT32, DataType::BOOL];
        self.elements_type(tensor).is_some_and(|ty| whole.contains(&ty))
            && self.known_dims(tensor).is_some_and(|dims| dims.iter().all(|&size| size == 1))
    }

    /// A tensor of this shape that is the same everywhere.
    pub(super) fn filled(&self, tensor: &str, number: u64) -> Option<Value> {
        let sizes: Vec<usize> = self.known_dims(tensor)?.iter().map(|_| 1).collect();
        Some(Value::from_elem(sizes, number as f64))
    }

    /// Every shape follows from those of the inputs, so these must be known.
    pub(super) fn check_inputs(&self, graph: &GraphProto) -> Result<(), Problem> {
        let nodes = all_nodes(&graph.node).into_iter();
        let used: BTreeSet<&str> = nodes.flat_map(|node| &node.input).map(String::as_str).collect();
        let mut open = Vec::new();
        for value in graph.input.iter().filter(|value| used.contains(name_of(value))) {
            let name = name_of(value);
            for (index, extent) in self.types[name].shape.iter().flatten().enumerate() {
                match *extent {
                    Extent::Size(_) => {}
                    Extent::Symbol(symbol) => {
                        open.push((format!("`{symbol}` of `{name}`"), symbol.to_owned()));
                    }
                    Extent::Unknown => open.push((format!("{index} of `{name}`"), place(name, index))),
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let dimensions: Vec<String> = open.iter().map(|(what, _)| what.clone()).collect();
        let mut binds: Vec<String> = Vec::new();
        for (_, name) in open {
            let bind = format!("--bind {name}=NUMBER");
            if !binds.contains(&bind) {
                binds.push(bind);
            }
        }
        Err(Problem::Unbound { dimensions: dimensions.join(", "), binds: binds.join(" ") })
    }
}

/// How `--bind` names a dimension of an input that has no name of its own.
fn place(input: &str, index: usize) -> String {
    format!("{input}.{index}")
}
