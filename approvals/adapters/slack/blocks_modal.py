"""Modals as Block Kit views: what is typed comes back by block id, what they are about by private metadata."""

from dataclasses import dataclass
from typing import assert_never

from approvals.adapters.slack import text
from approvals.adapters.slack.naming import (
    BACK,
    GROUP_BLOCK,
    INPUT,
    INTENT_BLOCK,
    NOTE_BLOCK,
    REASON_BLOCK,
    REDRAFT_BLOCK,
    TEXT_BLOCK,
    Callback,
    Target,
    Verb,
    metadata_of,
    named,
    value_of,
)
from approvals.adapters.slack.text import Element
from approvals.card import Card, Findings
from approvals.modals import (
    LONGEST_INPUT,
    Alternative,
    CheckedModal,
    CorrectModal,
    EditModal,
    FullerModal,
    LoadingModal,
    Modal,
    MoreModal,
    NoticeModal,
    PassOnModal,
    RejectModal,
    split,
)
from approvals.visible import without_unseen
from approvals.wording import words
from support_agents.domain.approval import RejectReason

_TITLE = 24
_LONGEST_NOTE = 1_000
_MOST_SAID = 3
_LABELS = {
    Alternative.MACRO: "Use the next best template",
    Alternative.SHORTER: "Make it shorter",
    Alternative.ASK_ORDER: "Ask for the order number",
    Alternative.PASS_ON: "Pass it to a group",
    Alternative.FULLER: "Use this draft",
}


@dataclass(frozen=True)
class ModalBlocks:
    """Draws modals for one installation."""

    installation: str

    def of(self, modal: Modal) -> Element:  # noqa: PLR0911 - one for each kind
        """A modal as a view."""
        match modal:
            case LoadingModal():
                target = Target(modal.request_id, modal.digest)
                return self._view(modal, Callback.LOADING, [text.section("One moment …")], target)
            case EditModal():
                return self._edit(modal)
            case CheckedModal():
                return self._checked(modal)
            case FullerModal():
                return self._fuller(modal)
            case RejectModal():
                return self._reject(modal)
            case PassOnModal():
                return self._pass_on(modal)
            case CorrectModal():
                return self._correct(modal)
            case MoreModal():
                return self._more(modal)
            case NoticeModal():
                link = [_link(modal.console_url)] if modal.console_url else []
                return self._view(modal, Callback.NOTICE, [*(text.section(each) for each in modal.lines[:20]), *link])
            case _:
                assert_never(modal)

    def _edit(self, modal: EditModal) -> Element:
        target = Target(modal.request_id, modal.digest)
        clean = without_unseen(modal.text)
        dropped = [text.context("Characters that nobody can see were taken out of it.")] if clean != modal.text else []
        note = [text.section(modal.note)] if modal.note else []
        one_tap = [text.actions(*(self._alternative(each, target) for each in modal.alternatives))]
        inputs = [_input(at, part) for at, part in enumerate(split(clean, LONGEST_INPUT))]
        blocks = [*note, *(one_tap if modal.alternatives else []), *dropped, *inputs]
        return self._view(modal, Callback.EDIT, blocks, target, submit="Check")

    def _alternative(self, alternative: Alternative, target: Target) -> Element:
        return {
            "type": "button",
            "text": text.plain(_LABELS[alternative], text.LONGEST_BUTTON),
            "action_id": named(self.installation, Verb.ALTERNATIVE, alternative),
            "value": value_of(target),
        }

    def _checked(self, modal: CheckedModal) -> Element:
        """The verdict and the new text; approving is a button, so that it is a click on these very bytes."""
        target = Target(modal.request_id, modal.digest)
        shown = [text.section(part) for part in text.pieces(modal.text)]
        approve: Element = {
            "type": "button",
            "text": text.plain("Approve", text.LONGEST_BUTTON),
            "action_id": named(self.installation, Verb.APPROVE),
            "value": value_of(target),
            "style": "primary",
        }
        buttons = [text.actions(approve)] if modal.approvable else []
        return self._view(modal, Callback.CHECKED, [_verdict(modal.findings), *shown, *buttons], target)

    def _fuller(self, modal: FullerModal) -> Element:
        """Its verdict and its text; one button puts it in the short one's place, where it is still to be approved."""
        target = Target(modal.request_id, modal.digest)
        shown = [text.section(part) for part in text.pieces(modal.text)]
        told = text.context("It takes the place of the reply on the card. Approvals of that one do not count for it.")
        use = text.actions(self._alternative(Alternative.FULLER, target))
        return self._view(modal, Callback.FULLER, [_verdict(modal.findings), *shown, told, use], target)

    def _reject(self, modal: RejectModal) -> Element:
        reasons = {
            "type": "static_select",
            "action_id": INPUT,
            "options": [{"text": text.plain(reason.label, 75), "value": reason.value} for reason in RejectReason],
        }
        note = {"type": "plain_text_input", "action_id": INPUT, "multiline": True, "max_length": _LONGEST_NOTE}
        option = {"text": text.plain("Make a new draft with this reason", 75), "value": "redraft"}
        boxes = {"type": "checkboxes", "action_id": INPUT, "options": [option]}
        blocks = [
            _labelled(REASON_BLOCK, "Why?", reasons),
            _labelled(NOTE_BLOCK, "In your words", note) | _OPTIONAL,
            _labelled(REDRAFT_BLOCK, "And then", boxes) | _OPTIONAL,
        ]
        target = Target(modal.request_id, modal.digest)
        view = self._view(modal, Callback.REJECT, blocks, target, submit="Reject")
        if not modal.answer_to:
            return view
        return view | {"private_metadata": metadata_of(self.installation, target, **{BACK: modal.answer_to})}

    def _pass_on(self, modal: PassOnModal) -> Element:
        groups = {
            "type": "static_select",
            "action_id": INPUT,
            "options": [{"text": text.plain(name, 75), "value": name} for name in modal.groups],
        }
        blocks = [_labelled(GROUP_BLOCK, "To whom?", groups)]
        target = Target(modal.request_id, modal.digest)
        return self._view(modal, Callback.PASS_ON, blocks, target, submit="Pass on")

    def _correct(self, modal: CorrectModal) -> Element:
        """A list with the present intent chosen; what no model in use knows any more cannot be."""
        options = {name: {"text": text.plain(words(name), 75), "value": name} for name in modal.intents}
        intents: Element = {"type": "static_select", "action_id": INPUT, "options": list(options.values())}
        intents |= {"initial_option": options[modal.present]} if modal.present in options else {}
        told = text.context(
            f"The model took it for: {words(modal.guessed)}",
            "It is kept as an example to train on. The reply and its request stay as they are.",
            *([f"{modal.left} more intents are on the ticket’s page in the console."] if modal.left else []),
        )
        link = [_link(modal.console_url)] if modal.left and modal.console_url else []
        blocks = [_labelled(INTENT_BLOCK, "The message is about", intents), told, *link]
        return self._view(modal, Callback.CORRECT, blocks, Target(modal.request_id, modal.digest), submit="Keep")

    def _more(self, modal: MoreModal) -> Element:
        target = Target(modal.card.request_id, modal.card.digest)
        correct: Element = {
            "type": "button",
            "text": text.plain("About something else", text.LONGEST_BUTTON),
            "action_id": named(self.installation, Verb.CORRECT),
            "value": value_of(target),
        }
        return self._view(modal, Callback.MORE, _more(modal.card, correct if modal.correctable else None), target)

    def _view(
        self, modal: Modal, callback: Callback, blocks: list[Element], target: Target | None = None, *, submit: str = ""
    ) -> Element:
        view: Element = {
            "type": "modal",
            "callback_id": named(self.installation, callback),
            "title": text.plain(modal.title, _TITLE),
            "close": text.plain("Close", _TITLE),
            "blocks": blocks,
        }
        view |= {"submit": text.plain(submit, _TITLE)} if submit else {}
        return view | ({"private_metadata": metadata_of(self.installation, target)} if target else {})


