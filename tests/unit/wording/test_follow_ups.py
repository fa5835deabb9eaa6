"""Questions that only point back, and those that ask for something of their own."""

import pytest

from support_agents.wording.follow_ups import points_back


@pytest.mark.parametrize(
    "ask",
    ["What happens now?", "Is that still possible?", "and how would I do that?", "Was kann ich tun?", "Que faire ?"],
)
def test_it_points_back(ask: str) -> None:
    assert points_back(ask)


@pytest.mark.parametrize(
    "ask", ["What does that cost?", "And until when is that possible?", "How do I cancel that?", "Is it open?"]
)
def test_it_asks_for_something(ask: str) -> None:
    assert not points_back(ask)
