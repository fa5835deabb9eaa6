"""Writes MiniLM's graph for indexing, without its weights; `pip install onnx` first, which is no dependency.

`python tests/evals/make_indexing_graph.py`. The graph multiplies 8-bit activations by the 8-bit weights that the model
file stores, where the model's own graph turns these into 32 bits first. It names each weight by its place in that file.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx  # type: ignore[import-not-found]  # needed for this script only
from onnx import TensorProto, helper, numpy_helper

from support_agents.adapters.onnx import DIMENSIONS, INDEXING_PATH, WEIGHTS_FILE, model_path

LAYERS, HEADS, HIDDEN = 6, 12, 1536
EPSILON = 1e-12
MICROSOFT = "com.microsoft"
_EMBEDDINGS = "inner.embeddings"


class Graph:
    """Nodes so far, and weights as places in the bytes of the model file."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        model = onnx.load_from_string(content)
        self.stored = {one.name: one for one in model.graph.initializer}
        self.matrices = list(_matrices(model, self.stored))
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def weight(self, name: str, shape: Sequence[int]) -> str:
        """Refer to a stored tensor's bytes under the given shape."""
        stored = self.stored[name]
        at = self.content.find(stored.raw_data)
        if at < 0 or int(np.prod(shape)) != int(np.prod(stored.dims)):
            raise ValueError(name)
        tensor = TensorProto(name=name, data_type=stored.data_type, dims=shape, data_location=TensorProto.EXTERNAL)
        place = {"location": WEIGHTS_FILE, "offset": at, "length": len(stored.raw_data)}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self.weights[name] = tensor
        return name

    def constant(self, name: str, values: Sequence[int]) -> str:
        """Keep a few whole numbers in the graph itself."""
        self.weights[name] = numpy_helper.from_array(np.array(values, dtype=np.int64), name)
        return name

    def node(self, operator: str, given: Sequence[str], out: str, domain: str = "", **attributes: object) -> str:
        """Add a node with one output."""
        self.nodes.append(helper.make_node(operator, given, [out], domain=domain, **attributes))
        return out

    def joined(self, names: Sequence[str], out: str, *, axis: int) -> str:
        """Put weights side by side; the runtime does it once, when it loads."""
        return self.node("Concat", names, out, axis=axis)

    def product(self, given: str, parts: Sequence[tuple[str, str, str]], size: tuple[int, int], out: str) -> str:
        """Multiply by 8-bit matrices that stand side by side (weight, scale, bias), each of `size`."""
        weights = [self.weight(weight, size) for weight, _, _ in parts]
        scales = [self.weight(scale, size[1:]) for _, scale, _ in parts]
        biases = [self.weight(bias, size[1:]) for _, _, bias in parts]
        if len(parts) > 1:
            weights = [self.joined(weights, f"{out}.weights", axis=1)]
            scales, biases = [self.joined(scales, f"{out}.scales", axis=0)], [self.joined(biases, f"{out}.b", axis=0)]
        return self.node("DynamicQuantizeMatMul", [given, *weights, *scales, "", *biases], out, MICROSOFT)

    def normalised(self, given: Sequence[str], name: str, out: str) -> str:
        """Add what is given and normalise each token."""
        total = self.node("Add", given, f"{out}.sum")
        scale, bias = (self.weight(f"{name}.{part}", [DIMENSIONS]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", [total, scale, bias], out, axis=-1, epsilon=EPSILON)


def _matrices(model: onnx.ModelProto, stored: dict[str, onnx.TensorProto]) -> list[tuple[str, str]]:
    """Return the names of each product's 8-bit matrix and scales, in the order of the model."""
    maker = {out: node for node in model.graph.node for out in node.output}
    scaled = [maker.get(node.input[1]) for node in model.graph.node if node.op_type == "MatMul"]
    products = [node for node in scaled if node and node.op_type == "Mul" and node.input[1] in stored]
    casts = [(maker.get(node.input[0]), node.input[1]) for node in products]
    return [(cast.input[0], scale) for cast, scale in casts if cast and cast.op_type == "Cast"]


def embeddings(graph: Graph) -> str:
    """Add words, places and the kind of the first text."""
    words = f"{_EMBEDDINGS}.word_embeddings.weight"
    table = graph.weight(f"{words}_q", list(graph.stored[f"{words}_q"].dims))
    scales = graph.weight(f"{words}_scale", list(graph.stored[f"{words}_scale"].dims))
    small = graph.node("Gather", [table, "input_ids"], "words.small")
    wide = graph.node("Cast", [small], "words.wide", to=TensorProto.FLOAT)
    word = graph.node("Mul", [wide, graph.node("Gather", [scales, "input_ids"], "words.scale")], "words")
    places = f"{_EMBEDDINGS}.position_embeddings.weight"
    table = graph.weight(f"{places}_q", list(graph.stored[f"{places}_q"].dims))
    scales = graph.weight(f"{places}_scale", list(graph.stored[f"{places}_scale"].dims))
    every = graph.node("Mul", [graph.node("Cast", [table], "places.wide", to=TensorProto.FLOAT), scales], "places.all")
    zero = graph.constant("zero", [0])
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    place = graph.node("Slice", [every, zero, length, zero], "places")
    kind = graph.weight(f"{_EMBEDDINGS}.token_type_embeddings.weight", [2, DIMENSIONS])
    first = graph.node("Gather", [kind, zero], "kind")
    return graph.normalised([word, graph.node("Add", [place, first], "fixed")], f"{_EMBEDDINGS}.LayerNorm", "embedded")


def layer(graph: Graph, number: int, given: str) -> str:
    """Attend, then transform each token."""
    name = f"inner.encoder.layer.{number}"
    query, key, value, out, wide, narrow = graph.matrices[6 * number : 6 * number + 6]
    biases = [f"{name}.attention.self.{part}.bias" for part in ("query", "key", "value")]
    heads = [(*matrix, bias) for matrix, bias in zip((query, key, value), biases, strict=True)]
    joint = graph.product(given, heads, (DIMENSIONS, DIMENSIONS), f"joint.{number}")
    parts = [f"{part}.{number}" for part in ("query", "key", "value")]
    graph.nodes.append(helper.make_node("Split", [joint, graph.constant("thirds", [DIMENSIONS] * 3)], parts, axis=-1))
    attended = graph.node("MultiHeadAttention", parts, f"attended.{number}", MICROSOFT, num_heads=HEADS)
    size = (DIMENSIONS, DIMENSIONS)
    mixed = graph.product(attended, [(*out, f"{name}.attention.output.dense.bias")], size, f"mixed.{number}")
    middle = graph.normalised([mixed, given], f"{name}.attention.output.LayerNorm", f"middle.{number}")
    hidden = [(*wide, f"{name}.intermediate.dense.bias")]
    widened = graph.product(middle, hidden, (DIMENSIONS, HIDDEN), f"widened.{number}")
    bent = graph.node("Gelu", [widened], f"bent.{number}", MICROSOFT)
    back = graph.product(bent, [(*narrow, f"{name}.output.dense.bias")], (HIDDEN, DIMENSIONS), f"back.{number}")
    last = "last_hidden_state" if number == LAYERS - 1 else f"layer.{number}"
    return graph.normalised([back, middle], f"{name}.output.LayerNorm", last)


def written(path: Path) -> None:
    """Build the graph from the installed model and write it."""
    graph = Graph(model_path().read_bytes())
    state = embeddings(graph)
    for number in range(LAYERS):
        state = layer(graph, number, state)
    given = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
    out = helper.make_tensor_value_info(state, TensorProto.FLOAT, [1, "tokens", DIMENSIONS])
    made = helper.make_graph(graph.nodes, "minilm-indexing", [given], [out], list(graph.weights.values()))
    versions = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    path.write_bytes(helper.make_model(made, opset_imports=versions, ir_version=8).SerializeToString())


if __name__ == "__main__":
    written(INDEXING_PATH)
