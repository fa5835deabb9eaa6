"""What a process holds does not grow with the messages it has answered, but for what is remembered within bounds."""

import functools
import gc
import json
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest

from api.container import Container
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.benchmarks.in_process import in_process, question_of
from tests.benchmarks.messages import Sample, samples

PACKAGES = ("support_agents.", "approvals.", "db.", "api.")
WARM, FURTHER = 120, 72
# 6.5 were measured. Of 256 asks the vectors are kept, which so few messages do not fill; a customer's name that was
# kept for good came to 43 for each message.
BLOCKS_A_MESSAGE = 15.0


@pytest.mark.slow
async def test_what_lives_after_further_messages_is_what_lived_before() -> None:
    messages = samples(WARM + FURTHER, series="F")
    async with in_process(len(messages), {}) as container:
        await _answered(container, messages[:WARM])
        before = _blocks()
        await _answered(container, messages[WARM:])
        grown = _blocks() - before
    assert grown / FURTHER <= BLOCKS_A_MESSAGE


async def _answered(container: Container, messages: Sequence[Sample]) -> None:
    for sample in messages:
        question = question_of(sample)
        requester = question.requester.model_copy(update={"name": _name_of(sample)})
        await container.asking.ask(replace(question, requester=requester), DEFAULT_WORKSPACE)


def _name_of(sample: Sample) -> str:
    """A customer's own: no two messages are of the same person."""
    return "Name" + "".join(chr(97 + int(digit)) for digit in json.dumps(sample.ticket) if digit.isdigit())


def _blocks() -> int:
    """Allocations that live, with all emptied that is remembered up to a bound."""
    ours = [vars(module) for name, module in sys.modules.items() if name.startswith(PACKAGES)]
    for each in [each for held in ours for each in held.values()]:
        if isinstance(each, functools._lru_cache_wrapper) and each.cache_info().maxsize is not None:
            each.cache_clear()
    gc.collect()
    return sys.getallocatedblocks()
