#!/usr/bin/env python3
"""Writes the files of this folder whose names begin with a kind (function_, if_, sizes_, external_, opset_, input_, fit_, ...):
`pip install onnx==1.23.2`, then `python make.py`. Weights are zeros. What is right for each is in `tests/inputs/onnx_field/models.rs`.
"""
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, parser

HERE = Path(__file__).parent

# A convolution at 8 x 8 with a kernel of 3 x 3 and 4 channels in and out, padded: 9,216 MACs.
HEAD = '<ir_version: 10, opset_import: ["" : 21, "f" : 1, "com.acme" : 1]>\n'
CONV = "Conv <pads = [1, 1, 1, 1]>"

MODELS = {
    # A function that is called twice, with names of the caller inside, an attribute of the call and a default.
    "function_twice": f"""g (float[1,4,8,8] x) => (float[1,4,n,m] y) <float[4,4,3,3] w, float[4,4,3,3] v> {{
        c = f.block <step = [2, 2]> (x, w)
        y = f.block (c, v)
    }}
    <domain: "f", opset_import: ["" : 21]>
    block <step: ints = [1, 1]> (y, w) => (c) {{
        x = Conv <pads = [1, 1, 1, 1], strides: ints = @step> (y, w)
        c = Relu (x)
    }}""",
    # Functions that call functions, the inner one with an attribute that the outer one was given.
    "function_nested": f"""g (float[1,4,8,8] x) => (float[1,4,n,m] y) <float[4,4,3,3] w> {{ y = f.outer <by = [2, 2]> (x, w) }}
    <domain: "f", opset_import: ["" : 21, "f" : 1]>
    outer <by> (x, w) => (y) {{
        a = f.inner <step: ints = @by> (x, w)
        y = f.inner <step = [1, 1]> (a, w)
    }}
    <domain: "f", opset_import: ["" : 21]>
    inner <step> (x, w) => (y) {{ y = Conv <pads = [1, 1, 1, 1], strides: ints = @step> (x, w) }}""",
    # The bias is left out, and nobody reads one of the results.
    "function_optional": f"""g (float[1,4,8,8] x) => (float[1,4,8,8] y) <float[4,4,3,3] w> {{
        a, b, same = f.block (x, w)
        y = {CONV} (same, w)
    }}
    <domain: "f", opset_import: ["" : 21]>
    block (x, w, b) => (y, z, same) {{
        y = {CONV} (x, w, b)
        z = {CONV} (y, w, b)
        same = Identity (x)
    }}""",
    # Sizes that a constant of the function gets from the call, and a function in the domain of ONNX.
    "function_sizes": f"""g (float[1,4,8,8] x) => (float[1,4,n,m] y) <float[4,4,3,3] w> {{
        a = Half <to = [1, 4, 4, 16]> (x)
        y = {CONV} (a, w)
    }}
    <domain: "", opset_import: ["" : 21]>
    Half <to> (x) => (y) {{
        shape = Constant <value_ints: ints = @to> ()
        y = Reshape (x, shape)
    }}""",
    # A result that is an input, which onnxruntime does not take.
    "function_through": f"""g (float[1,4,8,8] x) => (float[1,4,8,8] y) <float[4,4,3,3] w> {{
        a, same = f.block (x, w)
        y = {CONV} (same, w)
    }}
    <domain: "f", opset_import: ["" : 21]>
    block (x, w) => (y, x) {{ y = {CONV} (x, w) }}""",
    "function_many_inputs": """g (float[1,4] x) => (float[1,4] y) { y = f.a (x, x) }
    <domain: "f", opset_import: ["" : 21]> a (x) => (y) { y = Relu (x) }""",
    "function_recursive": """g (float[1,4] x) => (float[1,4] y) { y = f.a (x) }
    <domain: "f", opset_import: ["f" : 1]> a (x) => (y) { y = f.b (x) }
    <domain: "f", opset_import: ["f" : 1]> b (x) => (y) { y = f.a (x) }""",
    # The function reads a tensor of the caller, which it cannot see.
    "function_captures": """g (float[1,4] x) => (float[1,4] y) <float[4,4] w> { y = f.a (x) }
    <domain: "f", opset_import: ["" : 21]> a (x) => (y) { y = MatMul (x, w) }""",
    # A branch inside a function, with the name of a tensor outside.
    "function_with_if": f"""g (float[1,4,8,8] x) => (float[1,4,n,m] y) <float[4,4,3,3] w, int64 four = {{4}}> {{
        c = f.block <step = [2, 2]> (x, w, four)
        y = {CONV} (c, w)
    }}
    <domain: "f", opset_import: ["" : 21]>
    block <step> (x, w, size) => (y) {{
        s = Shape <start = 1, end = 2> (x)
        c = Equal (s, size)
        y = If (c) <
            then_branch = a () => (float[1,4,n,m] r) {{ r = Conv <pads = [1, 1, 1, 1], strides: ints = @step> (x, w) }},
            else_branch = b () => (float[1,4,n,m] r) {{ r = {CONV} (x, w) }}
        >
    }}""",
    "domain_unknown": f"""g (float[1,4,8,8] x) => (float[1,4,8,8] y) <float[4,4,3,3] w> {{ y = com.acme.Conv (x, w) }}""",
    # An If in a branch, both branches with the same names, sizes from outside, two outputs.
    "if_nested": f"""g (float[1,4,8,8] x) => (float[1,4,n,m] y) <float[4,4,3,3] w, int64 eight = {{8}}, int64 one = {{1}}> {{
        s = Shape (x)
        h = Gather (s, one)
        tall = Greater (h, eight)
        a, b = If (tall) <
            then_branch = t () => (float[1,4,n,m] r, float[1,4,n,m] q) {{
                r = {CONV} (x, w)
                q = {CONV} (r, w)
            }},
            else_branch = e () => (float[1,4,n,m] r, float[1,4,n,m] q) {{
                flat = Not (tall)
                r = If (flat) <
                    then_branch = tt () => (float[1,4,n,m] r2) {{ r2 = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x) }},
                    else_branch = ee () => (float[1,4,n,m] r2) {{ r2 = Relu (x) }}
                >
                q = Identity (x)
            }}
        >
        c = {CONV} (a, w)
        d = {CONV} (b, w)
        p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (d)
        y = Add (c, p)
    }}""",
    # The branch has weights of its own, and the condition is a constant.
    "if_weights": f"""g (float[1,4,8,8] x) => (float[1,4,8,8] y) {{
        c = Constant <value = bool {{0}}> ()
        y = If (c) <
            then_branch = t () => (float[1,4,8,8] r) {{ r = Relu (x) }},
            else_branch = e () => (float[1,4,8,8] r) <float[4,4,3,3] w> {{ r = {CONV} (x, w) }}
        >
    }}""",
    "if_input": f"""g (float[1,4,8,8] x, bool c) => (float[1,4,8,8] y) <float[4,4,3,3] w> {{
        y = If (c) <
            then_branch = t () => (float[1,4,8,8] r) {{ r = Relu (x) }},
            else_branch = e () => (float[1,4,8,8] r) {{ r = {CONV} (x, w) }}
        >
    }}""",
    # As speech models choose by the sampling rate, also in a shape.
    "if_number": f"""g (float[1,4,16,16] x, int64 rate) => (float[1,4,n,m] y) <float[4,4,3,3] w, int64 sixteen = {{16}}> {{
        c = Equal (rate, sixteen)
        a = If (c) <
            then_branch = t () => (float[1,4,n,m] r) {{ r = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x) }},
            else_branch = e () => (float[1,4,n,m] r) {{ r = Identity (x) }}
        >
        y = {CONV} (a, w)
    }}""",
    "if_data": f"""g (float[1,4,8,8] x) => (float[1,4,8,8] y) <float[4,4,3,3] w, float zero = {{0}}> {{
        m = ReduceMax <keepdims = 0> (x)
        c = Greater (m, zero)
        y = If (c) <
            then_branch = t () => (float[1,4,8,8] r) {{ r = Relu (x) }},
            else_branch = e () => (float[1,4,8,8] r) {{ r = {CONV} (x, w) }}
        >
    }}""",
    "loop": f"""g (float[1,4,8,8] x) => (float[1,4,8,8] y) <float[4,4,3,3] w, int64 n = {{3}}, bool go = {{1}}> {{
        y = Loop (n, go, x) <body = b (int64 i, bool c, float[1,4,8,8] s) => (bool d, float[1,4,8,8] t) {{
            d = Identity (c)
            t = {CONV} (s, w)
        }}>
    }}""",
    # Sizes that are not one are counted, and there are 3: 1 x 4 x 4 x 16.
    "sizes_nonzero": f"""g (float[1,4,8,8] x) => (float[1,4,n,m] y) <float[4,4,3,3] w, int64 one = {{1}}> {{
        s = Shape (x)
        is_one = Equal (s, one)
        rest = Not (is_one)
        places = NonZero (rest)
        count = Shape <start = 1> (places)
        k = Add (count, one)
        first = Constant <value_ints = [1]> ()
        last = Constant <value_ints = [-1]> ()
        t = Concat <axis = 0> (first, k, k, last)
        r = Reshape (x, t)
        y = {CONV} (r, w)
    }}""",
    # Sizes by Where, Range, Max of three, ScatterElements and CumSum: 1 x 4 x 4 x 16.
    "sizes_arithmetic": f"""g (float[1,4,8,8] x) => (float[1,4,n,m] y)
        <float[4,4,3,3] w, int64 zero = {{0}}, int64 one = {{1}}, int64 four = {{4}}, int64[1] at = {{3}}, int64[1] wide = {{16}}> {{
        s = Shape (x)
        r = Range (zero, four, one)
        ones = Constant <value_ints = [1, 1, 1, 1]> ()
        c = CumSum (ones, zero)
        from_zero = Sub (c, ones)
        same = Equal (from_zero, r)
        four_of_each = Max (ones, four, one)
        picked = Where (same, s, ones)
        small = Min (picked, four_of_each)
        t = ScatterElements <axis = 0> (small, at, wide)
        back = Reshape (x, t)
        y = {CONV} (back, w)
    }}""",
    # In half precision 2,049 is 2,048, and a tenth of 30 in single precision is 3 and not more: 1 x 1 x 3 x 2,048.
    "sizes_rounded": """g (float[1,1,1,2049] x) => (float[1,1,n,m] y)
        <float[1,1,1,1] w, int64[1] zero = {0}, int64[1] one = {1}, int64[1] three = {3}> {
        s = Shape <start = 3> (x)
        h = Cast <to = 10> (s)
        i = Cast <to = 7> (h)
        thirty = Constant <value_floats = [30.0]> ()
        tenth = Constant <value_floats = [0.1]> ()
        p = Mul (thirty, tenth)
        up = Ceil (p)
        k = Cast <to = 7> (up)
        t = Concat <axis = 0> (one, one, k, i)
        row = Slice (x, zero, i, three)
        e = Expand (row, t)
        y = Conv (e, w)
    }""",
    # The file says what cannot be of an output and of half of the elements.
    "stale_output": f"""g (float[n,4,8,8] x) => (float16[7,4,8,8] y) <float[4,4,3,3] w, float[n,4,8,8] a> {{
        a = {CONV} (x, w)
        y = {CONV} (a, w)
    }}""",
    # A matrix that is the only input, on the right; a vector beside a matrix of activations; a scale beside a weight.
    "input_right": """g (float[64,10] x) => (float[5,10] y) <float[5,64] w> { y = MatMul (w, x) }""",
    "input_vector": """g (float[1,64] x, float[64] z) => (float[1,10] y) <float[64,10] w> {
        a = Add (x, z)
        y = MatMul (a, w)
    }""",
    "input_two_vectors": """g (float[64] x, float[64] z) => (float[10] y) <float[64,10] w> {
        a = Add (x, z)
        y = MatMul (a, w)
    }""",
    "input_weights": """g (float[1,64] x, float[64] bias, float[64,10] w) => (float[1,10] y) {
        a = Add (x, bias)
        y = MatMul (a, w)
    }""",
}

