"""A card as Block Kit, top to bottom as people read it; it shows a reply whole or says that it does not."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from approvals.adapters.slack import text
from approvals.adapters.slack.naming import Target, Verb, named, value_of
from approvals.adapters.slack.text import Element
from approvals.card import Card, Stage
from approvals.modals import units
from approvals.rendering import subject_of_reply
from approvals.wording import Tone

# Slack refuses a message whose blocks are longer than about this in all; nowhere documented, so with some room.
LONGEST_BLOCKS = 13_200
_FOR_BUTTONS = 1_800  # and for the link to the console
_MARKS = {Tone.GOOD: "✓ ", Tone.CARE: "⚠ ", Tone.BAD: "✗ ", Tone.MONEY: "", Tone.PLAIN: ""}
_MOST_FLAGS = 9
_FLAGS_BESIDE = 1  # that stand on the verdict's own line
_LONGEST_ADDRESSING = 2_000
_MOST_PARAGRAPHS = 12
_LONGEST_NAME, _LONGEST_SUBJECT, _LONGEST_SAID = 100, 200, 600  # as drawn: what cannot be seen is longer


@dataclass(frozen=True)
class CardBlocks:
    """Draws cards for one installation, whose name every button carries."""

    installation: str

    def of(self, card: Card) -> list[Element]:
        """The customer's words, the order, what would leave, the verdict, what can be done."""
        return self._drawn(card)[0]

    def _drawn(self, card: Card) -> tuple[list[Element], bool]:
        """The blocks, and whether everything that would leave is among them: nobody approves what was not shown."""
        top = [*_words(card)]
        bottom = [*_payment(card), *_small_print(card), *_state(card), *_hindrances(card)]
        exact, whole = _exact(card, room=LONGEST_BLOCKS - _FOR_BUTTONS - size(top) - size(bottom))
        link = _console(card) if not whole or (card.state.decidable and not card.approvable) else ()
        return [*top, *exact, *bottom, *link, text.actions(*self._buttons(card, whole=whole))], whole

    def _buttons(self, card: Card, *, whole: bool) -> list[Element]:
        target = Target(card.request_id, card.digest)
        found = []
        if card.approvable and whole:
            found.append(self.button("Approve", Verb.APPROVE, target, style="primary"))
        if card.state.decidable:
            found += [self.button("Edit", Verb.EDIT, target)] if card.letter else []
            found += [self.button("Show fuller draft", Verb.FULLER, target)] if card.fuller else []
            found.append(self.button("Reject", Verb.REJECT, target, style="danger"))
        if card.state.stage is Stage.UNDO:
            found.append(self.button("Undo", Verb.UNDO, target, style="danger"))
        return [*found, self.button("More", Verb.MORE, target)]

    def button(self, label: str, verb: Verb, target: Target, *, style: str = "", detail: str = "") -> Element:
        """A button: our own label, an opaque request id and digest, nothing else."""
        made: Element = {
            "type": "button",
            "text": text.plain(label, text.LONGEST_BUTTON),
            "action_id": named(self.installation, verb, detail),
            "value": value_of(target),
        }
        return made | ({"style": style} if style else {})


def _words(card: Card) -> Iterator[Element]:
    """Who, about what, what they wrote and the order, in small print: the reply is what is to be read."""
    name = text.words(card.customer, _LONGEST_NAME, bold=True)
    yield text.rich(text.line(name, text.words(f" · {card.subject}", _LONGEST_SUBJECT)))
    yield text.context(f"“{text.visible(card.words.text)}”", *_facts(card), limit=_LONGEST_SAID)


def _facts(card: Card) -> Iterator[str]:
    """The order, and what the customer sent along, by name."""
    yield card.order.text
    if card.words.attachments:
        yield f"They attached: {'; '.join(card.words.attachments)}"


def _exact(card: Card, *, room: int) -> tuple[list[Element], bool]:
    """The exact words that would leave – a reply's, or a step's request –, and whether all of them are there."""
    if card.letter:
        blocks, whole = _whole([], card.letter.text, room=room)
        return blocks, whole and all(units(text.visible(each)) <= _LONGEST_ADDRESSING for each in _addressing(card))
    if card.step:
        heading = text.rich(text.line(text.words(card.step.line, _LONGEST_ADDRESSING, bold=True)))
        return _whole([heading], f"{card.step.url}\n{card.step.body}", room=room)
    return [], True


