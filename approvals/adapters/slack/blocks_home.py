"""A person's own queue on the app's home tab as Block Kit; it opens cards and decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from approvals.adapters.slack import text
from approvals.adapters.slack.blocks_notice import console
from approvals.adapters.slack.naming import Verb, named
from approvals.adapters.slack.text import Element
from approvals.card import Home, HomeRow
from approvals.wording import counted

# Three blocks a row, within the hundred of a view.
MOST_ROWS = 25
_LONGEST_WORDS = 150


@dataclass(frozen=True)
class HomeBlocks:
    """Draws home tabs for one installation."""

    installation: str

    def of(self, home: Home) -> Element:
        """Counts, the next card by one tap, and the queue by risk and age."""
        rows = [block for row in home.rows[:MOST_ROWS] for block in self._row(row)]
        more = home.more + max(0, len(home.rows) - MOST_ROWS)
        counts = [f"{home.waiting} waiting", f"{counted(home.needs_person, 'ticket')} with people"]
        blocks = [
            text.rich(text.line(text.words(home.name, bold=True), text.words(" · " + " · ".join(counts)))),
            *([text.actions(self._button("Next card", Verb.NEXT, "next"))] if home.rows else []),
            *rows,
            *([text.context(f"and {more} more")] if more else []),
            *console(home.console_url),
        ]
        return {"type": "home", "callback_id": named(self.installation, Verb.SHOW), "blocks": blocks}

    def _row(self, row: HomeRow) -> Iterator[Element]:
        yield {"type": "divider"}
        shown = self._button("Show", Verb.SHOW, str(row.request_id), detail=str(row.request_id))
        heading = text.shortened(text.visible(row.headline), _LONGEST_WORDS)
        said = text.shortened(text.visible(row.words), _LONGEST_WORDS)
        yield text.section(f"{heading}\n{said}") | {"accessory": shown}
        claimed = [f"{row.claimed_by} is looking at it"] if row.claimed_by else []
        small = [*(flag.text for flag in row.flags[:8]), *claimed]
        if small:
            yield text.context(*small)

    def _button(self, label: str, verb: Verb, value: str, *, detail: str = "") -> Element:
        return {
            "type": "button",
            "text": text.plain(label, text.LONGEST_BUTTON),
            "action_id": named(self.installation, verb, detail),
            "value": value,
        }