# One node each whose inputs or attributes contradict each other, though the file gives its output a shape that would
# do: inputs, weights, nodes. `y` is the output.
FITS = {
    "reshape_bind": ("float[n,4,8,8] x", "int64[2] s = {1,256}, float[256,4] q", f"c = {CONV} (x, w) d = Reshape (c, s) y = Gemm (d, q)"),
    "reshape_bind_open": ("float[n,4,8,8] x", "int64[2] s = {-1,768}, float[768,4] q", f"c = {CONV} (x, w) d = Reshape (c, s) y = Gemm (d, q)"),
    "reshape_view": ("float[1,4,8,8] x", "int64[4] s = {1,4,10,10}", f"c = Reshape (x, s) y = {CONV} (c, w)"),
    "reshape_two_open": ("float[1,4,8,8] x", "int64[4] s = {1,4,-1,-1}, float[1,4,8,8] c", f"c = Reshape (x, s) y = {CONV} (c, w)"),
    "positions": ("float[1,3,h,v] x", "float[8,3,4,4] p, int64[3] s = {0,8,-1}, float[1,8,16] k, float[1,8,16] e, float[16,4] q", "c = Conv <strides = [4, 4]> (x, p) d = Reshape (c, s) e = Add (d, k) y = MatMul (e, q)"),
    "add": ("float[1,4,8,8] x", "float[3,1,1] b", f"c = {CONV} (x, w) y = Add (c, b)"),
    "where": ("float[1,4,8,8] x", "float[8,7] b", f"c = {CONV} (x, w) d = Greater (c, c) y = Where (d, c, b)"),
    "stacks": ("float[3,4,5] x, float[2,5,6] z", "", "y = MatMul (x, z)"),
    "concat": ("float[1,4,8,8] x, float[1,4,8,7] z", "float[4,8,3,3] v, float[1,8,8,8] c", f"c = Concat <axis = 1> (x, z) y = {CONV} (c, v)"),
    "expand": ("float[1,4,8,8] x", "int64[4] s = {1,4,8,9}, float[1,4,8,9] c", f"c = Expand (x, s) y = {CONV} (c, w)"),
    "transpose": ("float[1,4,8,8] x", "float[1,4,8,8] c", f"c = Transpose <perm = [0, 0, 2, 3]> (x) y = {CONV} (c, w)"),
    "squeeze": ("float[1,4,8,8] x", "int64[1] s = {1}, float[1,8,8] c, float[4,8,3] v", "c = Squeeze (x, s) y = Conv <pads = [1, 1]> (c, v)"),
    "slice": ("float[1,4,8,8] x", "int64[1] a = {0}, int64[1] b = {4}, int64[1] i = {7}", f"c = Slice (x, a, b, i) y = {CONV} (c, w)"),
    "split": ("float[1,4,8,8] x", "int64[2] s = {1,4}", f"a, c = Split <axis = 1> (x, s) y = {CONV} (c, w)"),
    "tile": ("float[1,4,8,8] x", "int64[3] s = {1,1,2}, float[1,4,8,16] c", f"c = Tile (x, s) y = {CONV} (c, w)"),
    "pad": ("float[1,4,8,8] x", "int64[4] s = {0,1,0,1}, float[1,4,8,10] c", f"c = Pad (x, s) y = {CONV} (c, w)"),
    "gather": ("float[1,4,8,8] x", "int64[2] s = {1,9}", f"c = Gather <axis = 2> (x, s) y = {CONV} (c, w)"),
    "reduce": ("float[1,4,8,8] x", "int64[1] s = {4}, float[1,4,8,8] c", f"c = ReduceMean (x, s) y = {CONV} (c, w)"),
    "pool": ("float[1,4,8,8] x", "float[1,4,4,4] c", f"c = MaxPool <kernel_shape = [2]> (x) y = {CONV} (c, w)"),
    "stride": ("float[1,4,8,8] x", "", "y = Conv <strides = [0, 0]> (x, w)"),
    "pads": ("float[1,4,8,8] x", "", "y = Conv <pads = [1, 1]> (x, w)"),
    "pads_below_zero": ("float[1,4,8,8] x", "", "y = Conv <pads = [-1, -1, -1, -1]> (x, w)"),
    "kernel_shape": ("float[1,4,8,8] x", "", "y = Conv <kernel_shape = [5, 5], pads = [1, 1, 1, 1]> (x, w)"),
    "bias": ("float[1,4,8,8] x", "float[3] b", f"y = {CONV} (x, w, b)"),
    "bias_up": ("float[1,4,8,8] x", "float[4] b", "y = ConvTranspose <group = 2> (x, w, b)"),
    "addend": ("float[4,8] x", "float[8,4] q, float[3] b", "y = Gemm (x, q, b)"),
    "batch_norm": ("float[1,4,8,8] x", "float[3] b", f"c = {CONV} (x, w) y = BatchNormalization (c, b, b, b, b)"),
    "layer_norm": ("float[1,4,8,8] x", "float[7] b", f"c = {CONV} (x, w) y = LayerNormalization (c, b)"),
    "lstm_bias": ("float[5,2,8] x", "float[1,16,8] a, float[1,16,4] r, float[1,31] b", "y = LSTM <hidden_size = 4> (x, a, r, b)"),
    "lstm_directions": ("float[5,2,8] x", "float[1,16,8] a, float[1,16,4] r", 'y = LSTM <hidden_size = 4, direction = "bidirectional"> (x, a, r)'),
    "lstm_hidden": ("float[5,2,8] x", "float[1,16,8] a, float[1,16,4] r", "y = LSTM <hidden_size = 8> (x, a, r)"),
    "output": ("float[1,4,8,8] x", "", f"c = {CONV} (x, w)"),
    # What ONNX allows: one number, a bias of one row, tensors without elements, an axis of old operator sets.
    "lenient_addend": ("float[4,8] x", "float[8,4] q, float[4,1] b", "y = Gemm (x, q, b)"),
    "lenient_concat": ("float[1,4,8,8] x", "float[0] e, float[1,4,8,8] c", f"c = Concat <axis = 1> (x, e) y = {CONV} (c, w)"),
    "lenient_zero": ("float[1,4,8,8] x", "float[2,0,8] e, int64[3] s = {2,-1,4}", f"c = Reshape (e, s) y = {CONV} (x, w)"),
    "lenient_axis": ("float[1,4,8,8] x", "float[4] b, float[1,4,8,8] c", f"c = Add <axis = 1, broadcast = 1> (x, b) y = {CONV} (c, w)"),
    # Nodes that stand before those that write what they read; in a branch and in a function, too.
    "order": ("float[1,4,8,8] x", "", f"y = Relu (d) d = {CONV} (c, w) c = {CONV} (x, w)"),
    "order_cycle": ("float[1,4,8,8] x", "", f"y = Relu (b) a = Add (x, b) b = {CONV} (a, w)"),
    "order_branch": ("float[1,4,8,8] x", "bool yes = {1}", f"y = If (yes) <then_branch = t () => (float[1,4,8,8] o) {{ o = Relu (i) i = {CONV} (c, w) }}, else_branch = f () => (float[1,4,8,8] p) {{ p = Relu (x) }}> c = {CONV} (x, w)"),
}