def _whole(heading: list[Element], words: str, *, room: int) -> tuple[list[Element], bool]:
    """In as many sections as it needs."""
    blocks, parts = [*heading], paragraphs(words)
    for at, part in enumerate(parts):
        blocks.append(text.section(part))
        if size(blocks) > room:
            left = sum(units(each) for each in parts[at:])
            told = f"{left:,} more characters do not fit here: read and decide it in the console."
            return [*blocks[:-1], text.section(told)], False
    return blocks, True


def _payment(card: Card) -> Iterator[Element]:
    if card.payment:
        yield text.rich(text.line(text.words(card.payment.line, bold=True)))


def _small_print(card: Card) -> Iterator[Element]:
    """The one verdict line with its problems, the flags in plain words, and where a reply goes with what."""
    verdict = card.verdict
    line = f"{_MARKS[verdict.tone]}{verdict.line}" + (f" – {verdict.detail}" if verdict.detail else "")
    flags = _flags(card)
    beside = (*_addressing(card), *_circumstances(card))
    if verdict.problems or len(flags) > _FLAGS_BESIDE:
        yield text.context(line, *verdict.problems[:_MOST_FLAGS])
        yield from [text.context(*flags)] if flags else []
        yield from [text.context(*beside, limit=_LONGEST_ADDRESSING)] if beside else []
    else:
        short = [part for part in beside if units(part) <= text.LONGEST_LINE]
        long = [part for part in beside if part not in short]
        yield text.context(" · ".join((line, *flags, *short)), *long, limit=_LONGEST_ADDRESSING)


def _addressing(card: Card) -> Iterator[str]:
    """To whom and by which way; the subject where it is not just an answer to the customer's own; the files."""
    if card.letter:
        yield card.letter.line
        if card.letter.subject != subject_of_reply(card.subject):
            yield f"Subject: {card.letter.subject}"
        files = card.letter.attachments
        yield from [f"With it goes: {'; '.join(files)}"] if files else []


def _flags(card: Card) -> Sequence[str]:
    told = [f"{_MARKS[flag.tone]}{flag.text}" for flag in card.flags]
    return told if len(told) <= _MOST_FLAGS else [*told[:_MOST_FLAGS], f"and {len(told) - _MOST_FLAGS} more flags"]


def _state(card: Card) -> Iterator[Element]:
    """What was decided, by whom and when, what happened, until when it can be taken back, the receipt."""
    state = card.state
    if state.headline:
        detail = f" {state.detail}" if state.detail else ""
        headline = text.words(f"{_MARKS[state.tone]}{state.headline}", text.LONGEST_LINE, bold=True)
        yield text.rich(text.line(headline, text.words(detail, text.LONGEST_LINE)))
    if state.undo_until is not None:
        yield text.rich(text.line(text.words("It can be undone until "), text.moment(state.undo_until)))
    small = [
        *state.decisions,
        *([f"Receipt: {state.receipt}"] if state.receipt else []),
        *([state.needs[0].upper() + state.needs[1:]] if state.needs else []),
    ]
    if small:
        yield text.context(*small)


def _circumstances(card: Card) -> Iterator[str]:
    """Who edited it, what it waits for, who looks at it: while it can be decided."""
    if card.state.decidable:
        yield from [f"Edited by {card.edited_by}"] if card.edited_by else []
        yield from [card.waits_for] if card.waits_for else []
        yield from [f"{card.claimed_by} is looking at it"] if card.claimed_by else []


def _hindrances(card: Card) -> Iterator[Element]:
    """Why it cannot be approved here."""
    if card.state.decidable and card.blocked:
        yield text.section(" ".join(card.blocked))


def _console(card: Card) -> Iterator[Element]:
    if card.console_url:
        yield text.rich(text.line(text.link(card.console_url, "Open it in the console")))


def paragraphs(words: str) -> tuple[str, ...]:
    """A text whole, a paragraph a piece: the room between blocks stands for the empty line between them.

    One of very many paragraphs, or with several empty lines in a row, stands as it is.
    """
    parts = text.visible(words).split("\n\n")
    if len(parts) > _MOST_PARAGRAPHS or not all(part.strip() and units(part) <= text.LONGEST_TEXT for part in parts):
        return text.pieces(words)
    return tuple(parts)


def size(blocks: Sequence[Element]) -> int:
    """The length of blocks as Slack gets them."""
    return units(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
