"""Compares `mascot import` with onnxruntime: are the MACs those of the shapes that a model has when it runs?

    python tests/inputs/onnx_field/check.py [--mascot PROGRAM] [--bind NAME=SIZE]... FILE.onnx...

Every tensor of the model becomes an output, onnxruntime runs it once on made-up inputs, and the MACs are counted from
the shapes of the arrays that come back; nothing of mascot's code is used. Where the runtime lacks an operator of an old
operator set, the shapes are those of onnx.shape_inference. A symbolic or unknown dimension of an input
is 1 unless --bind gives it. Branches of If are taken as onnxruntime takes them; the body of a Loop or a Scan cannot be
looked into, so such a model counts as one that cannot be checked. Exit code 1 if a count differs.

Needs: pip install onnx onnxruntime numpy
"""

import argparse
import copy
import json
import math
import pathlib
import subprocess
import sys

import contrib
import numpy
import onnx
import onnx.inliner
import onnxruntime

BATCH_OF_OUTPUTS = 400
ATTEMPTS_AT_INPUTS = 3


def attribute(node, name, default=None):
    for candidate in node.attribute:
        if candidate.name == name:
            return onnx.helper.get_attribute_value(candidate)
    return default


# The MACs of a node from the shapes of its inputs and outputs; missing inputs are None.


def conv(node, inputs, outputs):
    return math.prod(outputs[0]) * math.prod(inputs[1][1:])


def conv_transpose(node, inputs, outputs):
    return math.prod(inputs[0]) * math.prod(inputs[1][1:])


def gemm(node, inputs, outputs):
    inner = inputs[0][0] if attribute(node, "transA", 0) else inputs[0][1]
    return math.prod(outputs[0]) * inner


def matmul(node, inputs, outputs):
    return math.prod(outputs[0]) * inputs[0][-1]


def recurrent(gates):
    def count(node, inputs, outputs):
        sequence, batch, features = inputs[0]
        directions, _, hidden = inputs[2]
        return sequence * batch * directions * gates * hidden * (features + hidden)

    return count


MACS = {
    ("", "Conv"): conv,
    ("", "ConvTranspose"): conv_transpose,
    ("", "Gemm"): gemm,
    ("", "MatMul"): matmul,
    ("", "RNN"): recurrent(1),
    ("", "GRU"): recurrent(3),
    ("", "LSTM"): recurrent(4),
} | contrib.MACS


def key(node):
    return ("" if node.domain == "ai.onnx" else node.domain, node.op_type)


# Running a model


def real_inputs(graph):
    weights = {tensor.name for tensor in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
    return [value for value in graph.input if value.name not in weights]


def binds(graph, sizes):
    """The names that mascot asks for: a symbol, INPUT.PLACE where a dimension has none, a number with a given value."""
    names = []
    for value in real_inputs(graph):
        for place, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.dim_param not in ("", "?"):
                names.append(dim.dim_param)
            elif dim.dim_value < 1:
                names.append(f"{value.name}.{place}")
    return list(dict.fromkeys([*names, *(value.name for value in real_inputs(graph) if value.name in sizes)]))


def made_up(value, sizes, attempt):
    """Zeros are indices that lie in every table; later attempts use ones, then random numbers."""
    tensor = value.type.tensor_type
    shape = []
    for place, dim in enumerate(tensor.shape.dim):
        named = dim.dim_param if dim.dim_param not in ("", "?") else f"{value.name}.{place}"
        shape.append(sizes.get(named, 1) if dim.dim_param or dim.dim_value < 1 else dim.dim_value)
    if tensor.elem_type == onnx.TensorProto.STRING:
        return numpy.full(shape, "monday", dtype=object)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    if value.name in sizes:
        return numpy.full(shape, sizes[value.name], dtype=dtype)
    if attempt < 2:
        return numpy.full(shape, attempt, dtype=dtype)
    return numpy.random.default_rng(0).random(shape).astype(dtype)


def open_dims(graph):
    """Takes sizes of zero, which some exporters write for "any", out of the inputs."""
    for value in real_inputs(graph):
        for dim in value.type.tensor_type.shape.dim:
            if dim.HasField("dim_value") and dim.dim_value < 1:
                dim.Clear()


def inferred(model, sizes):
    """The shapes that onnx.shape_inference finds, of the tensors where it finds all."""
    model = copy.deepcopy(model)
    del model.graph.value_info[:]
    for value in real_inputs(model.graph):
        shape = made_up(value, sizes, 0).shape
        value.CopyFrom(onnx.helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, shape))
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes = {}
    for value in [*model.graph.value_info, *model.graph.output]:
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            shapes[value.name] = [dim.dim_value for dim in dims]
    return shapes


