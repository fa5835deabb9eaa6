"""Trains the injection head, `python tests/evals/train_injection.py --data DIR`; the product never imports it.

It reads training files only (deepset train, Banking77 train, bitext train, documents of help centres) and what was
written for it in `injection/`; thresholds come from four rehearsals on held-out parts of the same.
"""

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import re2
import yaml
from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped] # scipy ships no types
from sklearn.linear_model import LogisticRegression

from support_agents.adapters.onnx import VERSION, MiniLm
from support_agents.evals.screening import Place, put
from support_agents.screening.detection import MOST_EXPECTED
from support_agents.screening.grams import COLUMNS, grams
from support_agents.screening.head import SHIPPED, HeadManifest, InjectionHead, Weights, probability
from support_agents.screening.windows import SHORT, windows

WRITTEN = Path(__file__).with_name("injection")
SEED = 20
VECTOR_SCALE, GRAM_SCALE = 3.0, 6.0
DIRECT_C, TASK_C = 3.0, 2.0
LIKENESS, WHOLE = 4.0, 0.5
FOLDS = 4
FALSE_ALARMS = 0.03  # of held-out harmless prompts: the share that is allowed
FALSE_PARTS = 0.01  # of held-out harmless letters, articles and long prompts, for either score
KEPT = 0.98  # of the windows that count as hits, which the words alone must let through
_ADDRESSES_THE_REPLY = re2.compile(
    r"(?i)\b(?:your|the) (?:repl|response|answer|message|output|rply|code\b|program|solution|implementation|explanation"
    r"|final script|codebase)|code (?:snippet|block|segment|excerpt)|following code|the (?:reader|user)\b|readers\b"
    r"|^(?:respond|answer|reply) "
)
Floats = list[float]
Pairs = list[tuple[float, float]]
Vectors = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Row:
    """A text with its label and weight; `group` says what it is, so that rehearsals hold out of each."""

    text: str
    attack: bool
    weight: float
    group: str


@dataclass(frozen=True)
class Material:
    """Rows for the direct score; tasks, harmless sentences and whole texts for the other."""

    direct: tuple[Row, ...]
    tasks: tuple[str, ...]
    sentences: tuple[str, ...]
    texts: tuple[str, ...]


