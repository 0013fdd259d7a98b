//! Operators on integers: the operator of the float network between `DequantizeLinear` and `QuantizeLinear`.

use rten_onnx::onnx::DataType;

use super::{Writer, given, integer};

/// Operators whose inputs and output are integers: the float operator, where its operands are, each before its scale
/// and zero point, where its bias is, and where the scale of its output.
type Linear = (&'static str, &'static str, &'static [usize], Option<usize>, usize);

#[rustfmt::skip]
const LINEAR: &[Linear] = &[
    ("QLinearConv", "Conv", &[0, 3], Some(8), 6),
    ("QLinearMatMul", "MatMul", &[0, 3], None, 6),
    ("QGemm", "Gemm", &[0, 3], Some(6), 7),
    ("QLinearAdd", "Add", &[0, 3], None, 6),
    ("QLinearMul", "Mul", &[0, 3], None, 6),
    ("QLinearSigmoid", "Sigmoid", &[0], None, 3),
    ("QLinearLeakyRelu", "LeakyRelu", &[0], None, 3),
    ("QLinearSoftmax", "Softmax", &[0], None, 3),
    ("QLinearReduceMean", "ReduceMean", &[0], None, 3),
    ("QLinearAveragePool", "AveragePool", &[0], None, 3),
    ("QLinearGlobalAveragePool", "GlobalAveragePool", &[0], None, 3),
];

impl Writer<'_> {
    pub(super) fn quantized(&mut self, name: &str) -> Option<()> {
        let linear = LINEAR.iter().find(|(linear, ..)| *linear == name);
        let result = match name {
            _ if linear.is_some() => self.linear(linear?)?,
            "MatMulInteger" | "MatMulInteger16" => self.integers("MatMul", [0, 1])?,
            "ConvInteger" => self.integers("Conv", [0, 1])?,
            "MulInteger" => self.integers("Mul", [0, 2])?,
            "ReduceSumInteger" => {
                let sum = self.same("ReduceSum", &[self.input(0)?]);
                self.cast(&sum, DataType::INT32)
            }
            "MatMulIntegerToFloat" => self.product_of_integers(6)?,
            "DynamicQuantizeMatMul" => self.product_of_integers(4)?,
            "MatMulNBits" | "MatMulBnb4" => self.packed()?,
            "QLinearConcat" => {
                let starts = (2..self.node.input.len()).step_by(3);
                let parts = starts.map(|at| self.dequantized(at)).collect::<Option<Vec<_>>>()?;
                let output = self.same("Concat", &parts.iter().map(String::as_str).collect::<Vec<_>>());
                self.quantized_output(output, 0)
            }
            "QLinearWhere" => {
                let (yes, no) = (self.dequantized(1)?, self.dequantized(4)?);
                let output = self.same("Where", &[self.input(0)?, &yes, &no]);
                self.quantized_output(output, 7)
            }
            "DynamicQuantizeLSTM" => return self.lstm(),
            _ => return None,
        };
        self.output(0, &result)
    }

    fn linear(&mut self, (_, op, operands, bias, scale): &Linear) -> Option<String> {
        let mut inputs = operands.iter().map(|&at| self.dequantized(at)).collect::<Option<Vec<_>>>()?;
        // The scale of a bias of 32-bit integers follows from the others.
        let bias = bias.and_then(|at| self.input(at));
        inputs.extend(bias.map(|bias| self.float(bias)));
        let is_last = self.integer("channels_last", 0) != 0;
        if is_last {
            inputs[0] = self.channels_first(&inputs[0]);
        }
        let mut output = self.same(op, &inputs.iter().map(String::as_str).collect::<Vec<_>>());
        if is_last {
            output = self.channels_last(&output);
        }
        Some(self.quantized_output(output, *scale))
    }

    /// A tensor of integers as numbers.
    fn float(&mut self, tensor: &str) -> String {
        self.cast(tensor, DataType::FLOAT)
    }

    /// An input that its scale and zero point follow.
    fn dequantized(&mut self, at: usize) -> Option<String> {
        let inputs = given([Some(self.input(at)?), self.input(at + 1), self.input(at + 2)]);
        Some(self.part("dequantized", "DequantizeLinear", &inputs, Vec::new()))
    }

    /// The output, whose scale is the input `at` and its zero point the next; QGemm without them writes numbers.
    fn quantized_output(&mut self, output: String, at: usize) -> String {
        match self.input(at) {
            Some(scale) => {
                let inputs = given([Some(&output[..]), Some(scale), self.input(at + 1)]);
                self.part("quantized", "QuantizeLinear", &inputs, Vec::new())
            }
            None => output,
        }
    }

    /// An operator on integers, whose sums have 32 bits.
    fn integers(&mut self, op: &str, operands: [usize; 2]) -> Option<String> {
        let [left, right] = [self.float(self.input(operands[0])?), self.float(self.input(operands[1])?)];
        let output = self.same(op, &[&left, &right]);
        Some(self.cast(&output, DataType::INT32))
    }

    /// A product of integers whose sums are numbers again.
    fn product_of_integers(&mut self, bias: usize) -> Option<String> {
        let [left, right] = [self.float(self.input(0)?), self.float(self.input(1)?)];
        let output = self.same("MatMul", &[&left, &right]);
        Some(self.with("Add", output, self.input(bias)))
    }

    /// Weights of a few bits, several in a byte; their number is given by attributes.
    fn packed(&mut self) -> Option<String> {
        let sizes = [self.integer("K", 0), self.integer("N", 0)];
        if sizes.iter().any(|&size| size <= 0) {
            return None;
        }
        let weights = self.unpacked(self.input(1)?, &sizes);
        let weights = self.float(&weights);
        let output = self.same("MatMul", &[self.input(0)?, &weights]);
        Some(self.with("Add", output, self.input(5)))
    }

    /// Its weights are transposed.
    fn lstm(&mut self) -> Option<()> {
        let mut weights = Vec::new();
        for (at, scale) in [(1, 8), (2, 10)] {
            let inputs = given([Some(self.input(at)?), self.input(scale), self.input(scale + 1)]);
            let numbers = self.part("dequantized", "DequantizeLinear", &inputs, vec![integer("axis", 2)]);
            weights.push(self.transpose(&numbers, &[0, 2, 1]));
        }
        let mut inputs = vec![self.input(0)?, &weights[0], &weights[1]];
        inputs.extend((3..8).map(|at| self.input(at).unwrap_or("")));
        let outputs = self.add("", "LSTM", &inputs, self.node.attribute.clone(), 3);
        outputs.iter().enumerate().try_for_each(|(at, output)| self.output(at, output))
    }
}