def fit(name, inputs, weights, nodes):
    weights = f"float[4,4,3,3] w, {weights}".rstrip(", ")
    graph = f"g ({inputs}) => (float[1,4,8,8] y) <{weights}> {{ {nodes} }}"
    onnx.save(parsed(graph), HERE / f"fit_{name}.onnx")


def parsed(text):
    """A model of this text; the tensors that it lists without a value are weights."""
    model = parser.parse_model(HEAD + text)
    give_weights(model.graph)
    return model


def give_weights(graph):
    written = {output for node in graph.node for output in node.output} | {"t"}
    for value in [value for value in graph.value_info if value.name not in written]:
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        graph.initializer.append(numpy_helper.from_array(np.zeros(dims, "float32"), value.name))
        graph.value_info.remove(value)
    for branch in [a.g for node in graph.node for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]:
        give_weights(branch)


def bomb(name, levels, calls):
    """Functions that call the next one, so often: small in the file, and deep or large when they are written out."""
    bodies = []
    for level in range(levels):
        called = f"f.a{level + 1}" if level + 1 < levels else "Relu"
        nodes = "\n".join(f"t{i + 1} = {called} (t{i})" for i in range(calls))
        bodies.append(f'<domain: "f", opset_import: ["" : 21, "f" : 1]> a{level} (t0) => (t{calls}) {{ {nodes} }}')
    text = "g (float[1,4] x) => (float[1,4] y) { y = f.a0 (x) }\n" + "\n".join(bodies)
    onnx.save(parsed(text), HERE / f"{name}.onnx")


