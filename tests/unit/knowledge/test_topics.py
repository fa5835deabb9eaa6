"""What whole articles tell about a query, beyond the nearest passages."""

import uuid

import numpy as np
import pytest

from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId
from support_agents.domain.knowledge import Audience, Passage, RetrievedPassage
from support_agents.knowledge.corpus import Corpus
from support_agents.knowledge.names import Names
from support_agents.knowledge.short_forms import ShortForms
from support_agents.knowledge.spelling import nearest_known
from support_agents.knowledge.topics import Topics


def passage(article: str, title: str, text: str) -> Passage:
    return Passage(
        id=PassageId(uuid.uuid5(DEFAULT_WORKSPACE, article + text)),
        workspace=DEFAULT_WORKSPACE,
        article_id=article,
        title=title,
        text=text,
        audience=Audience.PUBLIC,
        language="en",
        content_hash="x",
    )


CARDS = ("Gold Rewards Card", "Silver Rewards Card", "Green Rewards Card", "Bronze Rewards Card")
ARTICLES = [
    *(passage(f"fee{at}", f"{card}: Annual Fee", f"The {card} costs {at}0 dollars.") for at, card in enumerate(CARDS)),
    passage("limit", "Raising limits", "A credit limit increase (CLI) needs six months of membership."),
    passage("cli", "How can I request a CLI?", "Open the app and choose CLI."),
    passage("closing", "Closing an account", "Pay the balance, then confirm the closure."),
]


def topics() -> Topics:
    corpus = Corpus.of(ARTICLES)
    return Topics.of("1", corpus, np.zeros((len(corpus.articles), 2), dtype=np.float32))


def ranked(query: str, *, alike: float = 0.5, previous: tuple[str, ...] = ()) -> list[str]:
    """Rank all passages as if each were equally near."""
    made, vector = topics(), np.zeros(2, dtype=np.float32)
    found = [RetrievedPassage(passage=one, score=0, similarity=alike) for one in ARTICLES]
    look = made.look(query, vector, found, previous)
    return [one.passage.article_id for one in made.ranked(look, found, {})]


def test_a_short_form_stands_for_its_words_and_the_other_way_round() -> None:
    forms = ShortForms.of(["Your credit limit increase (CLI) and an odd (XYZ) one."])
    assert forms.by_words == {"credit limit increase": "cli"}
    assert forms.meant_by("Please, a Credit Limit  Increase!") == ("cli",)
    assert forms.meant_by("my CLI?") == ("credit limit increase",)
    assert ranked("I want a credit limit increase")[:2] == ["limit", "cli"]


def test_a_name_that_recurs_in_titles_is_known() -> None:
    names = Names.of([f"{card}: {what}" for card in CARDS for what in ("Fee", "Limit", "Cash", "Start")])
    assert names.named_in("about my gold rewards card, please") == {"gold rewards card"}
    assert names.named_in("nothing of the kind") == frozenset()
    assert names.family[0] == names.family[4] == "| fee"


def test_an_article_about_another_product_than_the_one_named_stands_below() -> None:
    titles = [f"{card}: {what}" for card in CARDS for what in ("Fee", "Limit", "Cash", "Start")]
    held = [passage(title, title, "The annual fee is stated here.") for title in titles]
    corpus = Corpus.of(held)
    made = Topics.of("1", corpus, np.zeros((len(corpus.articles), 2), dtype=np.float32))
    found = [RetrievedPassage(passage=one, score=0, similarity=0.5) for one in held]
    look = made.look("annual fee of the silver rewards card", np.zeros(2, dtype=np.float32), found)
    assert look.named == {"silver rewards card"}
    first = [one.passage.title for one in made.ranked(look, found, {})][:4]
    assert all(title.startswith("Silver") for title in first)


def test_one_family_of_articles_does_not_fill_all_places() -> None:
    titles = [f"{card}: {what}" for card in CARDS for what in ("Fee", "Limit", "Cash", "Start")]
    family = [passage(title, title, f"Annual fee, see {title}.") for title in titles]
    other = passage("other", "What a fee is", "An annual fee is charged once a year.")
    corpus = Corpus.of([*family, other])
    made = Topics.of("1", corpus, np.zeros((len(corpus.articles), 2), dtype=np.float32))
    found = [RetrievedPassage(passage=one, score=0, similarity=0.5) for one in family]
    found.append(RetrievedPassage(passage=other, score=0, similarity=0.5))
    look = made.look("annual fee", np.zeros(2, dtype=np.float32), found)
    order = [one.passage.article_id for one in made.ranked(look, found, {})]
    assert order.index("other") <= 4


@pytest.mark.parametrize(
    ("written", "meant"),
    [("closng", "closing"), ("clossing", "closing"), ("clsoing", "closing"), ("clo", None), ("zzzzzzz", None)],
)
def test_a_slip_finds_the_word_that_the_articles_use(written: str, meant: str | None) -> None:
    assert nearest_known(written, {"closing": 2.0, "fee": 1.0}) == meant


def test_a_misspelt_question_finds_the_article() -> None:
    assert ranked("confrim the closrue")[0] == "closing"


def test_a_follow_up_is_read_with_what_was_said_before() -> None:
    assert ranked("and how?", previous=("I would like the closure of my account",))[0] == "closing"
    long = "Tell me about the annual fee of the gold rewards card and its dollars"
    assert ranked(long, previous=("the closure of my account",))[0] != "closing"


def test_words_bring_articles_that_the_search_did_not() -> None:
    made, vector = topics(), np.zeros(2, dtype=np.float32)
    found = [RetrievedPassage(passage=ARTICLES[0], score=0, similarity=0.5)]
    look = made.look("confirm the closure", vector, found)
    (closing,) = (one for one in ARTICLES if one.article_id == "closing")
    assert closing.id in made.promising(look, found)
    assert ARTICLES[0].id not in made.promising(look, found)


def test_nothing_is_known_of_an_empty_corpus() -> None:
    corpus = Corpus.of([])
    made = Topics.of("1", corpus, np.zeros((0, 2), dtype=np.float32))
    look = made.look("anything", np.zeros(2, dtype=np.float32), [])
    assert made.promising(look, []) == []
    assert made.ranked(look, [], {}) == []


def test_the_first_of_all_are_the_first_however_many_are_wanted() -> None:
    made, vector = topics(), np.zeros(2, dtype=np.float32)
    found = [RetrievedPassage(passage=one, score=0, similarity=0.5) for one in ARTICLES[:4]]
    compared = {one.id: 0.4 for one in ARTICLES[4:]}
    look = made.look("credit limit increase of the gold card", vector, found)
    ranking = made.ranked(look, found, compared)
    assert len(ranking) == len(ARTICLES)
    assert made.ranked(look, found, compared, 3) == ranking[:3]
