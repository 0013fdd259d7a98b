//! Channels in blocks (`com.microsoft.nchwc`), which onnxruntime writes for one machine at its last level: the same
//! operators under another layout, between `ReorderInput` and `ReorderOutput`, which are views.
//!
//! Channels are rounded up to whole blocks, of 8 or 16 by the machine, and their true number is lost: they count as
//! they are in the file.

use rten_onnx::onnx::{AttributeProto, GraphProto};

use super::{Writer, integer, integers, text};
use crate::workload::onnx::operators::{self, Domain};

/// What the import says of a graph with such operators.
pub(in super::super) fn note(graph: &GraphProto) -> Option<String> {
    let mut blocked = graph.node.iter().filter(|node| is_blocked(operators::operator(node)));
    blocked.next().map(|_| {
        "channels that onnxruntime rounded up to whole blocks (com.microsoft.nchwc) count as they are in the file; a \
         model of the level below has the true ones"
            .into()
    })
}

fn is_blocked(operator: Option<(Domain, &str)>) -> bool {
    matches!(operator, Some((Domain::Blocked, _)))
}

/// How many channels a block has: 16 if all channels of the weights are multiples of it.
pub(super) fn block(graph: &GraphProto) -> i64 {
    let convolutions =
        graph.node.iter().filter(|node| operators::operator(node) == Some((Domain::Blocked, "Conv")));
    let weights: Vec<&str> = convolutions.filter_map(|node| Some(node.input.get(1)?.as_str())).collect();
    let of_blocked = graph
        .initializer
        .iter()
        .filter(|tensor| tensor.name.as_deref().is_some_and(|name| weights.contains(&name)));
    // Fewer input channels than a block are not put into blocks.
    let is_blocked = |&(at, size): &(usize, &i64)| at == 0 || at == 1 && *size > 16;
    let mut channels = of_blocked.flat_map(|tensor| tensor.dims.iter().enumerate().filter(is_blocked));
    if channels.all(|(_, size)| size % 16 == 0) { 16 } else { 8 }
}

impl Writer<'_> {
    pub(super) fn blocked(&mut self, name: &str) -> Option<()> {
        let input = self.input(0)?;
        let is_last = self.integer("channels_last", 0) != 0;
        let result = match name {
            "Conv" => self.conv(false)?,
            "MaxPool" | "AveragePool" | "GlobalMaxPool" | "GlobalAveragePool" => self.same(name, &[input]),
            "Upsample" => {
                let scales = operators::integers(self.node, "scales")?;
                let floats = scales.iter().map(|&scale| scale as f32).collect();
                let scales = AttributeProto { name: Some("scales".into()), floats, ..Default::default() };
                let mode = operators::text(self.node, "mode").map(|mode| text("mode", mode));
                self.part("", "Upsample", &[input], mode.into_iter().chain([scales]).collect())
            }
            "ReorderInput" => {
                let input = if is_last { self.channels_first(input) } else { input.to_owned() };
                let reordered =
                    self.part("", "ReorderInput", &[&input], vec![integer("block", self.known.block)]);
                self.nodes.last_mut()?.domain = Some(operators::BLOCKED.into());
                reordered
            }
            "ReorderOutput" => {
                let [start, end, axis] = [0, self.integer("channels", 0), 1].map(|bound| [bound]);
                let bounds = [integers("starts", &start), integers("ends", &end), integers("axes", &axis)];
                let channels = self.part("", "Slice", &[input], bounds.into());
                if is_last { self.channels_last(&channels) } else { channels }
            }
            _ => return None,
        };
        self.output(0, &result)
    }
}
