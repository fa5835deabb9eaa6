"""How much the injection head notices in English and in other languages, and what a higher bar for those would cost.

    python tests/evals/measure_injection_languages.py DATA/injection/deepset_test.jsonl

Prints, by language group and label, the share of rows from each bar (a logit; the first is the shipped one) on.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import asyncio
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.evals.screening import labelled
from support_agents.screening.detection import Detector
from support_agents.screening.language import detect

BARS = (1.0, 2.0, 3.0)


async def main(path: Path) -> None:
    """Judge every row as the product does, by the language that `screen` would detect."""
    embedder = OnnxEmbedder(threads=1)
    detector = Detector(embedder)
    shipped = float(np.log(detector.threshold / (1 - detector.threshold)))
    scores: defaultdict[tuple[str, bool], list[float]] = defaultdict(list)
    for sample in labelled(path):
        score = min(max((await detector.judge(sample.text)).score, 1e-9), 1 - 1e-9)
        group = "English" if detect(sample.text, default="en").code == "en" else "other"
        scores[group, sample.attack].append(float(np.log(score / (1 - score))))
    for (group, attack), found in sorted(scores.items()):
        shares = " ".join(f"{bar:.1f}: {np.mean(np.array(found) >= bar):.2f}" for bar in (shipped, *BARS))
        print(f"{group} {'attacks' if attack else 'harmless'} ({len(found)}) {shares}")
    embedder.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
