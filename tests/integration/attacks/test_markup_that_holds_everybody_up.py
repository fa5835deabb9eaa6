"""One deeply nested HTML mail kept the process from answering anybody for half a minute (I4, I5)."""

import time

import pytest

from api.console.outside_html import harmless
from tests.fixtures.installation import Installation, event

SECONDS = 10.0  # of the processor; it was half a minute
MEGABYTE = 1_000_000
MARKUP = {
    "nested": "<div>" * 150_000,
    "attributes": "<a " + " ".join(f"a{i}" for i in range(110_000)) + ">",
    "ampersands": "&" * 900_000,
    "half tags": "<" * 900_000,
    "comments": "<!--" * 200_000,
    "styles": "<style>" * 100_000,
    "unended": "<b " * 250_000,
}


@pytest.mark.parametrize("markup", MARKUP.values(), ids=MARKUP)
async def test_it_is_acknowledged_in_time(local_installation: Installation, markup: str) -> None:
    begun = time.process_time()
    answer = await local_installation.send(event(text="", html=f"{markup}Where is my order?"[-MEGABYTE:]))
    assert answer.status_code == 202, answer.text
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("markup", MARKUP.values(), ids=MARKUP)
def test_it_is_shown_in_time(markup: str) -> None:
    begun = time.process_time()
    harmless(markup)
    assert time.process_time() - begun < SECONDS


def test_what_is_too_much_to_parse_is_shown_as_text_and_nothing_else() -> None:
    shown = harmless(
        "<div>" * 10_000 + "<style>p { color: red }</style>Hello <img src=x onerror=y>&lt;b&gt;<script>evil()</script"
    )
    assert "Hello" in shown
    assert "<" not in str(shown)
    assert "red" not in shown
