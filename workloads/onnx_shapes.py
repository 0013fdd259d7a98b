"""ONNX graphs of shapes in few words, written as networks/*.toml by `mascot import`, and blocks that several networks
share. `make_networks.py` says what is needed to run it.
"""
import os
import re
import subprocess
import tempfile
from pathlib import Path

from onnx import TensorProto, helper

ROOT = Path(__file__).resolve().parents[1]
MASCOT = os.environ.get("MASCOT", str(ROOT / "target/release/mascot"))


class T:
    """A tensor of the graph: its name and its shape without the batch."""

    def __init__(self, name, *shape):
        self.name, self.shape = name, shape


class Net:
    def __init__(self, name, source, *inputs):
        self.name, self.source = name, source
        self.nodes, self.weights, self.types, self.count = [], [], {}, 0
        self.inputs = [T(f"input{i}" if i else "input", *shape) for i, shape in enumerate(inputs)]

    def node(self, op, inputs, shape, name=None, **attributes):
        self.count += 1
        name = name or f"{op.lower()}_{self.count}"
        self.nodes.append(helper.make_node(op, [t if isinstance(t, str) else t.name for t in inputs], [name], name=name, **attributes))
        return T(name, *shape)

    def input(self, name, *shape, dtype=TensorProto.INT64):
        """An input of whole numbers or truth values, without the batch."""
        self.types[name] = dtype
        self.inputs.append(T(name, *shape))
        return self.inputs[-1]

    def weight(self, name, *dims, dtype=TensorProto.FLOAT, values=None):
        tensor = TensorProto(name=name, data_type=dtype, dims=dims)
        if values is not None:
            tensor.int64_data.extend(values)
        self.weights.append(tensor)
        return name

    def conv(self, x, name, k, size=1, stride=1, groups=1, dilation=1, bias=False, act="Relu", pad=None):
        """A convolution with padding that keeps the size at stride 1, and its activation."""
        pair = lambda v: v if isinstance(v, tuple) else (v, v)
        (r, s), strides, c = pair(size), pair(stride), x.shape[0]
        pads = [(r - 1) * dilation // 2, (s - 1) * dilation // 2] if pad is None else list(pair(pad))
        spatial = [(n + 2 * p - (f - 1) * dilation - 1) // t + 1 for n, p, f, t in zip(x.shape[1:], pads, (r, s), strides)]
        inputs = [x, self.weight(f"{name}.weight", k, c // groups, r, s)]
        if bias:
            inputs.append(self.weight(f"{name}.bias", k))
        y = self.node("Conv", inputs, (k, *spatial), name, group=groups, strides=list(strides),
                      dilations=[dilation] * 2, pads=pads * 2)
        if act == "Silu":
            return self.op("Mul", y, self.op("Sigmoid", y))
        return self.node(act, [y], y.shape) if act else y

    def dw(self, x, name, size=3, stride=1, dilation=1, act="Relu"):
        return self.conv(x, name, x.shape[0], size, stride, groups=x.shape[0], dilation=dilation, act=act)

    def conv1d(self, x, name, k, size):
        y = self.node("Conv", [x, self.weight(f"{name}.weight", k, x.shape[0], size), self.weight(f"{name}.bias", k)],
                      (k, x.shape[1]), name, pads=[(size - 1) // 2, size // 2])
        return self.node("Relu", [y], y.shape)

    def linear(self, x, name, k, bias=True):
        """Features are the last dimension."""
        y = self.node("MatMul", [x, self.weight(f"{name}.weight", x.shape[-1], k)], (*x.shape[:-1], k), name)
        return self.node("Add", [y, self.weight(f"{name}.bias", k)], y.shape) if bias else y

    def classifier(self, x, name, k):
        """A fully connected layer behind the pooled features of a channel each."""
        x = self.reshape(self.global_pool(x), x.shape[0])
        weight, bias = self.weight(f"{name}.weight", x.shape[0], k), self.weight(f"{name}.bias", k)
        return self.node("Gemm", [x, weight, bias], (k,), name)

    def op(self, op, *inputs):
        return self.node(op, inputs, inputs[0].shape)

    def add(self, *inputs):
        x = inputs[0]
        for y in inputs[1:]:
            x = self.node("Add", [x, y], x.shape)
        return x

    def cat(self, *inputs):
        return self.node("Concat", inputs, (sum(t.shape[0] for t in inputs), *inputs[0].shape[1:]), axis=1)

    def pool(self, x, op="MaxPool", size=2, stride=2, pad=0):
        spatial = [(n + 2 * pad - size) // stride + 1 for n in x.shape[1:]]
        return self.node(op, [x], (x.shape[0], *spatial), kernel_shape=[size] * len(spatial),
                         strides=[stride] * len(spatial), pads=[pad] * 2 * len(spatial))

    def global_pool(self, x):
        return self.node("GlobalAveragePool", [x], (x.shape[0], 1, 1))

    def resize(self, x, spatial, mode="nearest"):
        sizes = self.weight(f"sizes_{self.count}", 2 + len(spatial), dtype=TensorProto.INT64, values=[1, x.shape[0], *spatial])
        return self.node("Resize", [x, "", "", sizes], (x.shape[0], *spatial), mode=mode)

    def reshape(self, x, *shape):
        target = self.weight(f"shape_{self.count}", 1 + len(shape), dtype=TensorProto.INT64, values=[1, *shape])
        return self.node("Reshape", [x, target], shape)

    def transpose(self, x, *order):
        return self.node("Transpose", [x], [x.shape[i] for i in order], perm=[0, *[i + 1 for i in order]])

    def matmul(self, a, b):
        return self.node("MatMul", [a, b], (*a.shape[:-1], b.shape[-1]))

    def attention(self, q, k, v, heads):
        """Scaled dot products of tokens x features."""
        split = lambda t, *order: self.transpose(self.reshape(t, t.shape[0], heads, t.shape[1] // heads), *order)
        scores = self.op("Softmax", self.matmul(split(q, 1, 0, 2), split(k, 1, 2, 0)))
        y = self.transpose(self.matmul(scores, split(v, 1, 0, 2)), 1, 0, 2)
        return self.reshape(y, q.shape[0], v.shape[1])

    def write(self, *outputs):
        value = lambda t: helper.make_tensor_value_info(t.name, self.types.get(t.name, TensorProto.FLOAT), [1, *t.shape])
        graph = helper.make_graph(self.nodes, self.name, [value(t) for t in self.inputs], [value(t) for t in outputs], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        with tempfile.TemporaryDirectory() as folder:
            file, toml = Path(folder, f"{self.name}.onnx"), Path(folder, f"{self.name}.toml")
            file.write_bytes(model.SerializeToString(deterministic=True))
            printed = subprocess.run([MASCOT, "import", file, "-o", toml], check=True, capture_output=True, text=True).stdout
            text = toml.read_text()
        text = re.sub(r"^# Written by .*", "# Written by `python workloads/make_networks.py`: change the script, not this file.", text)
        text = re.sub(r'^source = .*$', f'source = "{self.source}"', text, flags=re.M)
        (ROOT / "workloads/networks" / f"{self.name}.toml").write_text(text)
        print(" ".join(printed.split()))


def inverted_residual(net, x, name, expand, k, size=3, stride=1, dilation=1, act="Relu6", residual=True):
    """MobileNet v2's block: 1 x 1 up, depthwise, 1 x 1 down, and the input added where shapes agree."""
    act = "Clip" if act == "Relu6" else act
    y = net.conv(x, f"{name}.expand", x.shape[0] * expand, act=act) if expand > 1 else x
    y = net.dw(y, f"{name}.depthwise", size, stride, dilation, act=act)
    y = net.conv(y, f"{name}.project", k, act=None)
    return net.add(y, x) if residual and y.shape == x.shape else y


def resnet_block(net, x, name, k, stride, deep):
    """Basic block of two 3 x 3, or bottleneck with four times as many outputs."""
    out = 4 * k if deep else k
    if deep:
        y = net.conv(net.conv(net.conv(x, f"{name}.conv1", k), f"{name}.conv2", k, 3, stride), f"{name}.conv3", out, act=None)
    else:
        y = net.conv(net.conv(x, f"{name}.conv1", k, 3, stride), f"{name}.conv2", k, 3, act=None)
    if y.shape != x.shape:
        x = net.conv(x, f"{name}.downsample", out, 1, stride, act=None)
    return net.op("Relu", net.add(y, x))


def resnet(net, x, blocks, deep):
    """The four stages of a ResNet."""
    x = net.pool(net.conv(x, "conv1", 64, 7, 2, pad=3), size=3, stride=2, pad=1)
    stages = []
    for stage, count in enumerate(blocks):
        for block in range(count):
            stride = 2 if stage and not block else 1
            x = resnet_block(net, x, f"layer{stage + 1}.{block}", 64 << stage, stride, deep)
        stages.append(x)
    return stages
