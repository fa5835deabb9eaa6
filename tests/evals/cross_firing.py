"""Which macro each example question would find if it were not among the examples; it changes nothing.

`python tests/evals/cross_firing.py [--language en] [--all]`: over the macros of the demo shop, by the closed form of
leaving one question out (`Matcher.left_out`), with the words that a macro asks for or excludes. Prints the questions
that surely find another macro than their own (with `--all` those that do so unsurely as well), and the shares.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import argparse
import asyncio
from collections.abc import Iterator, Sequence

import numpy as np

from api.demo import shop
from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.composing.choosing import SURE, SURE_AHEAD
from support_agents.composing.circumstances import has_words
from support_agents.composing.matching import Matcher
from support_agents.domain.macro import Macro
from support_agents.knowledge.known_vectors import KnownVectors
from support_agents.knowledge.macros import load_macros


async def main() -> None:
    """Print the questions that are taken for another macro's, language by language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", default="")
    parser.add_argument("--all", action="store_true")
    asked = parser.parse_args()
    macros = load_macros(shop.MACROS)
    embedder = OnnxEmbedder()
    known = KnownVectors.load(shop.VECTORS, embedder)
    for language in sorted({macro.language for macro in macros}):
        if asked.language in {"", language}:
            own = [macro for macro in macros if macro.language == language]
            questions = [question for macro in own for question in macro.questions]
            vectors = np.asarray(await known.embed(questions), dtype=np.float32)
            report(language, own, Matcher.of(own, vectors), unsure=asked.all)
    embedder.close()


def report(language: str, macros: Sequence[Macro], matcher: Matcher, *, unsure: bool) -> None:
    """Print the confusions of one language and how many questions find their own macro, another, or none surely."""
    counted = {"own": 0, "other": 0, "unsure": 0}
    for macro, question, scores in found(macros, matcher):
        (first, best), (second, rival) = scores[0], scores[1]
        sure = best >= SURE and best - rival >= SURE_AHEAD
        right = first.id == macro.id
        counted["unsure" if not sure else "own" if right else "other"] += 1
        if not right and (sure or unsure):
            print(f"{macro.id} -> {first.id} {best:.2f} (then {second.id} {rival:.2f}): {question}")
    print(f"{language}: {sum(counted.values())} questions, {counted}")


def found(
    macros: Sequence[Macro], matcher: Matcher
) -> Iterator[tuple[Macro, str, tuple[tuple[Macro, float], tuple[Macro, float]]]]:
    """Yield every question with its macro and the two that come nearest without it."""
    rows = iter(matcher.left_out)
    for macro in macros:
        for question in macro.questions:
            row = next(rows)
            open_to = [has_words(question, one.words, one.without) for one in macros]
            order = [int(at) for at in np.argsort(-row) if open_to[int(at)]][:2]
            first, second = order
            yield macro, question, ((macros[first], float(row[first])), (macros[second], float(row[second])))


if __name__ == "__main__":
    asyncio.run(main())
