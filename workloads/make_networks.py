#!/usr/bin/env python3
"""Writes those of networks/*.toml that come from published definitions: `pip install onnx==1.23.2`, then
`python workloads/make_networks.py`, from the repository root, with `mascot` built in $MASCOT or target/release.

Each network is built here as an ONNX graph of shapes, in the words of its paper, and imported. Batch norm is folded
into the convolution before it, as in the other network files; biases are kept where there is no batch norm. `source` of
each file says what was left out or chosen, and what was published about its size.
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
        self.nodes, self.weights, self.count = [], [], 0
        self.inputs = [T(f"input{i}" if i else "input", *shape) for i, shape in enumerate(inputs)]

    def node(self, op, inputs, shape, name=None, **attributes):
        self.count += 1
        name = name or f"{op.lower()}_{self.count}"
        self.nodes.append(helper.make_node(op, [t if isinstance(t, str) else t.name for t in inputs], [name], name=name, **attributes))
        return T(name, *shape)

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
        value = lambda t: helper.make_tensor_value_info(t.name, TensorProto.FLOAT, [1, *t.shape])
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


def deeplabv3_mobilenet_v2():
    net = Net("deeplabv3_mobilenet_v2",
              "DeepLab v3 on MobileNet v2 for VOC (Sandler et al. 2018, arXiv 1801.04381, section 6.3), 513 x 513, output "
              "stride 16, image pooling and one 1 x 1 branch, without atrous pyramid; published for that set-up: 2.75 G "
              "multiply-adds, 2.11 M parameters", (3, 513, 513))
    x = net.conv(net.inputs[0], "stem", 32, 3, 2, act="Clip")
    index, dilation = 0, 1
    for expand, k, repeats, stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                       (6, 160, 3, 2), (6, 320, 1, 1)]:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            if k == 160 and repeat == 0:
                step, after = 1, 2
            else:
                after = dilation
            x = inverted_residual(net, x, f"block{index}", expand, k, 3, step, dilation)
            index, dilation = index + 1, after
    pooled = net.conv(net.global_pool(x), "image_pooling", 256)
    branch = net.conv(x, "aspp0", 256)
    x = net.conv(net.cat(net.resize(pooled, branch.shape[1:], "linear"), branch), "projection", 256)
    x = net.conv(x, "logits", 21, bias=True, act=None)
    net.write(net.resize(x, (513, 513), "linear"))


def mobilebert():
    tokens, hidden, inner = 128, 512, 128
    net = Net("mobilebert_s128",
              "MobileBERT (Sun et al. 2020, arXiv 2004.02984), 128 tokens, 24 blocks of 512 with bottleneck 128, 4 heads, "
              "4 feed-forward networks of 512; look-ups of the tokens are left out; NoNorm is a scale and a shift; published: "
              "25.3 M parameters, of which 4.2 M are those tables, and 5.7 G FLOPs", (tokens, 3 * 128))

    def norm(x, name):
        return net.add(net.node("Mul", [x, net.weight(f"{name}.scale", x.shape[-1])], x.shape), net.weight(f"{name}.shift", x.shape[-1]))

    x = net.linear(net.inputs[0], "embeddings", hidden)
    for i in range(24):
        name = lambda part: f"layer{i}.{part}"
        shared = norm(net.linear(x, name("bottleneck.attention"), inner), name("n0"))
        y = norm(net.linear(x, name("bottleneck.input"), inner), name("n1"))
        q, k = net.linear(shared, name("query"), inner), net.linear(shared, name("key"), inner)
        context = net.attention(q, k, net.linear(x, name("value"), inner), 4)
        y = norm(net.add(net.linear(context, name("attention.output"), inner), y), name("n2"))
        for j in range(4):
            up = net.op("Relu", net.linear(y, name(f"ffn{j}.up"), 512))
            y = norm(net.add(net.linear(up, name(f"ffn{j}.down"), inner), y), name(f"n{3 + j}"))
        x = norm(net.add(net.linear(y, name("output"), hidden), x), name("n7"))
    net.write(x)


def ritnet():
    net = Net("ritnet",
              "RITnet (Chaudhary et al. 2019, arXiv 1910.00694) at 160 x 100 as in XRBench's eye segmentation (the paper's "
              "input is 640 x 400); published: 248,900 parameters, of which 320 are batch norm", (1, 160, 100))
    x, skips = net.inputs[0], []
    for level in range(5):
        if level:
            x = net.pool(x, "AveragePool")
        a = net.conv(x, f"down{level}.conv1", 32, 3, bias=True, act="LeakyRelu")
        ax = net.cat(x, a)
        b = net.conv(net.conv(ax, f"down{level}.conv21", 32, bias=True, act=None), f"down{level}.conv22", 32, 3, bias=True, act="LeakyRelu")
        abx = net.cat(ax, b)
        x = net.conv(net.conv(abx, f"down{level}.conv31", 32, bias=True, act=None), f"down{level}.conv32", 32, 3, bias=True, act="LeakyRelu")
        skips.append(x)
    for level in (3, 2, 1, 0):
        up = net.cat(net.resize(x, skips[level].shape[1:]), skips[level])
        a = net.conv(net.conv(up, f"up{level}.conv11", 32, bias=True, act=None), f"up{level}.conv12", 32, 3, bias=True, act="LeakyRelu")
        upa = net.cat(up, a)
        x = net.conv(net.conv(upa, f"up{level}.conv21", 32, bias=True, act=None), f"up{level}.conv22", 32, 3, bias=True, act="LeakyRelu")
    net.write(net.conv(x, "output", 4, bias=True, act=None))


def fbnet_c(name, height, width, note):
    net = Net(name, "FBNet-C (Wu et al. 2019, arXiv 1812.03443), published at 224 x 224: 375 M FLOPs (multiply-adds), 5.5 M "
              f"parameters; this definition has 378 M there; {note}", (3, height, width))
    x = net.conv(net.inputs[0], "stem", 16, 3, 2)
    stages = [[(1, 16, 3, 1)],
              [(6, 24, 3, 2), (1, 24, 3, 1), (1, 24, 3, 1)],
              [(6, 32, 5, 2), (3, 32, 5, 1), (6, 32, 5, 1), (6, 32, 3, 1)],
              [(6, 64, 5, 2), (3, 64, 5, 1), (6, 64, 5, 1), (6, 64, 5, 1)],
              [(6, 112, 5, 1), (6, 112, 5, 1), (6, 112, 5, 1), (3, 112, 5, 1)],
              [(6, 184, 5, 2), (6, 184, 5, 1), (6, 184, 5, 1), (6, 184, 5, 1)],
              [(6, 352, 3, 1)]]
    for s, stage in enumerate(stages):
        for b, (expand, k, size, stride) in enumerate(stage):
            x = inverted_residual(net, x, f"stage{s}.{b}", expand, k, size, stride, act="Relu")
    x = net.global_pool(net.conv(x, "head", 1984))
    net.write(net.linear(net.reshape(x, 1984), "classifier", 1000))


def kws_res8_narrow():
    net = Net("kws_res8_narrow",
              "res8-narrow (Tang and Lin 2018, arXiv 1710.10361), 98 x 40 MFCC as in XRBench's keyword spotting (the paper's "
              "has 101 frames); published: 19.9 K parameters, 5.65 M multiplies", (1, 98, 40))
    x = net.conv(net.inputs[0], "conv0", 19, 3)
    x = net.node("AveragePool", [x], (19, 98 // 4, 40 // 3), kernel_shape=[4, 3], strides=[4, 3])
    for block in range(3):
        y = net.conv(x, f"conv{2 * block + 1}", 19, 3)
        x = net.add(net.conv(y, f"conv{2 * block + 2}", 19, 3), x)
    net.write(net.linear(net.reshape(net.global_pool(x), 19), "output", 12))


def emformer():
    tokens, hidden = 128, 512
    net = Net("emformer_24l",
              "Emformer EM-24L (Shi et al. 2021, arXiv 2010.10759): 24 blocks of 512, feed-forward 2048, 8 heads, 128 frames as "
              "in XRBench's speech recognition; attention over all 128 frames stands for segment, context and memory; front "
              "end, joiner and predictor are left out, and no size without them is published", (tokens, hidden))
    x = net.inputs[0]

    def norm(x, name):
        scale, shift = net.weight(f"{name}.scale", hidden), net.weight(f"{name}.shift", hidden)
        return net.node("LayerNormalization", [x, scale, shift], x.shape)

    for i in range(24):
        y = norm(x, f"block{i}.norm0")
        key, value = net.linear(y, f"block{i}.key", hidden), net.linear(y, f"block{i}.value", hidden)
        y = net.attention(net.linear(y, f"block{i}.query", hidden), key, value, 8)
        x = net.add(x, net.linear(y, f"block{i}.output", hidden))
        y = net.op("Relu", net.linear(norm(x, f"block{i}.norm1"), f"block{i}.up", 2048))
        x = net.add(x, net.linear(y, f"block{i}.down", hidden))
    net.write(x)


def hand_graph_cnn():
    net = Net("hand_graph_cnn",
              "2D part and heat-map encoder of the hand graph CNN (Ge et al. 2019, arXiv 1903.00812): two stacked hourglasses of "
              "depth 4 with two residual modules a place, 128 x 128 as in XRBench's hand tracking (half the paper's input), two "
              "fully connected layers; XRBench's eight graph layers (68 K MACs) are left out; no size is published",
              (3, 128, 128))

    def residual(x, name, k):
        y = net.conv(net.conv(net.conv(x, f"{name}.conv1", k // 2), f"{name}.conv2", k // 2, 3), f"{name}.conv3", k, act=None)
        return net.add(y, x if x.shape[0] == k else net.conv(x, f"{name}.skip", k, act=None))

    def twice(x, name, k=256):
        return residual(residual(x, f"{name}.0", k), f"{name}.1", k)

    def hourglass(x, name, depth):
        up = twice(x, f"{name}.up{depth}")
        low = twice(net.pool(x), f"{name}.in{depth}")
        low = hourglass(low, name, depth - 1) if depth > 1 else twice(low, f"{name}.middle")
        low = twice(low, f"{name}.out{depth}")
        return net.add(up, net.resize(low, up.shape[1:]))

    x = net.conv(net.inputs[0], "stem", 64, 7, 2, pad=3)
    x = net.pool(residual(x, "pre0", 128))
    x = residual(residual(x, "pre1", 128), "pre2", 256)
    for stack in range(2):
        y = twice(hourglass(x, f"stack{stack}", 4), f"stack{stack}.post")
        y = net.conv(y, f"stack{stack}.features", 256, bias=True)
        heat = net.conv(y, f"stack{stack}.heatmaps", 21, bias=True, act=None)
        back = net.conv(heat, f"stack{stack}.from_heatmaps", 256, bias=True, act=None)
        x = net.add(x, net.conv(y, f"stack{stack}.from_features", 256, bias=True, act=None), back)
    for level in range(4):
        x = twice(x, f"encoder{level}")
        if level < 3:
            x = net.pool(x)
    x = net.op("Relu", net.linear(net.reshape(x, 4096), "fc1", 512))
    net.write(net.linear(x, "fc2", 5120))


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


def sparse_to_dense():
    net = Net("sparse_to_dense_r18",
              "Sparse-to-dense RGBd-200 (Ma and Karaman 2018, arXiv 1709.07492): ResNet-18 on four channels and four "
              "up-projections, 228 x 912 as in XRBench's depth refinement; no size is published", (4, 228, 912))
    x = net.conv(resnet(net, net.inputs[0], [2, 2, 2, 2], False)[-1], "conv2", 256, act=None)
    for i in range(4):
        name, (c, h, w) = f"up{i}", x.shape
        x = net.resize(x, (2 * h, 2 * w))
        y = net.conv(net.conv(x, f"{name}.upper1", c // 2, 5), f"{name}.upper2", c // 2, 3, act=None)
        x = net.op("Relu", net.add(y, net.conv(x, f"{name}.bottom", c // 2, 5, act=None)))
    x = net.conv(x, "conv3", 1, 3, act=None)
    net.write(net.resize(x, (228, 912), "linear"))


def midas_small():
    net = Net("midas_v21_small",
              "MiDaS v2.1 small (Ranftl et al. 2020, arXiv 1907.01341): EfficientNet-Lite3, four feature maps of 64 to 512 "
              "channels fused upwards, 192 x 256 as in XRBench's depth estimation; published: 21 M parameters, of which 4.7 M are a "
              "unit that inference does not run", (3, 192, 256))
    x, maps = net.conv(net.inputs[0], "stem", 32, 3, 2, act="Clip"), []
    # EfficientNet-B0's stages with width 1.2 and depth 1.4; the first and the last stage are not repeated in Lite.
    for s, (expand, k, size, stride, repeats, is_map) in enumerate([
            (1, 24, 3, 1, 1, False), (6, 32, 3, 2, 3, True), (6, 48, 5, 2, 3, True), (6, 96, 3, 2, 5, False),
            (6, 136, 5, 1, 5, True), (6, 232, 5, 2, 6, False), (6, 384, 3, 1, 1, True)]):
        for r in range(repeats):
            x = inverted_residual(net, x, f"encoder{s}.{r}", expand, k, size, stride if r == 0 else 1)
        if is_map:
            maps.append(x)

    def unit(x, name):
        y = net.conv(net.op("Relu", x), f"{name}.conv1", x.shape[0], 3, bias=True)
        return net.add(net.conv(y, f"{name}.conv2", x.shape[0], 3, bias=True, act=None), x)

    x = None
    for level in (3, 2, 1, 0):
        y = net.conv(maps[level], f"scratch{level}", 64 << level, 3, act=None)
        y = y if x is None else net.add(x, unit(y, f"fusion{level}.unit1"))
        y = unit(y, f"fusion{level}.unit2")
        y = net.resize(y, [2 * n for n in y.shape[1:]], "linear")
        x = net.conv(y, f"fusion{level}.out", max(64 << level >> 1, 64), bias=True, act=None)
    x = net.conv(x, "output0", 32, 3, bias=True, act=None)
    x = net.conv(net.resize(x, [2 * n for n in x.shape[1:]], "linear"), "output1", 32, 3, bias=True)
    net.write(net.conv(x, "output2", 1, bias=True))


def plane_rcnn():
    net = Net("plane_rcnn_proposals",
              "PlaneRCNN (Liu et al. 2019, arXiv 1812.04072) up to its region proposals: ResNet-101, feature pyramid of 256 "
              "channels and region proposal network of Mask R-CNN, 160 x 160 as in XRBench's plane detection (a quarter of "
              "the paper's 640 x 640); heads per region, whose number depends on data, and the refinement network are left "
              "out", (3, 160, 160))
    stages = resnet(net, net.inputs[0], [3, 4, 23, 3], True)
    levels, x = [], None
    for level in (3, 2, 1, 0):
        lateral = net.conv(stages[level], f"fpn.lateral{level}", 256, bias=True, act=None)
        x = lateral if x is None else net.add(lateral, net.resize(x, lateral.shape[1:]))
        levels.append(net.conv(x, f"fpn.output{level}", 256, 3, bias=True, act=None))
    levels.insert(0, net.pool(levels[0], size=1, stride=2))
    outputs = []
    for i, level in enumerate(levels):
        y = net.conv(level, f"rpn{i}.conv", 512, 3, bias=True)
        outputs += [net.conv(y, f"rpn{i}.classes", 6, bias=True, act=None), net.conv(y, f"rpn{i}.boxes", 12, bias=True, act=None)]
    net.write(*outputs)


def ed_tcn():
    net = Net("ed_tcn",
              "ED-TCN (Lea et al. 2017, arXiv 1611.05267) for 50 Salads: 128 features, convolutions of 25 frames with 64 and 96 "
              "channels, 18 classes; 128 frames, our choice; no size is published", (128, 128))
    x = net.inputs[0]
    for i, k in enumerate((64, 96)):
        x = net.pool(net.conv1d(x, f"encoder{i}", k, 25))
    for i, k in enumerate((96, 64)):
        x = net.conv1d(net.resize(x, (2 * x.shape[1],)), f"decoder{i}", k, 25)
    x = net.linear(net.transpose(x, 1, 0), "classes", 18)
    net.write(net.op("Softmax", x))


deeplabv3_mobilenet_v2()
mobilebert()
ritnet()
fbnet_c("fbnet_c", 160, 100, "at 160 x 100 as in XRBench's gaze estimation, which lists its depthwise convolutions as full ones")
kws_res8_narrow()
emformer()
hand_graph_cnn()
sparse_to_dense()
midas_small()
plane_rcnn()
ed_tcn()
