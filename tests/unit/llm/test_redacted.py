from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import Run
from support_agents.domain.sections import AttachedWords
from support_agents.llm.redacted import RedactedModel
from support_agents.ports import Completed, Prompt, TextDelta
from support_agents.testing.llm import ScriptedModel
from tests.fixtures.drafting import a_run, drafting_given

TEXT = "I am Anna Müller, anna@example.com, +49 170 1234567. My card is 4111 1111 1111 1111. [EMAIL_1]"


def a_prompt(text: str = TEXT, *, name: str = "Anna Müller") -> Prompt:
    drafting = drafting_given(text, customer_name=name)
    user = f"Customer {name} wrote: {text}\nArticle: write to help@shop.example or call 0800 1234567."
    return Prompt(agent="drafting", version="v", system="Greet Anna.", user=user, max_tokens=100, given=drafting)


async def said(model: RedactedModel, prompt: Prompt) -> str:
    async with aclosing(model.stream(prompt, a_run())) as stream:  # type: ignore[type-var] # it is a generator
        return "".join([item.text async for item in stream if isinstance(item, TextDelta)])


def echoing(pieces: Sequence[str]) -> ScriptedModel:
    return ScriptedModel(tuple(pieces))


async def test_what_is_the_customers_leaves_as_placeholders_and_articles_as_they_are() -> None:
    model = echoing(["ok"])
    assert await said(RedactedModel(model), a_prompt()) == "ok"
    (sent,) = model.prompts
    for value in ("Anna", "Müller", "anna@example.com", "1234567. My", "4111"):
        assert value not in sent.user + sent.system
    assert "help@shop.example or call 0800 1234567" in sent.user
    assert "[EMAIL_1]" in sent.user


async def test_what_files_say_is_masked_as_the_message_is() -> None:
    model = echoing(["ok"])
    prompt = a_prompt("See the file.")
    assert prompt.given is not None
    said_there = AttachedWords(filename="for-eva@example.org.txt", text="Card 4111 1111 1111 1111, eva@example.org")
    given = prompt.given.model_copy(update={"attached": (said_there,)})
    user = f"{prompt.user}\n{said_there.filename}:\n{said_there.text}"
    await said(RedactedModel(model), prompt.model_copy(update={"given": given, "user": user}))
    assert "4111" not in model.prompts[0].user
    assert "eva@example.org" not in model.prompts[0].user


async def test_own_values_come_back_even_when_a_placeholder_arrives_in_pieces() -> None:
    class Returning(ScriptedModel):
        async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
            assert not run.deadline.passed
            placeholder = prompt.user.split("Customer ")[1].split(" wrote")[0]
            for piece in ("Dear ", *placeholder, ", see [1] and [EMAIL_1]"):
                yield TextDelta(piece)

    assert await said(RedactedModel(Returning(())), a_prompt()) == "Dear Anna Müller, see [1] and [EMAIL_1]"


async def test_two_calls_share_no_placeholder() -> None:
    model = echoing(["ok"])
    for _ in range(2):
        await said(RedactedModel(model), a_prompt())
    first, second = (prompt.user.split("Customer ")[1].split(" wrote")[0] for prompt in model.prompts)
    assert first != second


async def test_a_text_that_ends_in_a_bracket_is_not_lost() -> None:
    assert await said(RedactedModel(echoing(["as in [", "NOTE"])), a_prompt()) == "as in [NOTE"


async def test_a_workspace_may_forbid_models_outside() -> None:
    model = echoing(["ok"])
    with pytest.raises(SupportError) as refused:
        await said(RedactedModel(model, local_only=frozenset({DEFAULT_WORKSPACE})), a_prompt())
    assert refused.value.code == "external_forbidden"
    assert model.prompts == []


async def test_a_prompt_that_only_a_short_question_is_made_of_names_nobody_either() -> None:
    """Intent opinions, judges and debates have no `given`; the run says whose ticket it is."""
    model = echoing(["ok"])
    run = replace(a_run(), private=("Anna Müller", "anna@example.com"))
    prompt = Prompt(
        agent="intent", version="v", system="Name it.", user="Subject: return for Anna\nMÜLLER", max_tokens=9
    )
    async with aclosing(RedactedModel(model).stream(prompt, run)) as stream:  # type: ignore[type-var] # a generator
        assert [item async for item in stream]
    (sent,) = model.prompts
    assert "Anna" not in sent.user
    assert "MÜLLER" not in sent.user


async def test_one_value_written_in_two_ways_leaves_in_neither() -> None:
    model = echoing(["ok"])
    twice = "Write to Zyx.Quill@example.com or zyx.quill@example.com, card 4111 1111 1111 1111 or 4111111111111111."
    await said(RedactedModel(model), a_prompt(twice))
    (sent,) = model.prompts
    assert "quill" not in sent.user.lower()
    assert "1111" not in sent.user


async def test_a_name_in_capitals_or_small_letters_is_the_same_name() -> None:
    model = echoing(["ok"])
    await said(RedactedModel(model), a_prompt("this is anna müller, ANNA MÜLLER, the MÜLLER account"))
    (sent,) = model.prompts
    assert "müller" not in sent.user.lower()


@pytest.mark.parametrize("name", ["Orson Card", "Bea Name", "Ada Abe"])
async def test_a_name_that_looks_like_a_part_of_a_placeholder_spoils_none(name: str) -> None:
    class Echo(ScriptedModel):
        async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
            assert not run.deadline.passed
            yield TextDelta(prompt.user)

    prompt = a_prompt("My card is 4111 1111 1111 1111, my phone +49 170 1234567.", name=name)
    for _ in range(20):  # placeholders are random, and their letters make short names
        assert await said(RedactedModel(Echo(())), prompt) == prompt.user
