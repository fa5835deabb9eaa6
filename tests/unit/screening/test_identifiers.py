import pytest

from support_agents.screening.identifiers import reveals
from support_agents.screening.pii import RULES, mask


def found(text: str) -> list[tuple[str, str]]:
    return [(str(one.kind), text[one.start : one.end]) for one in RULES.find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("from 203.0.113.9 today", "IP", "203.0.113.9"),
        ("from 2001:db8::8a2e:370:7334.", "IP", "2001:db8::8a2e:370:7334"),
        ("see https://shop.example/a?token=abc.", "URL", "https://shop.example/a?token=abc"),
        ("see www.shop.example, please", "URL", "www.shop.example"),
        ("card no 630427373398", "CARD", "630427373398"),
        ("Call me: 079 2718 1155", "PHONE", "079 2718 1155"),
        ("12 office\n877-547-3967x793 fax", "PHONE", "877-547-3967x793"),
        ("My name is Mr. Anna van Dijk and", "NAME", "Anna van Dijk"),
        ("Ich heiße Jürgen Groß.", "NAME", "Jürgen Groß"),
        ("Kind regards,\nTom O'Neill", "NAME", "Tom O'Neill"),
        ("ship to 14 Barker Street, Apt. 3 please", "ADDRESS", "14 Barker Street, Apt. 3"),
        ("nach Hauptstraße 12, 10115 Berlin bitte", "ADDRESS", "Hauptstraße 12, 10115 Berlin"),
        ("au 12 rue de la Paix, merci", "ADDRESS", "12 rue de la Paix"),
        ("en Calle Mayor 7 por favor", "ADDRESS", "Calle Mayor 7"),
    ],
)
def test_it_is_found_whole(text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "firmware version 1.2.3.4",
        "at 10:15:30",
        "order 630427373398",
        "It is at 3370 3911 Fourth Avenue",
        "this is Ridiculous",
        "std::vector and a::b",
        "999.1.1.1",
        "from 2019 - 2024",
        "size M Black",
    ],
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert {kind for kind, _ in found(text)} <= {"ADDRESS"}


def test_a_link_is_masked_only_when_it_gives_something_away() -> None:
    assert reveals("https://shop.example/reset?user=1")
    assert reveals("https://ann:secret@shop.example/")
    assert reveals("https://shop.example/r/0123456789abcdefABCDEF")
    assert reveals("https://[broken")
    text = "https://shop.example/help and https://shop.example/reset?token=1"
    assert mask(text, b"salt").text.startswith("https://shop.example/help and [URL_")


def test_known_values_are_masked_although_no_rule_finds_them() -> None:
    masked = mask("Sanne de Vries wrote: call Sanne", b"salt", known=("Sanne de Vries", "Sanne"))
    assert "Sanne" not in masked.text
    assert sorted(masked.restore.values()) == ["Sanne", "Sanne de Vries"]
