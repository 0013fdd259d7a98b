#!/usr/bin/env python3
"""Writes those of networks/*.toml that come from published definitions: `pip install onnx==1.23.2`, then
`python workloads/make_networks.py`, from the repository root, with `mascot` built in $MASCOT or target/release.

Each network is built as an ONNX graph of shapes, in the words of its paper, and imported: those of XRBench and MOHaM
here, the families of networks that differ in size in `families.py`. Batch norm is folded into the convolution before it,
as in the other network files; biases are kept where there is no batch norm. `source` of each file says what was left out
or chosen, and what was published about its size.
"""
import families
from onnx_shapes import Net, inverted_residual, resnet


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
families.write()
