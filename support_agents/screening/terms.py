"""A text as search terms: words folded, without endings and without words that carry no meaning or any order."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from support_agents import linear
from support_agents.domain.knowledge import Passage

_APOSTROPHE = linear.compile(r"(?i)(\p{L})['\x{2019}](?:s|t|re|ve|ll|d|m)\b")
_IDEOGRAPH = linear.compile(r"^[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]+$")
_WITHOUT_ACCENTS = linear.Characters(lambda character: None if unicodedata.combining(character) else character)
_POINTS = ".,"
_LONGEST = 40
_DOUBLED = 3

# Function words of the languages that most tickets come in, but for those that mean something in another one.
_STOPWORDS = frozenset(
    """
    aren isn don doesn didn won wasn weren haven hasn couldn wouldn shouldn
    a about after again all am an and any are as at be because been before being but by can could did do does doing
    for from get got had has have having he her here hi hello him his how however i if in into is isn it its just let
    like me more most my need no not now of off on once only or other our out over own please same she should so some
    such than thank thanks that the their them then there these they this those to too until up us very want was we
    were what when where which while who whom why will with would you your yours dear regards
    aber als am an auch auf aus bei bin bis bitte da dann das dass dein dem den der des die dir du ein eine einem einen
    einer eines er es euch fur hab habe haben hallo hat ich ihm ihn ihr ihre im in ist ja kann kein keine konnen man
    mehr mein meine meinem meinen meiner mich mir mit muss nach nicht noch nun nur ob oder ohne sein seine sich sie
    sind so uber um und uns unser vom von vor war warum was wenn wer werden wie wieder will wir wird wo wurde zu zum
    zur danke
    au aux avec ce ces cette comment dans de des du elle en est et etre eu il ils je la le les leur lui ma mais me
    mes moi mon ne nous ou par pas pour quand que quel quelle qui sa sans se ses si son sont sur ta te tu un une vos
    votre vous bonjour merci
    al como con cual cuando de del donde el ella ellos en era es esta este esto hay hola la las lo los mas me mi mis
    muy no o para pero por porque que quien se si sin sobre son su sus te tengo tiene un una unos usted y ya gracias
    che ci come con da dal della di dove e gli ho il in io la le lo mi mio ma nel non per perche piu quando questo
    si sono su sua suo ti un una vi ciao grazie
    aan als bij dat de deze die dit door een en er het hoe ik is je kan maar met mijn naar niet nog of om ook op te
    uit van voor waar wat we wel wij ze zijn
    ao com da do dos e ela ele em eu foi isso ja mais mas meu minha na nao nas nos o os ou para pela pelo por
    qual quando que quem sem ser seu sua tem um uma voce ola obrigado obrigada
    """.split()  # noqa: SIM905 - a page of words reads better than a column of quotes
)
# Longest first, taken off again and again; a stem keeps at least as many letters as the number says.
_ENDINGS = (
    ("ation", 4), ("ment", 4), ("ing", 3), ("ung", 4), ("ed", 3), ("en", 4), ("em", 4),
    ("ly", 4), ("s", 3), ("e", 3), ("y", 3), ("i", 4),
)  # fmt: skip


@lru_cache(maxsize=4_096)
def terms(text: str) -> tuple[str, ...]:
    """Return the terms of `text` in order, repeated as often as they occur."""
    found: list[str] = []
    for word in _words(text):
        found += _of_letters(word) if word.isalpha() else _of_word(word)
    return tuple(found)


def passage_terms(passage: Passage) -> tuple[str, ...]:
    """Return what a passage is found by: its title, which counts twice, its heading and its text."""
    title = terms(passage.title)
    return (*title, *title, *terms(passage.heading), *terms(passage.text))


def coverage(query: str, text: str, *, letters: int = _LONGEST) -> float:
    """Return the share (0..1) of the query's distinct terms that `text` contains; 0 when the query has none.

    Terms are compared by their first `letters` only: few let parts of compounds and of irregular forms agree.
    """
    wanted = {term[:letters] for term in terms(query)}
    return len(wanted & {term[:letters] for term in terms(text)}) / len(wanted) if wanted else 0.0


def _words(text: str) -> Iterator[str]:
    """Yield runs of letters and digits; a number keeps its points and commas (`1.8.19`)."""
    plain = _APOSTROPHE.sub(r"\1", text) if "'" in text or "\u2019" in text else text
    for run in linear.pointed_words(_fold(plain)):
        word = run.strip(_POINTS)
        if word.isalnum() or word[:1].isdigit():
            yield word
        else:
            yield from word.replace(",", " ").replace(".", " ").split()


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text.casefold()).translate(_WITHOUT_ACCENTS)


@lru_cache(maxsize=8_192)  # a language's usual words; numbers of orders and parcels hardly come again
def _of_letters(word: str) -> tuple[str, ...]:
    return _of_word(word)


def _of_word(word: str) -> tuple[str, ...]:
    if not word.isascii() and _IDEOGRAPH.search(word):
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    if word in _STOPWORDS:
        return ()
    return (_stem(word[:_LONGEST]),)


def _stem(word: str) -> str:
    if not word.isalpha():
        return word
    while (shorter := _without_ending(word)) != word:
        word = shorter
    return word[:-1] if len(word) > _DOUBLED and word[-1] == word[-2] else word


def _without_ending(word: str) -> str:
    for ending, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            return word[: -len(ending)]
    return word