def run(model, folder, sizes, wanted):
    """The arrays of the tensors `wanted`."""
    model = copy.deepcopy(model)
    known = {value.name for value in model.graph.output}
    for name in wanted:
        if name not in known:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    # Stale shapes of intermediate tensors are none of the runtime's business.
    del model.graph.value_info[:]
    for value in model.graph.output:
        if value.type.WhichOneof("value") == "tensor_type":
            value.ClearField("type")
    open_dims(model.graph)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    path = pathlib.Path(folder) / ".mascot_check.onnx"
    try:
        onnx.save(model, path)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    finally:
        path.unlink(missing_ok=True)
    problem = None
    for attempt in range(ATTEMPTS_AT_INPUTS):
        feeds = {value.name: made_up(value, sizes, attempt) for value in real_inputs(model.graph)}
        try:
            return dict(zip(wanted, session.run(wanted, feeds)))
        except Exception as error:  # noqa: BLE001 - whatever the runtime raises, other inputs may do
            problem = problem or error
    raise problem


def take_branches(model, folder, sizes):
    """Replaces every If by the branch that onnxruntime takes, from the outside in."""
    while any(node.op_type == "If" for node in model.graph.node):
        node_index, node = next((i, n) for i, n in enumerate(model.graph.node) if n.op_type == "If")
        condition = node.input[0]
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.name == condition}
        value = constants.get(condition)
        if value is None:
            value = run(model, folder, sizes, [condition])[condition]
        branch = attribute(node, "then_branch" if bool(numpy.asarray(value).all()) else "else_branch")
        prefix = f"if{node_index}_{node.output[0]}_"
        taken = rename(branch, prefix)
        nodes = list(taken.node)
        for inner, outer in zip(taken.output, node.output):
            nodes.append(onnx.helper.make_node("Identity", [inner.name], [outer]))
        rest = list(model.graph.node)
        rest[node_index : node_index + 1] = nodes
        del model.graph.node[:]
        model.graph.node.extend(rest)
        model.graph.initializer.extend(taken.initializer)
    return model


def rename(graph, prefix):
    """A copy of a branch whose own tensors have names that occur nowhere else."""
    graph = copy.deepcopy(graph)
    own = {output for node in graph.node for output in node.output if output}
    own |= {tensor.name for tensor in graph.initializer}
    visit(graph, lambda name: prefix + name if name in own else name)
    return graph


def visit(graph, new_name):
    for tensor in graph.initializer:
        tensor.name = new_name(tensor.name)
    for value in list(graph.output) + list(graph.value_info):
        value.name = new_name(value.name)
    for node in graph.node:
        node.input[:] = [new_name(name) for name in node.input]
        node.output[:] = [new_name(name) for name in node.output]
        for inner in node.attribute:
            if inner.type == onnx.AttributeProto.GRAPH:
                visit(inner.g, new_name)


def at_run_time(graph):
    """The nodes whose outputs depend on what an input holds, not on its shape alone; the others are computed before."""
    depends = {value.name for value in real_inputs(graph)}
    nodes = []
    for node in graph.node:
        if node.op_type not in ("Shape", "Size") and depends.intersection(node.input):
            depends.update(node.output)
            nodes.append(node)
    return nodes


