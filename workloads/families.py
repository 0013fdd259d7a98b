"""Families of networks that do one task at different sizes, from their public definitions.

They differ in width, depth or resolution, as their papers scale them, so that an application can choose between
accuracy and cost. The members that ship as exports of the original models (mobilenet_v1, resnet18, resnet50,
bert_base_s128) have the layers that the same functions here give them; tests/inputs/families.rs compares the others with
them.
"""
import math

from onnx import TensorProto

from onnx_shapes import Net, resnet


def mobilenet_v1(name, width, published):
    net = Net(name, f"MobileNet v1 (Howard et al. 2017, arXiv 1704.04861) of width {width}, 224 x 224, 1000 classes; "
              f"published: {published}", (3, 224, 224))
    channels = lambda k: int(k * width)
    x = net.conv(net.inputs[0], "stem", channels(32), 3, 2, act="Clip")
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for i, (k, stride) in enumerate(blocks):
        x = net.conv(net.dw(x, f"block{i}.depthwise", 3, stride, act="Clip"), f"block{i}.pointwise", channels(k), act="Clip")
    net.write(net.classifier(x, "classifier", 1000))


def resnet_classifier(name, blocks, deep, published):
    net = Net(name, "ResNet (He et al. 2016, arXiv 1512.03385) as in torchvision: the stride is in the 3 x 3 convolution; "
              f"224 x 224, 1000 classes; published by torchvision: {published}", (3, 224, 224))
    x = resnet(net, net.inputs[0], blocks, deep)[-1]
    net.write(net.classifier(x, "fc", 1000))


