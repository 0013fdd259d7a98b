#!/usr/bin/env python3
"""Writes the ONNX files of this folder: `pip install onnx==1.23.2`, then `python make.py`.

One small network in every operator set from 9 to 20, each in the forms that exporters used at that time (axes, pads,
slices and splits as attributes or as inputs, Upsample or Resize). No file has `value_info`; the batch is symbolic; one
sub-graph computes a shape from a shape. tests/inputs/onnx_styles.rs has the counts, done by hand.
"""
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent


class Builder:
    """Collects nodes and constants; every node has one output, named after it, unless told otherwise."""

    def __init__(self, opset, weights="initializer"):
        self.opset, self.weights = opset, weights
        self.nodes, self.initializers, self.inputs = [], [], []
        self.count = 0

    def node(self, op, *inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"{op.lower()}_{self.count}" + (f"_{i}" if outputs > 1 else "") for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"/{op}_{self.count}", **attributes))
        return names if outputs > 1 else names[0]

    def constant(self, values, dtype=np.int64):
        self.count += 1
        name = f"const_{self.count}"
        self.initializers.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def weight(self, name, *dims):
        """A tensor without data: a ConstantOfShape, a graph input, or an initializer kept elsewhere."""
        if self.weights == "constant_of_shape":
            shape = self.constant(dims)
            self.nodes.append(helper.make_node("ConstantOfShape", [shape], [name]))
        elif self.weights == "input":
            self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
        else:
            tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims)
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="weights.bin")
            self.initializers.append(tensor)
        return name

    def listed(self, op, data, attribute, values, since, position=1, **attributes):
        """An operator whose list was an attribute before operator set `since` and is an input from then on."""
        if self.opset < since:
            return self.node(op, data, **{attribute: values}, **attributes)
        blanks = [""] * (position - 1)
        return self.node(op, data, *blanks, self.constant(values), **attributes)

    def save(self, name, inputs, output):
        graph = helper.make_graph(self.nodes, name, inputs + self.inputs, [output], self.initializers)
        opset = helper.make_opsetid("", self.opset)
        # IR version 7 is the first in which an initializer need not be an input, and old enough for every reader.
        model = helper.make_model(graph, opset_imports=[opset], ir_version=7, producer_name="mascot tests")
        (HERE / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def image(name="x", batch="batch"):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 3, 32, 32])


def pixels_and_tokens(b):
    """Convolutions, then attention over the pixels of the last map, then a classifier."""
    x = b.node("Conv", "x", b.weight("stem.weight", 8, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    norm = [b.weight(f"bn.{n}", 8) for n in ("weight", "bias", "mean", "var")]
    x = b.node("Relu", b.node("BatchNormalization", x, *norm))  # 8 x 16 x 16
    ceil = {"ceil_mode": 1} if b.opset >= 10 else {"pads": [0, 0, 1, 1]}
    x = b.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], **ceil)  # 8 x 8 x 8
    x = b.node("Conv", x, b.weight("dw.weight", 8, 1, 3, 3), group=8, auto_pad="SAME_UPPER")
    if b.opset < 11:
        x = b.node("Clip", x, min=0.0, max=6.0)
    else:
        x = b.node("Clip", x, b.constant(0.0, np.float32), b.constant(6.0, np.float32))
    scales = [1.0, 1.0, 1.5, 1.5]
    if b.opset < 10:
        x = b.node("Upsample", x, b.constant(scales, np.float32), mode="nearest")
    elif b.opset < 11:
        x = b.node("Resize", x, b.constant(scales, np.float32), mode="nearest")
    elif b.opset < 13:
        x = b.node("Resize", x, b.constant([], np.float32), b.constant(scales, np.float32), mode="nearest")
    else:
        x = b.node("Resize", x, "", b.constant(scales, np.float32), mode="nearest")
    x = b.listed("Pad", x, "pads", [0, 0, 1, 1, 0, 0, 1, 1], 11)  # 8 x 14 x 14
    x = b.node("Conv", x, b.weight("proj.weight", 16, 8, 2, 2), strides=[2, 2])  # 16 x 7 x 7
    x = tokens(b, x)
    x = attention(b, x)
    x = b.listed("ReduceMean", x, "axes", [1], 18, keepdims=1)
    x = b.listed("Squeeze", x, "axes", [1], 13)
    x = b.node("Gemm", x, b.weight("head.weight", 10, 16), b.weight("head.bias", 10), transB=1)
    return b.node("Softmax", x, axis=1)


def tokens(b, x):
    """1 x 16 x 7 x 7 -> 1 x 49 x 16, by the shape of the map: Shape, Gather, Unsqueeze, Concat, Reshape."""
    shape = b.node("Shape", x)
    size = [b.node("Gather", shape, b.constant(i), axis=0) for i in (0, 1)]
    size = [b.listed("Unsqueeze", s, "axes", [0], 13) for s in size]
    x = b.node("Reshape", x, b.node("Concat", *size, b.constant([-1]), axis=0))
    return b.node("Transpose", x, perm=[0, 2, 1])


