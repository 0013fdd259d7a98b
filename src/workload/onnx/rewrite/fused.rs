//! Operators with something in front of or behind them: activation, bias, residual sum, transposition.

use super::{Writer, given, integer, text};
use crate::workload::onnx::einsum;

impl<'n> Writer<'n> {
    pub(super) fn fused(&mut self, name: &str) -> Option<()> {
        let result = self.product(name).or_else(|| self.sum(name)).or_else(|| self.renamed(name));
        match result {
            Some(result) => self.output(0, &result),
            None => self.normalization(name),
        }
    }

    /// Convolutions and products.
    fn product(&mut self, name: &str) -> Option<String> {
        let (first, second, third) = (self.input(0)?, self.input(1), self.input(2));
        Some(match name {
            "FusedConv" => self.conv(false)?,
            "NhwcConv" | "NhwcFusedConv" => self.conv(true)?,
            "FusedMatMul" | "TransposeMatMul" | "FusedMatMulActivation" => self.matmul()?,
            "FusedGemm" | "GemmFloat8" => {
                let product = self.same("Gemm", &given([Some(first), second, third]));
                self.activation(product)
            }
            "GemmFastGelu" => {
                let product = self.same("MatMul", &[first, second?]);
                let sum = self.with("Add", product, third);
                self.part("gelu", "Gelu", &[&sum], Vec::new())
            }
            _ => return None,
        })
    }

    /// Sums with what follows them, and gates.
    fn sum(&mut self, name: &str) -> Option<String> {
        let (first, second, third) = (self.input(0)?, self.input(1), self.input(2));
        let sum = |writer: &mut Self| writer.with("Add", first.to_owned(), second);
        Some(match name {
            "BiasAdd" | "BiasDropout" => {
                let sum = sum(self);
                let sum = self.with("Add", sum, third);
                self.part("", "Identity", &[&sum], Vec::new())
            }
            "BiasGelu" | "FastGelu" => {
                let sum = sum(self);
                self.part("gelu", "Gelu", &[&sum], Vec::new())
            }
            "BiasSoftmax" => {
                let sum = sum(self);
                self.same("Softmax", &[&sum])
            }
            "BiasSplitGelu" => {
                let sum = sum(self);
                let halves = self.add("split", "Split", &[&sum], vec![integer("axis", -1)], 2);
                let gate = self.part("gelu", "Gelu", &[&halves[1]], Vec::new());
                self.part("mul", "Mul", &[&halves[0], &gate], Vec::new())
            }
            "SwiGLU" => {
                let gate = self.part("swish", "Swish", &[first], Vec::new());
                self.part("mul", "Mul", &[&gate, second?], Vec::new())
            }
            _ => return None,
        })
    }

    /// Operators that ONNX has, too, perhaps under another name.
    fn renamed(&mut self, name: &str) -> Option<String> {
        let (first, second) = (self.input(0)?, self.input(1));
        Some(match name {
            "QuickGelu" => self.same("Swish", &[first]),
            "MaxpoolWithMask" => self.same("MaxPool", &[first]),
            "NhwcMaxPool" => self.inside_channels_first(first, "MaxPool"),
            "TorchEmbedding" => self.part("", "Gather", &[first, second?], Vec::new()),
            "ExpandDims" => self.same("Unsqueeze", &[first, second?]),
            "RotaryEmbedding" => self.rotary(first, [self.input(2)?, self.input(3)?], second?),
            "Gelu" | "LayerNormalization" | "Trilu" | "GridSample" | "Pad" | "GatherND" | "Range"
            | "QuantizeLinear" | "DequantizeLinear" => {
                self.same(name, &self.node.input.iter().map(String::as_str).collect::<Vec<_>>())
            }
            _ => return None,
        })
    }

    /// Normalizations, with what is added before.
    pub(super) fn normalization(&mut self, name: &str) -> Option<()> {
        let (first, second) = (self.input(0)?, self.input(1)?);
        let result = match name {
            "SimplifiedLayerNormalization" => self.same("RMSNormalization", &[first, second]),
            "SkipLayerNormalization" => {
                let sum = self.skip_sum(4, 3)?;
                self.same("LayerNormalization", &given([Some(&sum[..]), self.input(2), self.input(3)]))
            }
            "SkipSimplifiedLayerNormalization" => {
                let sum = self.skip_sum(3, 3)?;
                self.same("RMSNormalization", &[&sum, self.input(2)?])
            }
            "GroupNorm" => self.group_norm(first.to_owned())?,
            "SkipGroupNorm" => {
                let sum = self.part("add", "Add", &[first, self.input(3)?], Vec::new());
                let sum = self.with("Add", sum, self.input(4));
                let sum = self.named(1, sum)?;
                self.group_norm(sum)?
            }
            "EmbedLayerNormalization" => self.embeddings(first)?,
            _ => return None,
        };
        self.output(0, &result)
    }

    /// A rotation by the rows of two tables at the given positions.
    pub(super) fn rotary(&mut self, input: &str, tables: [&str; 2], positions: &str) -> String {
        let [cosines, sines] =
            tables.map(|table| self.part("positions", "Gather", &[table, positions], Vec::new()));
        self.same("RotaryEmbedding", &[input, &cosines, &sines])
    }

