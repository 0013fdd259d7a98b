//! Operators on integers: the operator of the float network between `DequantizeLinear` and `QuantizeLinear`.

use rten_onnx::onnx::DataType;

use super::{Writer, given, integer};

impl Writer<'_> {
    pub(super) fn quantized(&mut self, name: &str) -> Option<()> {
        let result = match name {
            "MatMulInteger" | "MatMulInteger16" => self.integers("MatMul")?,
            "ConvInteger" => self.integers("Conv")?,
            "MulInteger" => {
                let operands = [self.float(self.input(0)?), self.float(self.input(2)?)];
                let product = self.same("Mul", &[&operands[0], &operands[1]]);
                self.cast(&product, DataType::INT32)
            }
            "ReduceSumInteger" => {
                let sum = self.same("ReduceSum", &[self.input(0)?]);
                self.cast(&sum, DataType::INT32)
            }
            "MatMulIntegerToFloat" => self.product([0, 1], 6)?,
            "DynamicQuantizeMatMul" => self.product([0, 1], 4)?,
            "MatMulNBits" | "MatMulBnb4" => self.packed()?,
            "QLinearMatMul" => self.between("MatMul", &[0, 3], None, 6)?,
            "QLinearConv" if self.integer("channels_last", 0) != 0 => {
                let input = self.dequantized(0)?;
                let input = self.channels_first(&input);
                let (weights, bias) = (self.dequantized(3)?, self.bias(8));
                let output = self.same("Conv", &given([Some(&input[..]), Some(&weights), bias.as_deref()]));
                let output = self.channels_last(&output);
                self.quantized_output(output, 6)?
            }
            "QLinearConv" => self.between("Conv", &[0, 3], Some(8), 6)?,
            "QGemm" => self.between("Gemm", &[0, 3], Some(6), 7)?,
            "QLinearAdd" => self.between("Add", &[0, 3], None, 6)?,
            "QLinearMul" => self.between("Mul", &[0, 3], None, 6)?,
            "QLinearSigmoid" => self.between("Sigmoid", &[0], None, 3)?,
            "QLinearLeakyRelu" => self.between("LeakyRelu", &[0], None, 3)?,
            "QLinearSoftmax" => self.between("Softmax", &[0], None, 3)?,
            "QLinearReduceMean" => self.between("ReduceMean", &[0], None, 3)?,
            "QLinearAveragePool" | "QLinearGlobalAveragePool" => {
                let op = name.strip_prefix("QLinear").expect("both begin with it");
                let input = self.dequantized(0)?;
                let output = match self.integer("channels_last", 0) {
                    0 => self.same(op, &[&input]),
                    _ => self.inside_channels_first(&input, op),
                };
                self.quantized_output(output, 3)?
            }
            "QLinearConcat" => {
                let starts: Vec<usize> = (2..self.node.input.len()).step_by(3).collect();
                self.between("Concat", &starts, None, 0)?
            }
            "QLinearWhere" => {
                let (yes, no) = (self.dequantized(1)?, self.dequantized(4)?);
                let output = self.same("Where", &[self.input(0)?, &yes, &no]);
                self.quantized_output(output, 7)?
            }
            "DynamicQuantizeLSTM" => return self.lstm(),
            _ => return None,
        };
        self.output(0, &result)
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

    /// A bias of 32-bit integers, whose scale follows from the others.
    fn bias(&mut self, at: usize) -> Option<String> {
        self.input(at).map(|bias| self.float(bias))
    }

    /// The output, whose scale is the input `at` and its zero point the next.
    fn quantized_output(&mut self, output: String, at: usize) -> Option<String> {
        match self.input(at) {
            Some(scale) => {
                let inputs = given([Some(&output[..]), Some(scale), self.input(at + 1)]);
                Some(self.part("quantized", "QuantizeLinear", &inputs, Vec::new()))
            }
            // QGemm without a scale of its output writes numbers.
            None => Some(output),
        }
    }

    fn between(&mut self, op: &str, operands: &[usize], bias: Option<usize>, scale: usize) -> Option<String> {
        let operands = operands.iter().map(|&at| self.dequantized(at)).collect::<Option<Vec<_>>>()?;
        let bias = bias.and_then(|at| self.bias(at));
        let inputs: Vec<&str> = operands.iter().chain(&bias).map(String::as_str).collect();
        let output = self.same(op, &inputs);
        self.quantized_output(output, scale)
    }

    /// A product of integers, whose sums have 32 bits.
    fn integers(&mut self, op: &str) -> Option<String> {
        let operands = [self.float(self.input(0)?), self.float(self.input(1)?)];
        let output = self.same(op, &[&operands[0], &operands[1]]);
        Some(self.cast(&output, DataType::INT32))
    }

    /// A product of integers whose sums are numbers again.
    fn product(&mut self, operands: [usize; 2], bias: usize) -> Option<String> {
        let [left, right] = [self.float(self.input(operands[0])?), self.float(self.input(operands[1])?)];
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