def attention(b, x):
    """Two heads of 8 over a fused product; queries by Slice, keys and values by Split."""
    qkv = b.node("MatMul", x, b.weight("qkv.weight", 16, 48))
    qkv = b.node("Add", qkv, b.weight("qkv.bias", 48))
    if b.opset < 10:
        q = b.node("Slice", qkv, starts=[0], ends=[16], axes=[2])
        kv = b.node("Slice", qkv, starts=[16], ends=[48], axes=[2])
    else:
        q = b.node("Slice", qkv, b.constant([0]), b.constant([16]), b.constant([2]))
        kv = b.node("Slice", qkv, b.constant([16]), b.constant([2**63 - 1]), b.constant([2]))
    if b.opset < 13:
        k, v = b.node("Split", kv, outputs=2, axis=2, split=[16, 16])
    elif b.opset < 18:
        k, v = b.node("Split", kv, b.constant([16, 16]), outputs=2, axis=2)
    else:
        k, v = b.node("Split", kv, outputs=2, axis=2, num_outputs=2)

    def heads(t, perm):
        return b.node("Transpose", b.node("Reshape", t, b.constant([0, -1, 2, 8])), perm=perm)

    scores = b.node("MatMul", heads(q, [0, 2, 1, 3]), heads(k, [0, 2, 3, 1]))
    scores = b.node("Softmax", b.node("Div", scores, b.constant(8.0**0.5, np.float32)), axis=3)
    x = b.node("Transpose", b.node("MatMul", scores, heads(v, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    return b.node("Reshape", x, b.constant([0, 0, 16]))


def half_and_double(b):
    """What PyTorch writes for `interpolate(x, scale_factor=2)` and `pad(x, (1, 2, 3, 4))` of an unknown size."""
    x = b.node("Conv", "x", b.weight("w", 4, 3, 1, 1))
    shape = b.node("Shape", x)
    floats = b.node("Cast", b.node("Slice", shape, b.constant([2]), b.constant([4]), b.constant([0])), to=TensorProto.FLOAT)
    size = b.node("Cast", b.node("Floor", b.node("Mul", floats, b.constant(2.0, np.float32))), to=TensorProto.INT64)
    start = b.node("Slice", shape, b.constant([0]), b.constant([2]), b.constant([0]))
    size = b.node("Concat", start, size, axis=0)
    x = b.node("Resize", x, b.constant([], np.float32), b.constant([], np.float32), size, mode="nearest")  # 64 x 64
    pads = b.constant([1, 2, 3, 4])
    missing = b.node("Sub", b.node("Mul", b.node("Size", b.node("Shape", x)), b.constant(2)), b.node("Size", pads))
    zeros = b.node("ConstantOfShape", b.node("Unsqueeze", missing, b.constant([0])),
                   value=numpy_helper.from_array(np.array([0], np.int64)))
    pads = b.node("Reshape", b.node("Concat", pads, zeros, axis=0), b.constant([-1, 2]))
    pads = b.node("Slice", pads, b.constant([-1]), b.constant([-(2**63)]), b.constant([0]), b.constant([-1]))
    pads = b.node("Reshape", b.node("Transpose", pads, perm=[1, 0]), b.constant([-1]))
    x = b.node("Pad", x, b.node("Cast", pads, to=TensorProto.INT64))  # 71 x 67
    return b.node("Conv", x, b.weight("v", 1, 4, 3, 3))  # 69 x 65


def language_model(b):
    """A table that looks tokens up and, transposed, gives the logits; positions counted by the length."""
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "length"])
    table = b.weight("wte.weight", 1000, 32)
    length = b.node("Gather", b.node("Shape", "ids"), b.constant(1), axis=0)
    positions = b.node("Range", b.constant(0), length, b.constant(1))
    positions = b.node("Gather", b.weight("wpe.weight", 64, 32), positions)
    x = b.node("Add", b.node("Gather", table, "ids"), positions)
    x = b.node("Gelu", b.node("MatMul", x, b.weight("fc.weight", 32, 32)))
    x = b.node("MatMul", x, b.node("Transpose", table, perm=[1, 0]))
    return ids, x


def output(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


for opset in range(9, 21):
    builder = Builder(opset)
    builder.save(f"opset_{opset:02}", [image()], output(pixels_and_tokens(builder)))
for style in ("input", "constant_of_shape"):
    builder = Builder(13, style)
    builder.save(f"weights_by_{style}", [image()], output(pixels_and_tokens(builder)))
builder = Builder(17)
builder.save("sizes_computed", [image(batch=1)], output(half_and_double(builder)))
builder = Builder(20)
ids, logits = language_model(builder)
builder.save("tied_head", [ids], output(logits))