    /// Input and skip, with the bias at this position; the sum is an output, too.
    fn skip_sum(&mut self, bias: usize, output: usize) -> Option<String> {
        let biased = self.with("Add", self.input(0)?.to_owned(), self.input(bias));
        let sum = self.part("add", "Add", &[&biased, self.input(1)?], Vec::new());
        self.named(output, sum)
    }

    /// Gives a tensor the name of an output, if there is such an output: the name that it has then.
    fn named(&mut self, position: usize, tensor: String) -> Option<String> {
        self.output(position, &tensor)?;
        let name = self.node.output.get(position).filter(|name| !name.is_empty());
        Some(name.cloned().unwrap_or(tensor))
    }

    fn group_norm(&mut self, input: String) -> Option<String> {
        let normal = self.same("GroupNormalization", &[&input, self.input(1)?, self.input(2)?]);
        Some(match self.integer("activation", 0) {
            0 => normal,
            _ => self.part("swish", "Swish", &[&normal], Vec::new()),
        })
    }

    /// Words, positions and segments are looked up and added.
    fn embeddings(&mut self, ids: &str) -> Option<String> {
        let words = self.part("words", "Gather", &[self.input(2)?, ids], Vec::new());
        let mut sum = words;
        if let (Some(segments), Some(table)) = (self.input(1), self.input(4)) {
            let rows = self.part("segments", "Gather", &[table, segments], Vec::new());
            sum = self.with("Add", sum, Some(&rows));
        }
        let positions = match self.input(8) {
            Some(positions) => positions.to_owned(),
            None => self.positions(ids, 1),
        };
        let rows = self.part("positions", "Gather", &[self.input(3)?, &positions], Vec::new());
        sum = self.with("Add", sum, Some(&rows));
        if self.has_output(1) {
            let zero = self.part("constant", "Constant", &[], vec![integer("value_int", 0)]);
            let of = self.input(7).unwrap_or(ids);
            let lengths = self.part("lengths", "Gather", &[of, &zero], vec![integer("axis", 1)]);
            self.output(1, &lengths)?;
        }
        let sum = self.named(2, sum)?;
        Some(self.same("LayerNormalization", &[&sum, self.input(5)?, self.input(6)?]))
    }

    /// 0, 1, ... along a dimension.
    pub(super) fn positions(&mut self, of: &str, dimension: i64) -> String {
        let number = |value: i64| vec![integer("value_int", value)];
        let zero = self.part("constant", "Constant", &[], number(0));
        let one = self.part("constant", "Constant", &[], number(1));
        let dimension = self.part("constant", "Constant", &[], number(dimension));
        let sizes = self.part("shape", "Shape", &[of], Vec::new());
        let length = self.part("length", "Gather", &[&sizes, &dimension], Vec::new());
        self.part("range", "Range", &[&zero, &length, &one], Vec::new())
    }

    /// A convolution with what is added to it and its activation.
    pub(super) fn conv(&mut self, channels_last: bool) -> Option<String> {
        let (weights, bias) = (self.input(1)?, self.input(2));
        let input = match channels_last {
            true => self.channels_first(self.input(0)?),
            false => self.input(0)?.to_owned(),
        };
        let mut output = self.same("Conv", &given([Some(&input[..]), Some(weights), bias]));
        if channels_last {
            output = self.channels_last(&output);
        }
        let output = self.with("Add", output, self.input(3));
        Some(self.activation(output))
    }

    /// An operator of one input that knows channels first only.
    pub(super) fn inside_channels_first(&mut self, input: &str, op: &str) -> String {
        let input = self.channels_first(input);
        let output = self.same(op, &[&input]);
        self.channels_last(&output)
    }

    /// A product of matrices any of which may be transposed, its first dimension behind the batch.
    fn matmul(&mut self) -> Option<String> {
        let (left, right) = (self.input(0)?, self.input(1)?);
        let flags = ["transA", "transB", "transBatchA", "transBatchB"].map(|name| self.integer(name, 0) != 0);
        let product = match flags {
            [false, false, false, false] => self.same("MatMul", &[left, right]),
            [a, b, batch_a, batch_b] => {
                let term = |[row, column]: [char; 2], transposed: bool, batch: bool| {
                    let (row, column) = if transposed { (column, row) } else { (row, column) };
                    if batch { format!("{row}...{column}") } else { format!("...{row}{column}") }
                };
                let (left_term, right_term) = (term(['i', 'j'], a, batch_a), term(['j', 'k'], b, batch_b));
                let equation = text("equation", &format!("{left_term},{right_term}->...ik"));
                self.part("", "Einsum", &[left, right], vec![equation])
            }
        };
        Some(self.activation(product))
    }

    /// Three or more operands are multiplied two at a time.
    pub(super) fn einsum(&mut self) -> Option<()> {
        let equations = einsum::pairs(self.node);
        if equations.is_empty() || equations.len() + 1 != self.node.input.len() {
            return None;
        }
        let mut left = self.input(0)?.to_owned();
        for (at, equation) in equations.iter().enumerate() {
            let right = self.input(at + 1)?;
            left = self.part(&at.to_string(), "Einsum", &[&left, right], vec![text("equation", equation)]);
        }
        self.output(0, &left)
    }
}
