"""Zendesk's macros as files that a person finishes: what articles bear out is marked; no file is in use as written."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from unicodedata import category

import re2

from support_agents.composing.binding import bind
from support_agents.domain.knowledge import Audience, Passage
from support_agents.domain.macro import Macro, MacroCase, MacroSentence, When
from support_agents.knowledge.parsing.wire import RawArticle
from support_agents.screening.language import detect
from support_agents.screening.terms import passage_terms, terms
from support_agents.wording.segments import split_sentences

# `load_macros` reads `.md` alone: who has finished a draft takes this ending off.
ENDING = ".md.draft"
_TRIED = 5  # articles for a sentence, those with most of its rarer words first
_NOT_A_REPLY = 6  # words; a line this short that greets or signs is what every reply gets anyway
_PLACEHOLDER = re2.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")
# What would be read as ours in a macro's file: marks that say what a sentence rests on, slots, headings, spare lines.
_OURS = str.maketrans("[]{}", "()()")
_BEGINS_OURS = "#~ "
# What a file of YAML, or any file, cannot hold: control characters, half of a character, and what is none.
_NOT_WRITTEN = frozenset(("Cc", "Cs"))
_NO_CHARACTERS = "\ufffe\uffff"
_PERSON = re2.compile(r"\{\{\s*(?:ticket\.requester|ticket\.assignee|current_user|agent)\b[^{}]*\}\}")
_MARKABLE = re2.compile(r"[a-z0-9_.-]{1,60}")
_NO_ID = re2.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Draft:
    """One macro as a file: how many of its sentences an article bears out, and how many a person must see to."""

    id: str
    content: str
    borne_out: int
    open: int


@dataclass(frozen=True)
class Evidence:
    """The public passages, found by article and by word."""

    by_article: dict[str, list[Passage]] = field(default_factory=lambda: defaultdict(list))
    by_term: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> "Evidence":
        """Sort passages; internal ones, and articles whose id no mark can name, bear nothing out."""
        found = cls()
        for passage in passages:
            if passage.audience is Audience.PUBLIC and _MARKABLE.fullmatch(passage.article_id):
                found.by_article[passage.article_id].append(passage)
                for term in passage_terms(passage):
                    found.by_term[term].add(passage.article_id)
        return found

    def article_for(self, sentence: str, language: str) -> str:
        """Return the article that says what a sentence says, by the test that macros in use must pass; "" if none."""
        scores: dict[str, float] = defaultdict(float)
        for term in {*terms(sentence)} & self.by_term.keys():
            for article in self.by_term[term]:
                scores[article] += log(1 + len(self.by_article) / len(self.by_term[term]))
        likely = sorted(scores, key=lambda article: (-scores[article], article))[:_TRIED]
        return next((one for one in likely if self._bears_out(one, sentence, language)), "")

    def _bears_out(self, article: str, sentence: str, language: str) -> bool:
        case = MacroCase(name="main", when=When(), sentences=(MacroSentence(text=sentence, articles=(article,)),))
        macro = Macro(id="draft", language=language, intents=(), questions=(), cases=(case,), version="")
        return not bind([macro], self.by_article[article]).refused


def drafted(macro: RawArticle, evidence: Evidence, default_language: str = "en") -> Draft:
    """Write one macro's file: its title as the first question, a sentence a line, marks where an article bears it out.

    What bears no mark is refused when the file is loaded, with its place: a person says what it rests on, or cuts it.
    """
    body = _readable(macro.body)
    language = macro.language or detect(_PLACEHOLDER.sub(" ", body), default=default_language).code
    lines: list[str] = []
    borne_out = left = 0
    for paragraph in body.replace("\r", "").split("\n"):
        said = _without_ours(" ".join(paragraph.split()))
        if not said or _greets_or_signs(said):
            lines += [""] if lines and lines[-1] else []
            continue
        for sentence in filter(None, (segment.text.strip().lstrip(_BEGINS_OURS) for segment in split_sentences(said))):
            article = "" if _PLACEHOLDER.search(sentence) else evidence.article_for(sentence, language)
            lines.append(f"{sentence} [{article}]" if article else sentence)
            borne_out, left = borne_out + bool(article), left + (not article)
    name = f"zendesk-{_NO_ID.sub('-', macro.key.lower()).strip('-')[:60] or 'macro'}"
    front = ["---", f"id: {name}", f"language: {language}", "intents: []", "questions:"]
    front += [f"  - {json.dumps(_readable(macro.title), ensure_ascii=False)}", "---", "", "## main"]
    return Draft(name, "\n".join([*front, *lines]).rstrip() + "\n", borne_out, left)


def write_drafts(drafts: Sequence[Draft], folder: Path) -> tuple[int, int]:
    """Write them; returns how many were written and how many were there already, finished or not, and so kept."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = 0
    for draft in drafts:
        if any((folder / f"{draft.id}{ending}").exists() for ending in (ENDING, ".md")):
            kept += 1
        else:
            (folder / f"{draft.id}{ENDING}").write_text(draft.content, encoding="utf-8")
    return len(drafts) - kept, kept


def _readable(text: str) -> str:
    """The text as a file can hold it and be read again."""
    return "".join(
        letter
        for letter in text
        if letter in "\n\r\t" or (category(letter) not in _NOT_WRITTEN and letter not in _NO_CHARACTERS)
    )


def _without_ours(line: str) -> str:
    """A line in which nothing is taken for what only a person may write: that a sentence needs no article, say."""
    kept = [*_PLACEHOLDER.finditer(line)]
    starts, ends = (0, *(one.end() for one in kept)), (*(one.start() for one in kept), len(line))
    plain = [line[start:end].translate(_OURS) for start, end in zip(starts, ends, strict=True)]
    pieces = [plain[0], *(f"{one.group()}{rest}" for one, rest in zip(kept, plain[1:], strict=True))]
    return "".join(pieces)


def _greets_or_signs(line: str) -> bool:
    """Whether a line only greets or signs: every reply has our greeting and closing around it."""
    words = len(_PERSON.sub(" x ", line).split())
    return words <= _NOT_A_REPLY and (line.endswith(",") or _PERSON.search(line) is not None)