_OPTIONAL = {"optional": True}


def _labelled(block_id: str, label: str, element: Element) -> Element:
    return {"type": "input", "block_id": block_id, "label": text.plain(label), "element": element}


def _input(at: int, part: str) -> Element:
    """One stretch of the reply; an emptied one comes back as nothing and drops out of the text."""
    element: Element = {
        "type": "plain_text_input",
        "action_id": INPUT,
        "multiline": True,
        "max_length": LONGEST_INPUT,
    }
    element |= {"initial_value": part} if part else {}
    label = "The reply" if at == 0 else f"The reply, part {at + 1}"
    return _labelled(f"{TEXT_BLOCK}.{at}", label, element) | ({"optional": True} if at else {})


def _verdict(findings: Findings) -> Element:
    return text.context(findings.line, *findings.problems[:9])


def _more(card: Card, correct: Element | None) -> list[Element]:
    """All that the customer wrote, the order, digest, cost, confidence and evidence of a card.

    `correct` stands below the small print, of which the intent is a line.
    """
    more, letter = card.more, card.letter
    said = text.pieces(more.said) if more.said else ()
    quoted = [text.rich(text.quote(text.words(part))) for part in said[:_MOST_SAID]]
    facts = [
        ("Order", more.order),
        ("Subject", letter.subject if letter else ""),
        ("Signed by", letter.signed_by if letter else ""),
        ("Digest", card.digest),
        ("About", f"{more.intent} ({more.confidence})" if more.intent else ""),
        ("Made", " in ".join(part for part in (more.rung, more.took) if part)),
        ("Cost", more.cost or "no model was asked"),
        ("Mode", card.leaving),
    ]
    lines = [text.context(f"{name}: {value}") for name, value in facts if value]
    evidence = [
        text.rich(
            text.line(text.words(each.title, bold=True)), text.quote(text.words(text.shortened(each.quote, 1_000)))
        )
        for each in more.evidence
    ]
    link = [_link(card.console_url)] if card.console_url else []
    rest = [text.context("The rest of the message is in the console.")] if len(said) > _MOST_SAID else []
    button = [text.actions(correct)] if correct else []
    return [*quoted, *rest, *lines, *button, *evidence, *link]


def _link(url: str) -> Element:
    return text.rich(text.line(text.link(url, "All of it in the console")))
