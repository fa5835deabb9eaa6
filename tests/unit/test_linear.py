"""Patterns find what `re2` itself finds, in every kind of text, and words are what letters and digits are."""

import sys
import unicodedata

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from support_agents import linear

PATTERNS = (
    r"[\pL\pN]+",
    r"(?i)\b(?P<day>\d{1,2})(?:st|nd|rd|th)?(\.)?",
    r"(ü+)(x)?",
    r"\s*",
    r"(?:^|[^\pL])(la|le|ä…)(?:[^\pL]|$)",
    r"$",
    r"[.!?\n;]+",
)
TEXTS = st.text(alphabet="aäüxX 1.9;\n…le€𝔘_-'’%!?", max_size=30)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=TEXTS, start=st.integers(0, 40))
def test_it_finds_the_same_in_the_same_places(pattern: str, text: str, start: int) -> None:
    ours, theirs = linear.compile(pattern), re2.compile(pattern)
    assert [one.span(0) for one in ours.finditer(text)] == [one.span(0) for one in theirs.finditer(text)]
    assert [one.groups() for one in ours.finditer(text)] == [one.groups() for one in theirs.finditer(text)]
    assert [one.groups(default="") for one in ours.finditer(text)] == [one.groups("") for one in theirs.finditer(text)]
    assert ours.findall(text) == theirs.findall(text)
    assert ours.sub("-", text) == theirs.sub("-", text)
    assert ours.sub("-", text, count=1) == theirs.sub("-", text, count=1)
    assert ours.sub(lambda found: found.group().upper(), text) == theirs.sub(lambda found: found.group().upper(), text)
    for one, other in (
        (ours.search(text, min(start, len(text))), theirs.search(text, min(start, len(text)))),
        (ours.match(text), theirs.match(text)),
        (ours.fullmatch(text), theirs.fullmatch(text)),
    ):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            places = range(len(other.groups()) + 1)
            assert [one.span(at) for at in places] == [other.span(at) for at in places]
            assert [one[at] for at in places] == [other[at] for at in places]
            assert one.groupdict() == other.groupdict()


@given(text=TEXTS)
def test_a_text_is_cut_where_re2_cuts_it(text: str) -> None:
    assert linear.compile(r"[.!?\n;]+").split(text) == re2.split(r"[.!?\n;]+", text)


def test_a_template_is_filled_as_re2_fills_it() -> None:
    assert linear.compile(r"(\pL)'s\b").sub(r"\1", "Jörg's Räder's") == "Jörg Räder"


def test_words_are_of_letters_and_digits_whatever_the_script() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    assigned = [
        one for one in every if unicodedata.category(one) != "Cn"
    ]  # of what is new the engines know different parts
    text = " ".join(assigned)
    assert linear.words(text) == re2.findall(r"[\pL\pN]+", text)
    assert linear.hyphened_words(text) == re2.findall(r"[\pL\pN'-]+", text)
    assert linear.apostrophed_words(text) == re2.findall(r"[\pL\pN'’]+", text)
    assert linear.words_and_shares(text) == re2.findall(r"[\pL\pN%]+", text)
    assert linear.sentences(text) == re2.findall(r"[^.!?\n;]+[.!?\n;]*", text)
    assert linear.tokens(text) == re2.findall(r"[\pL\pN_]+|[^\pL\pN_\s]", text)
    assert linear.spaced(text) == re2.sub(r"\s+", " ", text)


@given(text=TEXTS)
def test_words_are_cut_where_re2_cuts_them(text: str) -> None:
    assert linear.words(text) == re2.findall(r"[\pL\pN]+", text)
    assert linear.hyphened_words(text) == re2.findall(r"[\pL\pN'-]+", text)
    assert linear.apostrophed_words(text) == re2.findall(r"[\pL\pN'’]+", text)
    assert linear.words_and_shares(text) == re2.findall(r"[\pL\pN%]+", text)
    assert linear.sentences(text) == re2.findall(r"[^.!?\n;]+[.!?\n;]*", text)
    assert linear.tokens(text) == re2.findall(r"[\pL\pN_]+|[^\pL\pN_\s]", text)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(re2.error):
        linear.compile("(")


def test_what_is_escaped_fits_itself_alone() -> None:
    assert linear.compile(linear.escape("1.5 (€)")).fullmatch("1.5 (€)")
    assert not linear.compile(linear.escape("1.5 (€)")).fullmatch("1x5 (€)")


def test_characters_are_remembered_up_to_a_number_of_them() -> None:
    known = linear.Characters(lambda character: character.upper())
    text = "".join(map(chr, range(0x10000, 0x30000)))
    assert (text + "abc").translate(known) == text.upper() + "ABC"
    assert len(known) < len(text) / 4