TYPES = {
    "uint8": TensorProto.UINT8, "int16": TensorProto.INT16, "uint32": TensorProto.UINT32, "uint64": TensorProto.UINT64,
    "double": TensorProto.DOUBLE, "bfloat16": TensorProto.BFLOAT16, "int4": TensorProto.INT4,
}


def of_type(name, ty, raw):
    """Sizes in an element type: 1 x 4 x 4 x 4 into 1 x 4 x 2 x 8."""
    sizes = helper.make_tensor("t", ty, [4], [1, 4, 2, 7])
    if raw:
        sizes = numpy_helper.from_array(numpy_helper.to_array(sizes), "t")
    text = f"""g (float[1,4,4,4] x) => (float[1,4,n,m] y) <float[4,4,3,3] w, int64[4] more = {{0, 0, 0, 1}}> {{
        i = Cast <to = 7> (t)
        s = Add (i, more)
        r = Reshape (x, s)
        y = {CONV} (r, w)
    }}"""
    model = parsed(text)
    model.graph.initializer.append(sizes)
    onnx.save(model, HERE / f"sizes_{name}.onnx")


def external(name, in_constant=False, **entries):
    """The target of a Reshape in a file beside the model."""
    target = TensorProto(name="t", data_type=TensorProto.INT64, dims=[4])
    target.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        target.external_data.add(key=key, value=str(value))
    text = f"""g (float[1,4,4,4] x) => (float[1,4,n,m] y) <float[4,4,3,3] w> {{
        r = Reshape (x, t)
        y = {CONV} (r, w)
    }}"""
    model = parsed(text)
    if in_constant:
        constant = helper.make_node("Constant", [], ["t"])
        constant.attribute.append(helper.make_attribute("value", target))
        model.graph.node.insert(0, constant)
    else:
        model.graph.initializer.append(target)
    (HERE / f"external_{name}.onnx").write_bytes(model.SerializeToString())


def main():
    for name, text in MODELS.items():
        onnx.save(parsed(text), HERE / f"{name}.onnx")
    for name, (inputs, weights, nodes) in FITS.items():
        fit(name, inputs, weights, nodes)
    bomb("function_deep", levels=80, calls=1)
    bomb("function_large", levels=30, calls=2)
    for name, ty in TYPES.items():
        of_type(name, ty, raw=False)
    of_type("float16", TensorProto.FLOAT16, raw=True)
    of_type("int4_raw", TensorProto.INT4, raw=True)
    (HERE / "external.bin").write_bytes(bytes(8) + np.array([1, 4, 2, 8], "<i8").tobytes())
    external("offset", location="external.bin", offset=8, length=32)
    external("constant", in_constant=True, location="./external.bin", offset=8)
    external("missing", location="nowhere.bin")
    external("parent", location="../onnx_field/external.bin", offset=8)
    external("absolute", location="/etc/passwd")
    external("short", location="external.bin", offset=16, length=32)
    external("wrong_offset", location="external.bin", offset="8 bytes")


if __name__ == "__main__":
    main()
