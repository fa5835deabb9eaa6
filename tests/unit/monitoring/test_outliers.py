"""Runs that are unlike the others are marked and told of in words; all others pass unmarked, and nobody waits."""

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from support_agents.adapters.pyod import PyodOutlierDetector
from support_agents.domain.ids import DEFAULT_WORKSPACE, TicketId, new_id
from support_agents.domain.intent import Ask, IntentScore
from support_agents.domain.runs import OutlierMark, Sections
from support_agents.domain.sections import IntentSection, ScreeningSection
from support_agents.domain.ticket import Author, Channel, Message, Requester, TicketSnapshot
from support_agents.monitoring.features import VERSION, WORDS, Features, features_of
from support_agents.monitoring.outliers import LEAST_RUNS, Outliers

USUAL = Features(
    words=3.4, asks=0.7, certainty=0.9, likeness=0.6, figures=1.5, links=0, files=0, messages=0.7, worth=8.5, refund=0,
    reply=4,
)  # fmt: skip


def ticket() -> TicketSnapshot:
    now = datetime.now(UTC)
    said = Message(external_id="1", text="Where?", author=Author.CUSTOMER, created_at=now)
    known = {
        "source": "standard", "id": TicketId(new_id()), "workspace": DEFAULT_WORKSPACE, "external_id": "1",
        "revision": 1, "subject": "", "requester": Requester(email="a@example.com", name="", verified=True),
        "channel": Channel.EMAIL, "order_id": None, "messages": (said,), "received_at": now,
    }  # fmt: skip
    return TicketSnapshot.model_validate(known)


def sections(text: str, *, asks: int = 1, certainty: float = 0.9) -> Sections:
    score = IntentScore(name="order_status", probability=certainty)
    ask = Ask(text="Where?", start=0, end=6, intent=score)
    return Sections(
        screening=ScreeningSection(language="en", language_confidence=1, clean_text=text),
        intent=IntentSection(intents=(score,), asks=(ask,) * asks, entities=(), model_version="1"),
    )


def earlier(count: int) -> list[OutlierMark]:
    """Runs like one another, each a little different."""
    noise = np.random.default_rng(1).normal(scale=0.15, size=(count, len(USUAL)))
    return [OutlierMark(features=tuple(np.asarray(USUAL) + row), version=VERSION) for row in noise]


def like_usual() -> Sections:
    return sections("Where is my parcel 4711? " + "I wait. " * 12)


async def test_before_enough_is_known_a_run_bears_its_numbers_and_no_judgement() -> None:
    outliers = Outliers(PyodOutlierDetector())
    assert not await outliers.learn(earlier(LEAST_RUNS - 1))
    mark = outliers.mark(ticket(), like_usual())
    assert mark is not None
    assert mark.score is None
    assert not mark.stands_out
    assert len(mark.features) == len(Features._fields)


async def test_numbers_of_another_meaning_are_not_learnt_from() -> None:
    outliers = Outliers(PyodOutlierDetector())
    old = [mark.model_copy(update={"version": "0"}) for mark in earlier(LEAST_RUNS)]
    assert not await outliers.learn(old)


async def test_a_run_that_ended_before_it_was_understood_has_no_mark() -> None:
    assert Outliers(PyodOutlierDetector()).mark(ticket(), Sections()) is None


@pytest.mark.parametrize(
    ("said", "asks", "words"),
    [
        ("word " * 2_000, 1, "a much longer message"),
        ("see https://a.example/1 and https://b.example/2 and http://c.example/3", 1, "links in the message"),
        ("where " * 20, 9, "more asks at once"),
    ],
)
async def test_what_is_unlike_the_others_is_told_in_words(said: str, asks: int, words: str) -> None:
    outliers = Outliers(PyodOutlierDetector())
    assert await outliers.learn(earlier(400))
    found = features_of(ticket(), sections(said, asks=asks))
    learnt = outliers._learnt
    assert found is not None
    assert learnt is not None
    # Of a run without order, article and reply so much else is unusual that not all of it is named.
    assert words in learnt.usual.why(found._replace(worth=USUAL.worth, reply=USUAL.reply, likeness=USUAL.likeness))
    mark = outliers.mark(ticket(), sections(said, asks=asks))
    assert mark is not None
    assert mark.stands_out
    assert mark.why


async def test_of_runs_like_those_before_hardly_any_is_marked() -> None:
    outliers = Outliers(PyodOutlierDetector())
    runs = earlier(1_000)
    assert await outliers.learn(runs[:600])
    learnt = outliers._learnt
    assert learnt is not None
    scores = [learnt.judge.score(learnt.usual.scaled(np.asarray(run.features))) for run in runs[600:]]
    assert sum(score > learnt.judge.limit for score in scores) <= 20  # 5 %


def test_every_number_has_its_words() -> None:
    assert WORDS.keys() == set(Features._fields)


def test_the_library_is_not_loaded_before_something_is_learnt() -> None:
    made = "import sys; from support_agents.adapters.pyod import PyodOutlierDetector; PyodOutlierDetector()"
    code = f"{made}; print('pyod' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
