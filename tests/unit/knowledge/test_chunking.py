import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId
from support_agents.domain.knowledge import Article, Audience, Passage
from support_agents.knowledge.chunking import MAX_TOKENS, estimated_tokens, passages_of, searchable


def article(body: str, **fields: str) -> Article:
    return Article.model_validate({"id": "a", "title": "Returns", "body": body, "content_hash": "h", **fields})


def cut(body: str, **fields: str) -> tuple[Passage, ...]:
    return passages_of(article(body, **fields), DEFAULT_WORKSPACE)


LONG = " ".join(f"Sentence number {n} says that the lamp may be returned within thirty days." for n in range(30))


def test_a_passage_stands_below_its_headings_without_the_title() -> None:
    found = cut(f"# Returns\n{LONG[:300]}\n## Costs\n### Abroad\n{LONG[:300]}")
    assert found[0].heading == ""
    assert found[-1].heading == "Costs › Abroad"
    assert searchable(found[-1]).startswith("Returns › Costs › Abroad\n")


def test_long_text_is_cut_between_sentences_only() -> None:
    found = cut(LONG)
    assert len(found) > 3
    assert all(p.text.startswith("Sentence") and p.text.endswith("days.") for p in found)
    assert " ".join(p.text for p in found) == LONG


def test_a_list_keeps_its_lead_in_wherever_it_is_cut() -> None:
    items = "\n".join(
        f"- Item {n} must be complete, unused and in its original packaging with the label" for n in range(12)
    )
    found = cut(f"You can return it if:\n\n{items}")
    assert len(found) > 1
    assert all(p.text.startswith("You can return it if:\n- Item") for p in found)


def test_small_sections_of_one_parent_are_merged_and_named_together() -> None:
    found = cut("## One\nShort text.\n## Two\nAnother short text.")
    assert [(p.heading, p.text) for p in found] == [("One · Two", "Short text.\nAnother short text.")]


def test_ids_are_stable_and_follow_the_content() -> None:
    first, again = cut("Thirty days."), cut("Thirty days.")
    assert first == again
    ids = {
        first[0].id,
        cut("Forty days.")[0].id,
        cut("Thirty days.", title="Refunds")[0].id,
        cut("Thirty days.", audience=Audience.INTERNAL)[0].id,
        cut("Thirty days.", language="de")[0].id,
        cut("Thirty days.", id="b")[0].id,
        passages_of(article("Thirty days."), WorkspaceId(uuid.uuid4()))[0].id,
    }
    assert len(ids) == 7


def test_an_unchanged_section_keeps_its_passage_when_another_changes() -> None:
    before = {p.id for p in cut(f"## A\n{LONG[:400]}.\n## B\n{LONG[:500]}.")}
    after = {p.id for p in cut(f"## A\n{LONG[:400]}.\n## B\n{LONG[100:700]}.")}
    assert before & after


def test_repeated_content_is_one_passage() -> None:
    assert len(cut(f"## A\n{LONG[:400]}\n## A\n{LONG[:400]}")) == 1


def test_an_article_without_words_has_no_passages() -> None:
    assert cut("![only](image.png)\n\n---\n<!-- nothing -->") == ()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab .\n#-*|>`1€注[]()!", max_size=1_500))
def test_any_body_gives_short_passages(body: str) -> None:
    for passage in cut(body):
        assert passage.text.strip()
        longest_word = max(map(estimated_tokens, passage.text.split()))
        assert estimated_tokens(passage.text) <= MAX_TOKENS + longest_word + 40
