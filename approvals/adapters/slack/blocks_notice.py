"""Summaries, reminders and notices as Block Kit; what they say of the outside is plain text."""

from dataclasses import dataclass

from approvals.adapters.slack import text
from approvals.adapters.slack.blocks_card import CardBlocks
from approvals.adapters.slack.naming import Target, Verb
from approvals.adapters.slack.text import Element
from approvals.card import DecisionNotice, Notice, Reminder, Summary
from approvals.wording import counted


def summary_line(summary: Summary) -> str:
    """The hour in one line."""
    parts = [
        f"{summary.waiting} waiting" + (f", the oldest for {summary.oldest_minutes} min" if summary.waiting else ""),
        f"{summary.decided} decided in the last hour",
        *([f"{counted(summary.needs_person, 'ticket')} with people"] if summary.needs_person else []),
        *([f"{summary.in_doubt} in doubt"] if summary.in_doubt else []),
        *([f"{counted(summary.missed, 'check')} of attention missed"] if summary.missed else []),
    ]
    return " · ".join(parts)


def reminder_line(reminder: Reminder) -> str:
    """What is running out of time."""
    return f"{reminder.share} % of the time is over, {reminder.left} left: {reminder.headline}"


@dataclass(frozen=True)
class NoticeBlocks:
    """Draws what is not a card, for one installation."""

    cards: CardBlocks

    def summary(self, summary: Summary) -> list[Element]:
        """One line and how to take the next."""
        return [text.section(summary_line(summary)), *console(summary.console_url)]

    def reminder(self, reminder: Reminder) -> list[Element]:
        """The line, whom it calls, and the way to the console."""
        call = _mention(reminder.mention)
        line = text.rich(text.line(*call, text.words(reminder_line(reminder))))
        return [line, *console(reminder.console_url)]

    def notice(self, notice: Notice) -> list[Element]:
        """A few plain lines."""
        return [*(text.section(line) for line in notice.lines[:10]), *console(notice.console_url)]

    def decision(self, notice: DecisionNotice) -> list[Element]:
        """What was decided in the reader's own name: undone while that is possible, disowned at any time."""
        blocks = [text.section(notice.line)]
        if notice.until is not None:
            blocks.append(text.rich(text.line(text.words("It can be taken back until "), text.moment(notice.until))))
        target = Target(notice.request_id, notice.digest)
        buttons = [self.cards.button("Undo", Verb.UNDO, target)] if notice.until is not None else []
        buttons.append(self.cards.button("Not me", Verb.NOT_ME, target, style="danger"))
        return [*blocks, *console(notice.console_url), text.actions(*buttons)]


def _mention(mention: str) -> list[Element]:
    """A person (`U…`, `W…`) or a group (`S…`) from the settings; anything else is written as text."""
    if mention.startswith("S"):
        return [{"type": "usergroup", "usergroup_id": mention}, text.words(" ") | {"text": " "}]
    if mention.startswith(("U", "W")):
        return [{"type": "user", "user_id": mention}, text.words(" ") | {"text": " "}]
    return [text.words(f"{mention}: ")] if mention else []


def console(url: str) -> list[Element]:
    """A link to the console, where it has an address."""
    return [text.rich(text.line(text.link(url, "Open the console")))] if url else []
