"""MACs of the operators that onnxruntime writes when it optimises or quantizes a model, and of Einsum, from shapes.

Each function has the node and the shapes of its inputs (None where one is missing) and outputs, as in check.py.
"""

import math

import onnx


def attribute(node, name, default=None):
    for candidate in node.attribute:
        if candidate.name == name:
            return onnx.helper.get_attribute_value(candidate)
    return default


def conv(weights):
    return lambda node, inputs, outputs: math.prod(outputs[0]) * math.prod(inputs[weights][1:])


def product(node, inputs, outputs):
    return math.prod(outputs[0]) * inputs[0][-1]


def fused_matmul(node, inputs, outputs):
    batch, transposed = attribute(node, "transBatchA", 0), attribute(node, "transA", 0)
    inner = (inputs[0][0] if batch else inputs[0][-2]) if transposed else inputs[0][-1]
    return math.prod(outputs[0]) * inner


def gemm(node, inputs, outputs):
    inner = inputs[0][0] if attribute(node, "transA", 0) else inputs[0][1]
    return math.prod(outputs[0]) * inner


def lstm(node, inputs, outputs):
    sequence, batch, features = inputs[0]
    directions, hidden, rows = inputs[2]
    return sequence * batch * directions * rows * (features + hidden)


def attention(past):
    """With its projection; every query meets every key, also a past one."""

    def count(node, inputs, outputs):
        batch, tokens, features = inputs[0]
        _, columns = inputs[1]
        query, _, value = attribute(node, "qkv_hidden_sizes") or [columns // 3] * 3
        keys = tokens + (inputs[past][3] if len(inputs) > past and inputs[past] else 0)
        return batch * tokens * (features * columns + keys * (query + value))

    return count


def multi_head(past):
    def count(node, inputs, outputs):
        batch, tokens, query = inputs[0]
        # Keys of another sequence may come by heads.
        keys = inputs[1][-2] + (inputs[past][2] if len(inputs) > past and inputs[past] else 0)
        return batch * tokens * keys * (query + outputs[0][2])

    return count


def onnx_attention(node, inputs, outputs):
    """The scores and the context of every head of the query."""
    past = inputs[4][2] if len(inputs) > 4 and inputs[4] else 0
    if len(inputs[0]) == 4:
        batch, heads, tokens, features = inputs[0]
        return batch * heads * tokens * (inputs[1][2] + past) * (features + outputs[0][3])
    batch, tokens, query = inputs[0]
    return batch * tokens * (inputs[1][1] + past) * (query + outputs[0][2])


def einsum(node, inputs, outputs):
    """Two operands at a time, from the left; what one operand alone sums is added up first; Mul has no MACs."""
    equation = attribute(node, "equation").decode().replace(" ", "")
    left, _, right = equation.partition("->")
    terms, sizes = [], {}
    for term, shape in zip(left.split(","), inputs):
        letters = term.replace("...", "")
        before = term.index("...") if "..." in term else len(letters)
        # The dimensions of an ellipsis are aligned at their end.
        names = list(letters[:before]) + [-i for i in range(len(shape) - len(letters), 0, -1)] + list(letters[before:])
        for name, size in zip(names, shape):
            sizes[name] = max(sizes.get(name, 1), size)
        terms.append(set(names))
    letters = left.replace(",", "").replace(".", "")
    output = set(right.replace(".", "")) if "->" in equation else {x for x in letters if letters.count(x) == 1}
    output |= {name for name in sizes if not isinstance(name, str)}
    macs, term = 0, terms[0]
    for at, other in enumerate(terms[1:], 2):
        later = output.union(*terms[at:])
        kept = (term | other) & later
        summed = (term & other) - later
        is_mul = not ((term | other) - later) and (term >= later or other >= later)
        if not is_mul:
            macs += math.prod(sizes[name] for name in kept | summed)
        term = kept
    return macs


MICROSOFT = {
    "FusedConv": conv(1),
    "NhwcConv": conv(1),
    "NhwcFusedConv": conv(1),
    "QLinearConv": conv(3),
    "FusedMatMul": fused_matmul,
    "TransposeMatMul": fused_matmul,
    "FusedMatMulActivation": fused_matmul,
    "FusedGemm": gemm,
    "QGemm": gemm,
    "GemmFastGelu": product,
    "MatMulInteger16": product,
    "MatMulIntegerToFloat": product,
    "DynamicQuantizeMatMul": product,
    "MatMulNBits": product,
    "MatMulBnb4": product,
    "DynamicQuantizeLSTM": lstm,
    "Attention": attention(4),
    "QAttention": attention(8),
    "MultiHeadAttention": multi_head(6),
    "GroupQueryAttention": multi_head(3),
}
ONNX = {
    "Einsum": einsum,
    "ConvInteger": conv(1),
    "QLinearConv": conv(3),
    "DeformConv": conv(1),
    "MatMulInteger": product,
    "QLinearMatMul": product,
    "Attention": onnx_attention,
}
MACS = (
    {("com.microsoft", name): count for name, count in MICROSOFT.items()}
    | {("", name): count for name, count in ONNX.items()}
    | {("com.microsoft.nchwc", "Conv"): conv(1)}
)
