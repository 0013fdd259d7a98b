"""Small models, and what onnxruntime makes of them when it optimises and when it quantizes them.

    python tests/data/onnx_runtime/make.py      # writes next to itself

Needs: pip install onnx onnxruntime sympy
"""

import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(0)
LEVELS = {
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


class Model:
    """Nodes, weights and the name of what was written last."""

    def __init__(self, name, inputs):
        self.name, self.inputs, self.nodes, self.weights = name, inputs, [], []

    def weight(self, *shape, value=None):
        name = f"w{len(self.weights)}"
        array = RANDOM.normal(size=shape).astype(np.float32) / 4 if value is None else np.asarray(value)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def __call__(self, op, *inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, f"{op.lower()}{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def save(self, output, shape):
        info = helper.make_tensor_value_info
        inputs = [info(name, kind, dims) for name, kind, dims in self.inputs]
        graph = helper.make_graph(self.nodes, self.name, inputs, [info(output, TensorProto.FLOAT, shape)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, HERE / f"{self.name}.onnx")
        variants(self.name, self.inputs)


def variants(name, inputs):
    for level, enum in LEVELS.items():
        options = ort.SessionOptions()
        options.graph_optimization_level = enum
        options.optimized_model_filepath = str(HERE / f"{name}.{level}.onnx")
        options.log_severity_level = 3
        ort.InferenceSession(str(HERE / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
    source = HERE / f"{name}.onnx"
    quantization.quantize_dynamic(source, HERE / f"{name}.dynamic.onnx")

    class Reader(quantization.CalibrationDataReader):
        left = 2

        def get_next(self):
            self.left -= 1
            return {n: sample(kind, dims) for n, kind, dims in inputs} if self.left >= 0 else None

    for form in (quantization.QuantFormat.QDQ, quantization.QuantFormat.QOperator):
        target = HERE / f"{name}.{form.name.lower()}.onnx"
        quantization.quantize_static(source, target, Reader(), quant_format=form)
    # The operators of its own that onnxruntime makes of quantized ones.
    for form in ("dynamic", "qdq"):
        options = ort.SessionOptions()
        options.graph_optimization_level = LEVELS["extended"]
        options.optimized_model_filepath = str(HERE / f"{name}.{form}_extended.onnx")
        options.log_severity_level = 3
        ort.InferenceSession(str(HERE / f"{name}.{form}.onnx"), options, providers=["CPUExecutionProvider"])


def sample(kind, dims):
    if kind == TensorProto.FLOAT:
        return RANDOM.normal(size=dims).astype(np.float32)
    return RANDOM.integers(0, 2, size=dims)


def cnn():
    """A stem with batch norm, a depthwise block with a squeeze, a residual sum, a classifier."""
    m = Model("cnn", [("x", TensorProto.FLOAT, [1, 3, 16, 16])])
    x = m("Conv", "x", m.weight(16, 3, 3, 3), strides=[2, 2], pads=[1] * 4)
    norms = [m.weight(16, value=np.ones(16, np.float32)) for _ in range(4)]
    x = skip = m("Relu", m("BatchNormalization", x, *norms))
    x = m("Conv", x, m.weight(16, 1, 3, 3), m.weight(16), group=16, pads=[1] * 4)
    x = m("Clip", x, m.weight(value=np.float32(0)), m.weight(value=np.float32(6)))
    gate = m("Conv", m("GlobalAveragePool", x), m.weight(16, 16, 1, 1), m.weight(16))
    x = m("Mul", x, m("Sigmoid", gate))
    x = m("Conv", x, m.weight(16, 16, 1, 1), m.weight(16))
    x = m("LeakyRelu", m("Add", x, skip), alpha=0.1)
    x = m("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = m("Flatten", m("AveragePool", x, kernel_shape=[4, 4]))
    x = m("Gemm", x, m.weight(10, 16), m.weight(10), transB=1)
    m.save(m("Softmax", x), [1, 10])


def transformer():
    """A block of two heads after look-ups, as PyTorch writes it."""
    m = Model("transformer", [("ids", TensorProto.INT64, [1, 8])])
    words = m("Gather", m.weight(50, 16), "ids")
    x = m("Add", words, m.weight(1, 8, 16))
    x = norm(m, x)
    heads = [split(m, m("Add", m("MatMul", x, m.weight(16, 16)), m.weight(16))) for _ in range(3)]
    query, key, value = heads
    scores = m("MatMul", query, m("Transpose", key, perm=[0, 1, 3, 2]))
    scores = m("Div", scores, m.weight(value=np.float32(8**0.5)))
    context = m("MatMul", m("Softmax", scores, axis=-1), value)
    context = m("Reshape", m("Transpose", context, perm=[0, 2, 1, 3]), m.weight(value=np.array([0, 0, 16])))
    x = norm(m, m("Add", m("Add", m("MatMul", context, m.weight(16, 16)), m.weight(16)), x))
    hidden = m("Add", m("MatMul", x, m.weight(16, 32)), m.weight(32))
    half = m("Div", hidden, m.weight(value=np.float32(2**0.5)))
    gelu = m("Mul", m("Mul", hidden, m("Add", m("Erf", half), m.weight(value=np.float32(1)))), m.weight(value=np.float32(0.5)))
    x = norm(m, m("Add", m("Add", m("MatMul", gelu, m.weight(32, 16)), m.weight(16)), x))
    m.save(m("MatMul", x, m.weight(16, 50)), [1, 8, 50])


def split(m, x):
    return m("Transpose", m("Reshape", x, m.weight(value=np.array([0, 0, 2, 8]))), perm=[0, 2, 1, 3])


def norm(m, x):
    return m("LayerNormalization", x, m.weight(16), m.weight(16), axis=-1)


def recurrent():
    """An LSTM in two directions and a convolution in one dimension."""
    m = Model("recurrent", [("x", TensorProto.FLOAT, [1, 8, 12])])
    x = m("Relu", m("Conv", "x", m.weight(8, 8, 3), m.weight(8), pads=[1, 1]))
    x = m("Transpose", x, perm=[2, 0, 1])
    weights = [m.weight(2, 24, 8), m.weight(2, 24, 6), m.weight(2, 48)]
    x = m("LSTM", x, *weights, hidden_size=6, direction="bidirectional")
    x = m("Reshape", m("Transpose", x, perm=[0, 2, 1, 3]), m.weight(value=np.array([12, 12])))
    m.save(m("MatMul", x, m.weight(12, 5)), [12, 5])


cnn()
transformer()
recurrent()