def efficientnet(name, width, depth, resolution, published):
    net = Net(name, f"EfficientNet (Tan and Le 2019, arXiv 1905.11946) of width {width} and depth {depth}, {resolution} x "
              f"{resolution} as torchvision evaluates its weights, 1000 classes; published by torchvision: {published}",
              (3, resolution, resolution))

    def channels(k):
        """A multiple of 8, at most a tenth below the scaled number."""
        scaled = k * width
        rounded = max(8, int(scaled + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * scaled else rounded

    def block(x, name, expand, k, size, stride):
        """Inverted residual with squeeze and excitation, whose bottleneck is a quarter of the block's input."""
        y = net.conv(x, f"{name}.expand", x.shape[0] * expand, act="Silu") if expand > 1 else x
        y = net.dw(y, f"{name}.depthwise", size, stride, act="Silu")
        squeezed = net.conv(net.global_pool(y), f"{name}.squeeze", max(1, x.shape[0] // 4), bias=True, act="Silu")
        gate = net.conv(squeezed, f"{name}.excite", y.shape[0], bias=True, act="Sigmoid")
        y = net.conv(net.op("Mul", y, gate), f"{name}.project", channels(k), act=None)
        return net.add(y, x) if y.shape == x.shape else y

    x = net.conv(net.inputs[0], "stem", channels(32), 3, 2, act="Silu")
    for s, (expand, k, size, stride, repeats) in enumerate([
            (1, 16, 3, 1, 1), (6, 24, 3, 2, 2), (6, 40, 5, 2, 2), (6, 80, 3, 2, 3), (6, 112, 5, 1, 3), (6, 192, 5, 2, 4),
            (6, 320, 3, 1, 1)]):
        for r in range(math.ceil(repeats * depth)):
            x = block(x, f"stage{s}.{r}", expand, k, size, stride if r == 0 else 1)
    net.write(net.classifier(net.conv(x, "head", 4 * x.shape[0], act="Silu"), "classifier", 1000))


def bert(name, layers, hidden, published):
    tokens, heads = 128, hidden // 64
    net = Net(name, f"BERT (Devlin et al. 2019, arXiv 1810.04805; sizes of Turc et al. 2019, arXiv 1908.08962) of {layers} "
              f"layers of {hidden}, {heads} heads, feed-forward {4 * hidden}, {tokens} tokens; layers as in bert_base_s128, "
              f"without pooler and head; published: {published}")
    ids, mask = net.input("ids", tokens), net.input("mask", tokens, dtype=TensorProto.BOOL)

    def norm(x, name):
        scale, shift = net.weight(f"{name}.scale", hidden), net.weight(f"{name}.shift", hidden)
        return net.node("LayerNormalization", [x, scale, shift], x.shape)

    def table(name, rows, ids):
        return net.node("Gather", [net.weight(name, rows, hidden), ids], (tokens, hidden), name=f"{name}_rows")

    fixed = lambda name, values: net.weight(name, 1, tokens, dtype=TensorProto.INT64, values=values)
    scalar = lambda name: net.weight(name)
    x = table("words", 30522, ids)
    x = net.add(x, table("segments", 2, fixed("segment_ids", [0] * tokens)))
    x = norm(net.add(x, table("positions", 512, fixed("position_ids", range(tokens)))), "embeddings")
    # Each of the tokens attends to those of the mask.
    queries = net.weight("queries", 1, 1, tokens, 1, dtype=TensorProto.BOOL)
    pairs = net.node("And", [queries, net.reshape(mask, 1, 1, tokens)], (1, tokens, tokens))
    pairs = net.node("Where", [pairs, scalar("kept"), scalar("masked")], pairs.shape)
    split = lambda t, *order: net.transpose(net.reshape(t, tokens, heads, hidden // heads), *order)
    for i in range(layers):
        part = lambda name: f"layer{i}.{name}"
        q, k, v = (net.linear(x, part(name), hidden) for name in ("query", "key", "value"))
        scores = net.matmul(split(q, 1, 0, 2), split(k, 1, 2, 0))
        scores = net.node("Mul", [scores, scalar(part("scale"))], scores.shape)
        y = net.matmul(net.op("Softmax", net.add(scores, pairs)), split(v, 1, 0, 2))
        y = net.reshape(net.transpose(y, 1, 0, 2), tokens, hidden)
        x = norm(net.add(net.linear(y, part("output"), hidden), x), part("norm0"))
        y = net.op("Gelu", net.linear(x, part("up"), 4 * hidden))
        x = norm(net.add(net.linear(y, part("down"), hidden), x), part("norm1"))
    net.write(x)


def yolov3_tiny():
    net = Net("yolov3_tiny", "YOLOv3-tiny (Redmon and Farhadi 2018, arXiv 1804.02767; cfg/yolov3-tiny.cfg of darknet), 416 x "
              "416, COCO; published: 5.56 G FLOPs (two a MAC), a weights file of 35,434,956 bytes", (3, 416, 416))
    conv = lambda x, name, k, size: net.conv(x, name, k, size, act="LeakyRelu")
    x = net.inputs[0]
    for i, k in enumerate((16, 32, 64, 128, 256)):
        fine = conv(x, f"conv{i}", k, 3)
        x = net.pool(fine)
    x = conv(x, "conv5", 512, 3)
    # Stride 1, padded below and at the right.
    x = net.node("MaxPool", [x], x.shape, kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    coarse = conv(conv(x, "conv6", 1024, 3), "conv7", 256, 1)
    boxes = net.conv(conv(coarse, "conv8", 512, 3), "boxes_coarse", 255, bias=True, act=None)
    x = conv(coarse, "conv9", 128, 1)
    x = conv(net.cat(net.resize(x, fine.shape[1:]), fine), "conv10", 256, 3)
    net.write(boxes, net.conv(x, "boxes_fine", 255, bias=True, act=None))


def write():
    mobilenet_v1("mobilenet_v1_x0_25", 0.25, "41 M multiply-adds, 0.5 M parameters")
    mobilenet_v1("mobilenet_v1_x0_5", 0.5, "149 M multiply-adds, 1.3 M parameters")
    mobilenet_v1("mobilenet_v1_x0_75", 0.75, "325 M multiply-adds, 2.6 M parameters")
    resnet_classifier("resnet34", [3, 4, 6, 3], False, "3.664 G multiply-adds, 21,797,672 parameters")
    resnet_classifier("resnet101", [3, 4, 23, 3], True, "7.801 G multiply-adds, 44,549,160 parameters")
    efficientnet("efficientnet_b0", 1.0, 1.0, 224, "0.386 G multiply-adds, 5,288,548 parameters")
    efficientnet("efficientnet_b1", 1.0, 1.1, 240, "0.687 G multiply-adds, 7,794,184 parameters")
    efficientnet("efficientnet_b2", 1.1, 1.2, 288, "1.088 G multiply-adds, 9,109,994 parameters")
    efficientnet("efficientnet_b4", 1.4, 1.8, 380, "4.394 G multiply-adds, 19,341,616 parameters")
    bert("bert_tiny_s128", 2, 128, "4.4 M parameters, of which 4.0 M are looked up")
    bert("bert_mini_s128", 4, 256, "11.3 M parameters, of which 7.9 M are looked up")
    bert("bert_small_s128", 4, 512, "29.1 M parameters, of which 15.9 M are looked up")
    bert("bert_medium_s128", 8, 512, "41.7 M parameters, of which 15.9 M are looked up")
    bert("bert_large_s128", 24, 1024, "340 M parameters, of which 31.8 M are looked up")
    yolov3_tiny()