def material(data: Path) -> Material:
    """Read and draw everything, the same for the same files."""
    rng = random.Random(SEED)  # noqa: S311 - draws examples, no secrets
    deepset = _rows(data / "injection/deepset_train.jsonl")
    tasks = _tasks(rng)
    foreign = [task for task in tasks if not _ADDRESSES_THE_REPLY.search(task)]
    banking = _drawn(rng, [row["text"] for row in _rows(data / "banking77/train.jsonl")], 3_000)
    bitext = _drawn(rng, [row["utterance"] for row in _rows(data / "bitext/train.jsonl")], 400)
    letters = _blocks("letters.txt")
    articles = _drawn(rng, [row["body"] for row in _rows(data / "help_center/articles.jsonl")], 160)
    papers = _drawn(rng, [row["content"] for row in _rows(data / "banking_kb/documents.jsonl")], 120)
    documents = _drawn(rng, sorted({row["doc"] for row in _rows(data / "summedits/edits.jsonl")}), 80)
    messages = [row["text"] for row in _rows(WRITTEN.with_name("development_messages.jsonl"))]
    prose = [_part(rng, text) for text in (*articles, *papers, *documents)]
    sentences = _drawn(rng, list(_sentences(prose)), 4_000)
    prompts = _lines("prompts.txt")
    asked = [row["text"] for row in deepset if not row["label"]]
    direct = [
        *(Row(row["text"], bool(row["label"]), 4.0, "deepset") for row in deepset),
        *(Row(text, attack=True, weight=1.0, group="attacks") for text in _lines("attacks.txt")),
        *(Row(text, attack=True, weight=0.7, group="tasks") for text in tasks if _ADDRESSES_THE_REPLY.search(text)),
        *(Row(text, attack=False, weight=2.0, group="benign") for text in _lines("benign.txt")),
        *(Row(text, attack=False, weight=4.0, group="prompts") for text in prompts),
        *(Row(text, attack=False, weight=1.0, group="sentences") for text in _sentences(prompts)),
        *(Row(text, attack=False, weight=1.0, group="questions") for text in _drawn(rng, foreign, 250)),
        *(Row(text, attack=False, weight=0.3, group="customers") for text in (*banking, *bitext, *messages)),
        *(Row(text, attack=False, weight=0.3, group="sentences") for text in (*_sentences(letters), *sentences)),
    ]
    return Material(
        tuple(direct),
        tuple(tasks),
        (
            *_sentences(letters),
            *_sentences(letters),
            *sentences,
            *messages,
            *banking[:1_500],
            *bitext[:200],
        ),
        (*letters, *prose, *(text for text in (*messages, *asked, *prompts) if len(text) > SHORT)),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _lines(name: str) -> list[str]:
    lines = (WRITTEN / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("# Written")]


def _blocks(name: str) -> list[str]:
    text = (WRITTEN / name).read_text(encoding="utf-8").partition("\n")[2]
    return [block.strip() for block in text.split("\n\n") if block.strip()]


def _drawn(rng: random.Random, texts: list[str], most: int) -> list[str]:
    return rng.sample(texts, min(most, len(texts)))


def _part(rng: random.Random, text: str) -> str:
    """Take up to 900 characters from somewhere in a document, as passages are."""
    at = rng.randrange(max(1, len(text) - 900))
    return text[at : at + 900]


def _sentences(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield from (text[start:end].strip() for start, end in windows(text))


def _tasks(rng: random.Random) -> list[str]:
    """Fill each template up to sixteen times with words of its lists."""
    document = yaml.safe_load((WRITTEN / "tasks.yaml").read_text(encoding="utf-8"))
    made = list(document["plain"])
    for template in document["templates"]:
        filled = {_filled(template, document["lists"], rng) for _ in range(48)}
        made += sorted(filled)[:16]
    rng.shuffle(made)
    return made


def _filled(template: str, lists: dict[str, list[str]], rng: random.Random) -> str:
    for name, words in lists.items():
        while f"{{{name}}}" in template:
            template = template.replace(f"{{{name}}}", rng.choice(words), 1)
    return template


@dataclass(frozen=True)
class Trainer:
    """Fits both scores on features from `vectors`."""

    vectors: Vectors

    def fit(self, texts: Sequence[str], attack: Sequence[bool], weights: Sequence[float], *, c: float) -> Weights:
        """Return a logistic score over scaled embeddings and n-grams, in the units of the unscaled ones."""
        given = hstack([csr_matrix(self.vectors(texts) * VECTOR_SCALE), _counted(texts) * GRAM_SCALE]).tocsr()
        model = LogisticRegression(C=c, max_iter=3_000).fit(given, attack, sample_weight=weights)
        coefficients = model.coef_[0].astype(np.float32)
        size = given.shape[1] - COLUMNS
        return Weights(coefficients[:size] * VECTOR_SCALE, coefficients[size:] * GRAM_SCALE, float(model.intercept_[0]))

    def direct(self, rows: Sequence[Row]) -> Weights:
        """Fit the score of text that addresses the software."""
        return self.fit([r.text for r in rows], [r.attack for r in rows], [r.weight for r in rows], c=DIRECT_C)

    def task(self, tasks: Sequence[str], sentences: Sequence[str]) -> Weights:
        """Fit the score of tasks beside the sentences of letters and articles."""
        texts = [*tasks, *sentences]
        return self.fit(texts, [True] * len(tasks) + [False] * len(sentences), [1.0] * len(texts), c=TASK_C)

    def scores(self, weights: Weights, texts: Sequence[str]) -> np.ndarray:
        """Score texts as single windows."""
        pairs = zip(texts, self.vectors(texts), strict=True)
        return np.array([weights.of_grams(grams(text)) + weights.of_vector(vector) for text, vector in pairs])

    def part(self, weights: Weights, text: str) -> float:
        """Return the highest score of a part of a text, -30 where it is all one."""
        parts = [text[start:end].strip() for start, end in windows(text)] if len(text) > SHORT else []
        return float(self.scores(weights, parts).max()) if parts else -30.0

    def foreign(self, weights: Weights, text: str) -> float:
        """Return the highest score of a task in a text, less its likeness to the whole."""
        parts = [text[start:end].strip() for start, end in windows(text)]
        if len(parts) < 3:
            return -30.0
        likeness = self.vectors(parts) @ self.vectors([text])[0]
        whole = float(np.clip(self.scores(weights, [text])[0], -MOST_EXPECTED, MOST_EXPECTED))
        return float((self.scores(weights, parts) - LIKENESS * likeness).max()) - WHOLE * whole


def _counted(texts: Sequence[str]) -> csr_matrix:
    found = [grams(text) for text in texts]
    rows = np.repeat(np.arange(len(found)), [len(one.columns) for one in found])
    columns, values = (np.concatenate([getattr(one, name) for one in found]) for name in ("columns", "values"))
    return csr_matrix((values, (rows, columns)), shape=(len(texts), COLUMNS))


@dataclass(frozen=True)
class Heard:
    """Scores of what was held out; `prompts` and `parts` are the highest of a harmless text's own parts."""

    harmless: Floats = field(default_factory=list)
    hits: Floats = field(default_factory=list)
    prompts: Floats = field(default_factory=list)
    parts: Floats = field(default_factory=list)
    quiet: Floats = field(default_factory=list)
    placed: Floats = field(default_factory=list)
    words: Pairs = field(default_factory=list)
    task_words: Pairs = field(default_factory=list)

    def direct(self, given: Material, fold: int, trainer: Trainer) -> None:
        """Rehearse the score of what addresses the software, on rows and on long texts of this fold."""
        texts = given.texts[fold::FOLDS]
        apart = {*texts, *_sentences(texts)}
        kept = [row for at, row in enumerate(given.direct) if at % FOLDS != fold and row.text not in apart]
        weights = trainer.direct(kept)
        held = given.direct[fold::FOLDS]
        for row, score in zip(held, trainer.scores(weights, [row.text for row in held]), strict=True):
            if row.group in {"deepset", "attacks"}:
                (self.hits if row.attack else self.harmless).append(score)
            if row.attack:
                self.words.append((score, weights.of_grams(grams(row.text))))
        prompts = {row.text for row in given.direct}
        for text in texts:
            (self.prompts if text in prompts else self.parts).append(trainer.part(weights, text))

    def task(self, given: Material, fold: int, trainer: Trainer, rng: random.Random) -> None:
        """Rehearse the score of foreign tasks, alone and put into texts of this fold."""
        texts = given.texts[fold::FOLDS]
        apart = set(_sentences(texts))
        kept = [one for at, one in enumerate(given.tasks) if at % FOLDS != fold]
        weights = trainer.task(kept, [sentence for sentence in given.sentences if sentence not in apart])
        self.quiet.extend(trainer.foreign(weights, text) for text in texts)
        for one in given.tasks[fold::FOLDS][:150]:
            self.placed.append(trainer.foreign(weights, put(one, rng.choice(texts), rng.choice(list(Place)))))
            self.task_words.append((float(trainer.scores(weights, [one])[0]), weights.of_grams(grams(one))))


def rehearsed(given: Material, trainer: Trainer) -> HeadManifest:
    """Hold out a quarter at a time; return the threshold, the shifts and the bars that the held-out parts ask for.

    A part of a long prompt is held to the false alarms of whole prompts, one of a letter or an article to fewer.
    """
    heard = Heard()
    rng = random.Random(SEED)  # noqa: S311 - draws examples, no secrets
    for fold in range(FOLDS):
        heard.direct(given, fold, trainer)
        heard.task(given, fold, trainer, rng)
        sys.stderr.write(f"rehearsal {fold + 1} of {FOLDS}\n")
    level = _highest(heard.harmless, FALSE_ALARMS)
    part_level = max(_highest(heard.prompts, FALSE_ALARMS), _highest(heard.parts, FALSE_PARTS))
    foreign_level = _highest(heard.quiet, FALSE_PARTS)
    caught = np.mean(np.array(heard.hits) > level), np.mean(np.array(heard.placed) > foreign_level)
    sys.stderr.write(f"held out: attacks {caught[0]:.3f}, tasks {caught[1]:.3f}\n")
    return HeadManifest(
        embedder=VERSION,
        data_sha256=_hash(given),
        threshold=round(probability(level), 4),
        direct_shift=round(min(0.0, level - part_level), 4),
        task_shift=round(level - foreign_level, 4),
        task_likeness=LIKENESS,
        task_whole=WHOLE,
        direct_bar=_bar(heard.words, level),
        task_bar=_bar(heard.task_words, foreign_level),
    )


def _highest(scores: Floats, allowed: float) -> float:
    """Return the level that a share of `allowed` lies above."""
    return float(np.quantile(scores, 1 - allowed))


def _bar(scored: Sequence[tuple[float, float]], level: float) -> float:
    return round(float(np.quantile([words for score, words in scored if score > level], 1 - KEPT)), 4)


def _hash(given: Material) -> str:
    lines = "\n".join(f"{row.attack:d}{row.text}" for row in given.direct)
    return hashlib.sha256("\n".join((lines, *given.tasks, *given.sentences)).encode()).hexdigest()


def trained(given: Material, trainer: Trainer) -> InjectionHead:
    """Rehearse, then fit on everything."""
    manifest = rehearsed(given, trainer)
    return InjectionHead(trainer.direct(given.direct), trainer.task(given.tasks, given.sentences), manifest)


def remembering(model: MiniLm) -> Vectors:
    """Embed each text once, in batches of like length."""
    known: dict[str, np.ndarray] = {}

    def vectors(texts: Sequence[str]) -> np.ndarray:
        fresh = sorted({text for text in texts if text not in known}, key=len)
        for at in range(0, len(fresh), 8):
            batch = fresh[at : at + 8]
            known.update(zip(batch, model.vectors(batch), strict=True))
        return np.stack([known[text] for text in texts])

    return vectors


def main() -> None:
    """Train and write the head."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the npz file to write")
    given = parser.parse_args()
    head = trained(material(given.data), Trainer(remembering(MiniLm.load(threads=1))))
    content = head.stored()
    given.out.write_bytes(content)
    sys.stderr.write(f"{head.manifest.model_dump_json()}\nsha256 {hashlib.sha256(content).hexdigest()}\n")


if __name__ == "__main__":
    main()
