"""What every finder of personal data promises: ours, and Presidio where the extra is installed."""

import importlib.util
import itertools
from dataclasses import replace
from typing import Any

import pytest

from api.engines import pii_finder
from api.settings import load
from support_agents.domain.errors import SupportError
from support_agents.screening.pii import LONGEST, RULES, mask, unmask
from support_agents.screening.spans import PiiFinder, PiiKind

INSTALLED = importlib.util.find_spec("presidio_analyzer") is not None
NOT_INSTALLED = pytest.mark.skipif(not INSTALLED, reason="the extra `presidio` is not installed")
TEXT = (
    "I am anna.quill@example.com, call +49 170 1234567. My card is 4111 1111 1111 1111, account "
    "DE89 3704 0044 0532 0130 00, from 203.0.113.7, see https://shop.example/x?token=Xq81kQzz73Lm20aaB4."
)


def presidio(model: str = "") -> Any:
    """As the settings give it: the rules beside it."""
    return pii_finder(load({"pii_finder": "presidio", "pii_model": model}))


@pytest.fixture(
    scope="module",
    params=[
        "rules",
        pytest.param("presidio", marks=NOT_INSTALLED),
        pytest.param("both", marks=NOT_INSTALLED),
    ],
)
def finder(request: pytest.FixtureRequest) -> PiiFinder:
    if request.param == "rules":
        return RULES
    found: PiiFinder = presidio() if request.param == "both" else replace(presidio(), beside=None)
    return found


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (PiiKind.EMAIL, "anna.quill@example.com"),
        (PiiKind.PHONE, "+49 170 1234567"),
        (PiiKind.CARD, "4111 1111 1111 1111"),
        (PiiKind.IBAN, "DE89 3704 0044 0532 0130 00"),
        (PiiKind.IP, "203.0.113.7"),
    ],
)
def test_a_value_is_found_where_it_stands(finder: PiiFinder, kind: PiiKind, value: str) -> None:
    assert (kind, value) in {(one.kind, TEXT[one.start : one.end]) for one in finder.find(TEXT)}


def test_finds_are_in_order_and_none_overlaps_another(finder: PiiFinder) -> None:
    found = finder.find(f"{TEXT}\n{TEXT}")
    assert len(found) >= 10
    assert list(found) == sorted(found)
    assert all(before.end <= after.start for before, after in itertools.pairwise(found))


def test_a_text_without_any_has_none(finder: PiiFinder) -> None:
    assert finder.find("Where is my order? It was to come on Tuesday.") == ()
    assert finder.find("") == ()


def test_what_is_beyond_the_longest_text_is_not_looked_at(finder: PiiFinder) -> None:
    assert finder.find("word " * (LONGEST // 5) + " anna.quill@example.com") == ()


def test_masking_with_it_is_undone_to_the_letter(finder: PiiFinder) -> None:
    masked = mask(TEXT, b"salt", finder=finder)
    assert "4111" not in masked.text
    assert unmask(masked.text, masked.restore, only=set(masked.restore.values())) == TEXT


@NOT_INSTALLED
def test_presidio_opens_no_socket() -> None:
    """The suite forbids sockets; tldextract's list is the one in its package."""
    (found,) = replace(presidio(), beside=None).find("write to someone@sub.example.co.uk, please")[:1]
    assert found.kind is PiiKind.EMAIL


@NOT_INSTALLED
def test_a_model_that_is_not_there_is_named_and_not_fetched() -> None:
    with pytest.raises(SupportError, match="en_core_web_nothing"):
        presidio("en_core_web_nothing")


@pytest.mark.skipif(INSTALLED, reason="the extra `presidio` is installed")
def test_without_the_extra_one_line_says_what_to_do() -> None:
    with pytest.raises(SupportError, match="SUPPORT_PII_FINDER=rules") as refused:
        presidio()
    assert refused.value.code == "presidio_missing"