def count(path, sizes):
    """MACs and the number of operations that have some, by the shapes that onnxruntime computes."""
    folder = path.parent
    try:
        model = onnx.load(path)
    except Exception:  # noqa: BLE001 - the file of the weights is not there
        model = onnx.load(path, load_external_data=False)
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    model = take_branches(model, folder, sizes)
    hidden = sorted({node.op_type for node in model.graph.node if node.op_type in ("Loop", "Scan", "SequenceMap")})
    if hidden:
        raise ValueError(f"it has {', '.join(hidden)}")
    counted = [node for node in at_run_time(model.graph) if key(node) in MACS]
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    shapes |= {tensor.values.name: list(tensor.dims) for tensor in model.graph.sparse_initializer}
    given = {value.name for value in real_inputs(model.graph)}
    for value in real_inputs(model.graph):
        if value.type.WhichOneof("value") == "tensor_type":
            shapes[value.name] = list(made_up(value, sizes, 0).shape)
    wanted = {name for node in counted for name in [*node.input, node.output[0]] if name}
    wanted = sorted(wanted - shapes.keys() - given)
    if not wanted:
        # Whether the runtime takes the model is of interest even if nothing is counted.
        wanted = [value.name for value in model.graph.output][:1]
    for start in range(0, len(wanted), BATCH_OF_OUTPUTS):
        batch = wanted[start : start + BATCH_OF_OUTPUTS]
        try:
            shapes |= {name: list(numpy.shape(array)) for name, array in run(model, folder, sizes, batch).items()}
        except Exception:  # noqa: BLE001 - operators of old operator sets are not implemented
            found = inferred(model, sizes)
            if not all(name in found for name in batch):
                raise
            shapes |= found
    macs = 0
    for node in counted:
        inputs = [shapes.get(name) for name in node.input]
        macs += MACS[key(node)](node, inputs, [shapes[name] for name in node.output[:1]])
    return macs


def imported(mascot, path, names, sizes, options):
    command = [mascot, "import", str(path), "--json", *options]
    for name in names:
        command += ["--bind", f"{name}={sizes.get(name, 1)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    notes = [line for line in done.stderr.splitlines() if line]
    if done.returncode:
        return None, notes
    return json.loads(done.stdout)["macs"], notes


def check(mascot, path, sizes, options):
    """One line on one model, and whether the counts agree as far as both are there."""
    names = binds(onnx.load(path, load_external_data=False).graph, sizes)
    found, notes = imported(mascot, path, names, sizes, options)
    try:
        expected, why = count(path, sizes), ""
    except Exception as error:  # noqa: BLE001 - a model that the runtime refuses is a line of the report
        expected, why = None, " ".join(str(error).split())[:200]
    said = " | ".join(notes).replace(str(path), path.name)
    if found is None:
        runtime = f"onnxruntime: {expected} MACs" if expected is not None else f"unchecked: {why}"
        return f"refused    {path}\n           {said}\n           {runtime}", expected in (None, 0)
    if expected is None:
        return f"unchecked  {path} {found} MACs {said}\n           {why}", True
    verdict = "equal     " if found == expected else "DIFFERENT "
    return f"{verdict} {path} {found} MACs" + (f", onnxruntime {expected}" if found != expected else "") + f" {said}", found == expected


def binding(text):
    name, size = text.rsplit("=", 1)
    return name, int(size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--mascot", default="target/release/mascot")
    parser.add_argument("--bind", action="append", default=[], type=binding)
    parser.add_argument("--option", action="append", default=[], help="passed on to `mascot import`")
    options = parser.parse_args()
    differ = 0
    for path in options.models:
        line, agrees = check(options.mascot, path, dict(options.bind), options.option)
        print(line, flush=True)
        differ += line.startswith("DIFFERENT")
    print(f"{len(options.models)} models, {differ} with other counts")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
