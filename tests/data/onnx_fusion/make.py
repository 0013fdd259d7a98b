#!/usr/bin/env python3
"""Writes the ONNX files of this folder: `pip install onnx==1.23.2`, then `python make.py`.

One folder per pattern: `op.onnx` has it as one operator, every other file node by node as some exporter writes it.
`onnx_body.onnx` is ONNX's own definition, by its inliner; the other forms are named after who writes them. `apart/` has
groups of nodes that look like a pattern and are none. Every model is pattern, matrix product or convolution, pattern:
the first one is a pass over its input, the second one may run at the output of the layer before it.
"""
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, inliner, numpy_helper

HERE = Path(__file__).parent
TOKENS, IMAGE = (1, 12, 48), (1, 8, 6, 10)


class Graph:
    """Collects nodes: `g.Mul(a, b)` adds one and gives the name of its output; a number becomes a constant."""

    def __init__(self, dims, opset, dtype=np.float32):
        self.dims, self.opset, self.dtype = dims, opset, dtype
        self.nodes, self.initializers = [], []

    def __getattr__(self, op):
        return lambda *inputs, **attributes: self.node(op, *inputs, **attributes)

    def node(self, op, *inputs, **attributes):
        output = f"{op.lower()}_{len(self.nodes)}"
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(helper.make_node(op, names, [output], name=f"/{output}", **attributes))
        return output

    def constant(self, value):
        name = f"constant_{len(self.initializers)}"
        value = np.array(value, None if isinstance(value, (list, np.ndarray)) else self.dtype)
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, *dims):
        """A trained tensor: it has no data here."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        tensor = TensorProto(name=f"weight_{len(self.initializers)}", data_type=kind, dims=dims)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights.bin")
        self.initializers.append(tensor)
        return tensor.name

    def reduce(self, op, x, axes, **attributes):
        """Axes were an attribute before operator set 18 (13 for ReduceSum)."""
        if self.opset < (13 if op == "ReduceSum" else 18):
            return self.node(op, x, axes=axes, **attributes)
        return self.node(op, x, np.array(axes), **attributes)

    def product(self, x):
        if self.dims == IMAGE:
            return self.Conv(x, self.weight(8, 8, 1, 1))
        return self.MatMul(x, self.weight(48, 48))

    def model(self, pattern):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        output = pattern(self, self.product(pattern(self, "x")))
        value = lambda name: helper.make_tensor_value_info(name, kind, self.dims)
        weights = [helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in self.initializers]
        graph = helper.make_graph(
            self.nodes, "g", [value("x")], [value(output)], self.initializers, value_info=weights)
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def write(path, pattern, dims=TOKENS, opset=17, dtype=np.float32, inline=None):
    model = Graph(dims, opset, dtype).model(pattern)
    if inline:
        model = inliner.inline_selected_functions(model, [("", inline)], inline_schema_functions=True)
        assert all(node.op_type != inline for node in model.graph.node), path
    (HERE / path).parent.mkdir(exist_ok=True)
    (HERE / f"{path}.onnx").write_bytes(model.SerializeToString())


def activation(folder, op, opset, forms, body=True, **attributes):
    one_node = lambda g, x: g.node(op, x, **attributes)
    write(f"{folder}/op", one_node, opset=opset)
    if body:
        write(f"{folder}/onnx_body", one_node, opset=opset, inline=op)
    for name, form in forms.items():
        write(f"{folder}/{name}", form)


def rounded(g, x):
    scale, zero = 0.01, np.array(0, np.uint8)
    return g.DequantizeLinear(g.QuantizeLinear(x, scale, zero), scale, zero)


def sigmoid_by_exp(g, x):
    return g.Div(1.0, g.Add(1.0, g.Exp(g.Neg(x))))


def gelu_tanh(g, x, cube):
    inner = g.Mul(g.Add(x, g.Mul(cube, 0.044715)), 0.7978845608028654)
    return g.Mul(g.Mul(x, g.Add(g.Tanh(inner), 1.0)), 0.5)


def activations():
    activation("swish", "Swish", 24, {
        "pytorch": lambda g, x: g.Mul(x, g.Sigmoid(x)),
        "swapped": lambda g, x: g.Mul(g.Sigmoid(x), x),
        "by_exp": lambda g, x: g.Mul(x, sigmoid_by_exp(g, x)),
        "divided": lambda g, x: g.Div(x, g.Add(g.Exp(g.Neg(x)), [[[np.float32(1.0)]]])),
        "quick_gelu": lambda g, x: g.Mul(x, g.Sigmoid(g.Mul(x, 1.702))),
        "by_tanh": lambda g, x: g.Mul(g.Mul(x, 0.5), g.Add(g.Tanh(g.Mul(x, 0.5)), 1.0)),
        "quantized": lambda g, x: g.Mul(x, rounded(g, g.Sigmoid(x))),
    }, alpha=1.0)
    activation("hard_swish", "HardSwish", 14, {
        "pytorch": lambda g, x: g.Mul(x, g.HardSigmoid(x, alpha=1 / 6)),
        "pytorch_clip": lambda g, x: g.Div(g.Mul(x, g.Clip(g.Add(x, 3.0), 0.0, 6.0)), 6.0),
        "tf2onnx": lambda g, x: g.Mul(g.Mul(x, g.Min(g.Relu(g.Add(x, 3.0)), 6.0)), 1 / 6),
        "hard_sigmoid_clip": lambda g, x: g.Mul(g.Clip(g.Add(g.Mul(x, 1 / 6), 0.5), 0.0, 1.0), x),
    })
    activation("hard_sigmoid", "HardSigmoid", 17, {
        "pytorch": lambda g, x: g.Div(g.Clip(g.Add(x, 3.0), 0.0, 6.0), 6.0),
        "tf2onnx": lambda g, x: g.Max(g.Min(g.Add(g.Mul(x, 0.2), 0.5), 1.0), 0.0),
    }, body=False)
    activation("hard_sigmoid_18", "HardSigmoid", 18, {}, alpha=0.2, beta=0.5)
    activation("gelu", "Gelu", 20, {
        "pytorch": lambda g, x: g.Mul(g.Mul(x, g.Add(g.Erf(g.Div(x, 2**0.5)), 1.0)), 0.5),
        "half_first": lambda g, x: g.Mul(g.Mul(0.5, x), g.Add(1.0, g.Erf(g.Mul(x, 0.5**0.5)))),
        "half_inside": lambda g, x: g.Mul(x, g.Mul(0.5, g.Add(1.0, g.Erf(g.Div(x, g.Sqrt(2.0)))))),
        "half_added": lambda g, x: g.Mul(x, g.Add(g.Mul(g.Erf(g.Mul(x, 0.5**0.5)), 0.5), 0.5)),
        "tanh_pytorch": lambda g, x: gelu_tanh(g, x, g.Pow(x, 3.0)),
        "tanh_products": lambda g, x: gelu_tanh(g, x, g.Mul(x, g.Mul(x, x))),
    })
    activation("gelu_tanh", "Gelu", 20, {}, approximate="tanh")
    activation("mish", "Mish", 18, {
        "pytorch": lambda g, x: g.Mul(x, g.Tanh(g.Softplus(x))),
        "by_exp": lambda g, x: g.Mul(g.Tanh(g.Log(g.Add(g.Exp(x), 1.0))), x),
    })
    activation("softplus", "Softplus", 18, {"by_exp": lambda g, x: g.Log(g.Add(1.0, g.Exp(x)))})
    activation("softsign", "Softsign", 18, {"by_abs": lambda g, x: g.Div(x, g.Add(g.Abs(x), 1.0))})
    activation("sigmoid", "Sigmoid", 17, {
        "by_exp": sigmoid_by_exp,
        "reciprocal": lambda g, x: g.Reciprocal(g.Add(g.Exp(g.Neg(x)), 1.0)),
        "by_tanh": lambda g, x: g.Add(g.Mul(g.Tanh(g.Mul(x, 0.5)), 0.5), 0.5),
    }, body=False)
    activation("tanh", "Tanh", 17, {
        "by_sigmoid": lambda g, x: g.Sub(g.Mul(g.Sigmoid(g.Mul(x, 2.0)), 2.0), 1.0),
    }, body=False)
    activation("relu", "Relu", 18, {"by_where": lambda g, x: g.Where(g.Greater(x, 0.0), x, 0.0)}, body=False)
    activation("leaky_relu", "LeakyRelu", 16, {
        "tf2onnx": lambda g, x: g.Max(x, g.Mul(x, 0.2)),
        "keras": lambda g, x: g.Sub(g.Relu(x), g.Mul(0.3, g.Relu(g.Neg(x)))),
    }, alpha=0.01)
    activation("elu", "Elu", 18, {
        "by_where": lambda g, x: g.Where(g.Less(x, 0.0), g.Mul(0.7, g.Sub(g.Exp(x), 1.0)), x),
    }, alpha=1.0)
    activation("selu", "Selu", 18, {"scaled_elu": lambda g, x: g.Mul(g.Elu(x, alpha=1.6732632), 1.0507009)},
               alpha=1.6732632, gamma=1.0507009)
    activation("celu", "Celu", 18, {}, alpha=2.0)
    activation("thresholded_relu", "ThresholdedRelu", 18, {}, alpha=1.0)
    activation("clip", "Clip", 10, {
        "tf2onnx": lambda g, x: g.Min(g.Max(x, 0.0), 6.0),
        "keras": lambda g, x: g.Min(g.Relu(x), 6.0),
    }, body=False, min=0.0, max=6.0)

    prelu = lambda g, x: g.PRelu(x, g.weight(8, 1, 1))
    write("prelu/op", prelu, IMAGE)
    write("prelu/onnx_body", prelu, IMAGE, inline="PRelu")
    write("prelu/keras", lambda g, x: g.Add(g.Relu(x), g.Mul(g.weight(8, 1, 1), g.Neg(g.Relu(g.Neg(x))))), IMAGE)
    write("prelu/insightface", lambda g, x: g.Add(
        g.Relu(x), g.Mul(g.Mul(g.weight(8, 1, 1), g.Sub(x, g.Abs(x))), 0.5)), IMAGE)


def softmax_by_exp(g, x, subtract_max=True):
    e = g.Exp(g.Sub(x, g.reduce("ReduceMax", x, [-1])) if subtract_max else x)
    return g.Div(e, g.reduce("ReduceSum", e, [-1]))


def log_softmax(g, x):
    shifted = g.Sub(x, g.reduce("ReduceMax", x, [-1]))
    return g.Sub(shifted, g.Log(g.reduce("ReduceSum", g.Exp(shifted), [-1])))


def softmaxes():
    for axis in (-1, 1):
        softmax = lambda g, x: g.Softmax(x, axis=axis)
        write(f"softmax{axis % 3}/op", softmax, opset=13)
        write(f"softmax{axis % 3}/onnx_body", softmax, opset=13, inline="Softmax")
        write(f"softmax{axis % 3}/onnx_body_18", softmax, opset=18, inline="Softmax")
    write("softmax2/jax", softmax_by_exp)
    write("softmax2/without_maximum", lambda g, x: softmax_by_exp(g, x, False))
    write("softmax2/opset_18", softmax_by_exp, opset=18)
    write("log_softmax/op", lambda g, x: g.LogSoftmax(x, axis=-1))
    write("log_softmax/onnx_body", lambda g, x: g.LogSoftmax(x, axis=-1), opset=13, inline="LogSoftmax")
    write("log_softmax/jax", log_softmax)
    write("log_softmax/by_log_sum_exp", lambda g, x: g.Sub(x, g.reduce("ReduceLogSumExp", x, [2])))


def centred(g, x, axes):
    return g.Sub(x, g.reduce("ReduceMean", x, axes))


def layer_norm(g, x, square=None, root=None, axes=(-1,), second=None, affine=(48,), epsilon=1e-5):
    axes = list(axes)
    d = centred(g, x, axes)
    squared = (square or (lambda g, d: g.Pow(d, 2.0)))(g, second(g, x, axes) if second else d)
    variance = g.Add(g.reduce("ReduceMean", squared, axes), epsilon)
    y = root(g, d, variance) if root else g.Div(d, g.Sqrt(variance))
    return g.Add(g.Mul(y, g.weight(*affine)), g.weight(*affine)) if affine else y


def one_layer_norm(g, x):
    return g.LayerNormalization(x, g.weight(48), g.weight(48), axis=-1)


def tensorflow_norm(g, x):
    """As tf.nn.batch_normalization puts it: x * inv + (shift - mean * inv)."""
    mean = g.reduce("ReduceMean", x, [2])
    variance = g.reduce("ReduceMean", g.Mul(g.Sub(x, mean), g.Sub(x, mean)), [2])
    inverse = g.Mul(g.Reciprocal(g.Sqrt(g.Add(variance, 1e-3))), g.weight(48))
    return g.Add(g.Mul(x, inverse), g.Sub(g.weight(48), g.Mul(mean, inverse)))


def without_kept_axes(g, x):
    lift = lambda y: g.Unsqueeze(y, np.array([2]))
    d = g.Sub(x, lift(g.reduce("ReduceMean", x, [2], keepdims=0)))
    variance = g.reduce("ReduceMean", g.Mul(d, d), [2], keepdims=0)
    y = g.Div(d, lift(g.Sqrt(g.Add(variance, 1e-5))))
    return g.Add(g.Mul(g.weight(48), y), g.weight(48))


def half_precision(g, x):
    """The norm in single precision inside a network in half precision."""
    y = g.Cast(x, to=TensorProto.FLOAT)
    d = g.Sub(y, g.reduce("ReduceMean", y, [-1]))
    squared = g.Pow(d, np.array([2.0], np.float32))
    variance = g.Add(g.reduce("ReduceMean", squared, [-1]), np.array([1e-5], np.float32))
    y = g.Cast(g.Div(d, g.Sqrt(variance)), to=TensorProto.FLOAT16)
    return g.Add(g.Mul(y, g.weight(48)), g.weight(48))


def norms():
    write("layer_norm/op", one_layer_norm)
    write("layer_norm/onnx_body", one_layer_norm, inline="LayerNormalization")
    write("layer_norm/pytorch", layer_norm)
    write("layer_norm/opset_18", layer_norm, opset=18)
    write("layer_norm/pytorch_old", lambda g, x: layer_norm(g, x, second=centred))
    write("layer_norm/squared_by_product", lambda g, x: layer_norm(g, x, square=lambda g, d: g.Mul(d, d)))
    write("layer_norm/by_reciprocal", lambda g, x: layer_norm(
        g, x, root=lambda g, d, v: g.Mul(d, g.Reciprocal(g.Sqrt(v)))))
    write("layer_norm/by_power", lambda g, x: layer_norm(g, x, root=lambda g, d, v: g.Mul(g.Pow(v, -0.5), d)))
    write("layer_norm/tf2onnx", tensorflow_norm)
    write("layer_norm/without_kept_axes", without_kept_axes)
    write("layer_norm_16/op", one_layer_norm, dtype=np.float16)
    write("layer_norm_16/casts", half_precision, dtype=np.float16)
    write("layer_norm_16/half", lambda g, x: layer_norm(g, x, epsilon=1e-3), dtype=np.float16)
    write("layer_norm_image/op", lambda g, x: g.Transpose(g.LayerNormalization(
        g.Transpose(x, perm=[0, 2, 3, 1]), g.weight(8), g.weight(8)), perm=[0, 3, 1, 2]), IMAGE)
    write("layer_norm_image/convnext", lambda g, x: layer_norm(g, x, axes=(1,), affine=(8, 1, 1)), IMAGE)

    rms = lambda g, x: g.RMSNormalization(x, g.weight(48), axis=-1)
    mean_square = lambda g, x, square: g.Add(g.reduce("ReduceMean", square, [-1]), 1e-6)
    power = lambda g, x: mean_square(g, x, g.Pow(x, 2.0))
    write("rms_norm/op", rms, opset=23)
    write("rms_norm/onnx_body", rms, opset=23, inline="RMSNormalization")
    write("rms_norm/llama", lambda g, x: g.Mul(g.weight(48), g.Mul(x, g.Div(1.0, g.Sqrt(power(g, x))))))
    write("rms_norm/t5", lambda g, x: g.Mul(g.Div(x, g.Sqrt(power(g, x))), g.weight(48)), opset=18)
    write("rms_norm/gemma", lambda g, x: g.Mul(
        g.Mul(x, g.Reciprocal(g.Sqrt(mean_square(g, x, g.Mul(x, x))))), g.Add(g.weight(48), 1.0)))
    write("rms_norm/by_norm", lambda g, x: g.Mul(
        g.Mul(g.Div(x, g.Max(g.reduce("ReduceL2", x, [-1]), 1e-12)), 48**0.5), g.weight(48)))

    unit = lambda g, x: g.LpNormalization(x, axis=-1, p=2)
    norm = lambda g, x: g.reduce("ReduceL2", x, [-1])
    write("lp_norm/op", unit)
    write("lp_norm/pytorch", lambda g, x: g.Div(
        x, g.Expand(g.Clip(norm(g, x), 1e-12), np.array([1, 12, 48]))))
    write("lp_norm/tf2onnx", lambda g, x: g.Mul(x, g.Reciprocal(g.Sqrt(
        g.Max(g.reduce("ReduceSum", g.Mul(x, x), [-1]), 1e-12)))))
    write("lp_norm_1/op", lambda g, x: g.LpNormalization(x, axis=-1, p=1))
    write("lp_norm_1/by_sum", lambda g, x: g.Div(x, g.reduce("ReduceSum", g.Abs(x), [-1])))

    instance = lambda g, x: g.InstanceNormalization(x, g.weight(8), g.weight(8))
    write("instance_norm/op", instance, IMAGE)
    write("instance_norm/nodes", lambda g, x: layer_norm(g, x, axes=(2, 3), affine=(8, 1, 1)), IMAGE)
    write("group_norm/op", lambda g, x: g.GroupNormalization(
        x, g.weight(8), g.weight(8), num_groups=2), IMAGE, opset=21)
    write("group_norm/onnx_body", lambda g, x: g.GroupNormalization(
        x, g.weight(8), g.weight(8), num_groups=2), IMAGE, opset=21, inline="GroupNormalization")
    write("group_norm/pytorch", group_norm, IMAGE)

    batch = lambda g, x: g.BatchNormalization(x, *(g.weight(8) for _ in range(4)))
    write("batch_norm/op", batch, IMAGE)
    write("batch_norm/folded", lambda g, x: g.Add(g.Mul(x, g.weight(1, 8, 1, 1)), g.weight(1, 8, 1, 1)), IMAGE)
    write("batch_norm/nodes", lambda g, x: g.Add(g.Mul(g.Div(g.Sub(x, g.weight(8, 1, 1)), g.Sqrt(
        g.Add(g.weight(8, 1, 1), 1e-5))), g.weight(8, 1, 1)), g.weight(8, 1, 1)), IMAGE)


def group_norm(g, x):
    core = g.InstanceNormalization(g.Reshape(x, np.array([0, 2, -1])), np.ones(2, np.float32), np.zeros(2, np.float32))
    y = g.Reshape(core, g.Shape(x))
    return g.Add(g.Mul(y, g.weight(8, 1, 1)), g.weight(8, 1, 1))


def looks_like_one():
    for name, form in {
        "gelu_wrong_cube": lambda g, x: gelu_tanh(g, x, g.Pow(x, 2.0)),
        "gelu_wrong_root": lambda g, x: g.Mul(g.Mul(x, g.Add(g.Erf(g.Div(x, 1.5)), 1.0)), 0.5),
        "gelu_wrong_half": lambda g, x: g.Mul(g.Mul(x, g.Add(g.Erf(g.Div(x, 2**0.5)), 1.0)), 0.6),
        "gate_of_another": lambda g, x: g.Mul(x, g.Sigmoid(g.MatMul(x, g.weight(48, 48)))),
        "swish_wrong_sum": lambda g, x: g.Div(x, g.Add(g.Exp(g.Neg(x)), 1.5)),
        "swish_trained": lambda g, x: g.Mul(x, g.Sigmoid(g.Mul(x, g.weight(48)))),
        "softmax_mean": lambda g, x: g.Div(g.Exp(x), g.reduce("ReduceMean", g.Exp(x), [-1])),
        "norm_two_axes": norm_of_two_axes,
        "norm_wrong_power": lambda g, x: layer_norm(g, x, square=lambda g, d: g.Pow(d, 3.0)),
        "norm_without_root": lambda g, x: layer_norm(g, x, root=lambda g, d, v: g.Div(d, v)),
        "swish_transposed": lambda g, x: g.Mul(x, g.Reshape(g.Transpose(
            g.Sigmoid(g.Reshape(x, np.array([24, 24])))), np.array([1, 12, 48]))),
    }.items():
        write(f"apart/{name}", form)


def norm_of_two_axes(g, x):
    """The mean along one axis, the variance along another one."""
    mean, square = g.reduce("ReduceMean", x, [2]), g.reduce("ReduceMean", g.Mul(x, x), [2])
    variance = g.Sub(square, g.Mul(mean, mean))
    return g.Div(centred(g, x, [1]), g.Sqrt(g.Add(variance, 1e-5)))


if __name__ == "__main__":
    for folder in filter(Path.is_dir, HERE.iterdir()):
        shutil.rmtree(folder)
    activations()
    softmaxes()
    norms()
    looks_like_one()
