"""What seems to answer, by how near it is and how much was asked."""

import pytest

from support_agents.domain.knowledge import RetrievedPassage
from support_agents.knowledge.validation import FEWEST_TERMS, MOST_TERMS, addressing, is_evidence, judged
from tests.fixtures.drafting import passage

SHORT = "Recommend campsite Utrecht"
LONG = (
    "Last month a parcel with two winter jackets came to our neighbours, one sleeve was torn, the zip broke on the "
    "first evening and the colour differs from the photograph in your catalogue."
)


@pytest.mark.parametrize("query", [SHORT, LONG])
def test_the_nearer_the_surer(query: str) -> None:
    sure = [addressing(query, similarity) for similarity in (0.2, 0.4, 0.6, 0.8)]
    assert sure == sorted(sure)
    assert 0 < sure[0] < 0.1
    assert 0.5 < sure[-1] < 1


def test_a_long_message_tells_more_than_any_passage_and_so_may_lie_farther_off() -> None:
    assert addressing(LONG, 0.42) > 2 * addressing(SHORT, 0.42)
    assert addressing("word " * 99, 0.4) == addressing("word", 0.4) == addressing("one two three", 0.4)
    many = " ".join(f"w{number}x" for number in range(MOST_TERMS))
    assert addressing(f"{many} another further", 0.4) == addressing(many, 0.4)
    assert FEWEST_TERMS < MOST_TERMS


def test_what_is_too_far_for_so_short_a_question_is_no_evidence() -> None:
    near, far = found("Stores in Utrecht", 0.7), found("The store in Utrecht sharpens knives", 0.44)
    first, second = judged(SHORT, [near, far])
    assert (is_evidence(first), is_evidence(second)) == (True, False)
    assert (first.similarity, second.similarity) == (0.7, 0.44)


def test_another_language_is_not_judged() -> None:
    (one,) = judged(SHORT, [found("Der Laden schleift Messer", 0.4, language="de")])
    assert one.addresses is None
    assert is_evidence(one)


def found(text: str, similarity: float, language: str = "en") -> RetrievedPassage:
    retrieved = passage(text)
    return retrieved.model_copy(
        update={"similarity": similarity, "passage": retrieved.passage.model_copy(update={"language": language})}
    )
