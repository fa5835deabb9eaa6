"""Words that are written into statements are ours; nothing else gets in."""

import pytest
from sqlalchemy.dialects import sqlite

from db.base import constant
from support_agents.domain.approval import RequestStatus


def test_a_word_of_ours_is_part_of_the_statement() -> None:
    made = constant(RequestStatus.PENDING).compile(dialect=sqlite.dialect())
    assert (str(made), made.params) == ("'pending'", {})


@pytest.mark.parametrize("value", ["", "it's", "a b", "x' OR '1", "1", "%", "a\n"])
def test_anything_but_a_plain_word_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="plain word"):
        constant(value)
