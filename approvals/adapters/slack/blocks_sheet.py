"""A batch sheet as Block Kit: template, a ticked row a ticket, one button; rows that do not fit are left out."""

from dataclasses import dataclass

from approvals.adapters.slack import text
from approvals.adapters.slack.blocks_card import LONGEST_BLOCKS, size
from approvals.adapters.slack.naming import ROWS_BLOCK, Target, Verb, named, value_of
from approvals.adapters.slack.text import Element
from approvals.card import Sheet, SheetRow

_GROUP = 10  # options of one group of checkboxes
_ROOMS = (240, 160, 110)  # characters of a row, the most first


@dataclass(frozen=True)
class SheetBlocks:
    """Draws sheets for one installation."""

    installation: str

    def of(self, sheet: Sheet) -> list[Element]:
        """All rows if they fit, shorter if they must, fewer if even that is too much."""
        for room in _ROOMS:
            blocks = self._drawn(sheet, sheet.rows, room)
            if size(blocks) <= LONGEST_BLOCKS:
                return blocks
        return self._fewer(sheet)

    def _fewer(self, sheet: Sheet) -> list[Element]:
        for most in range(len(sheet.rows) - 1, 1, -1):
            blocks = self._drawn(sheet, sheet.rows[:most], _ROOMS[-1])
            if size(blocks) <= LONGEST_BLOCKS:
                return blocks
        return self._drawn(sheet, sheet.rows[:1], _ROOMS[-1])

    def _drawn(self, sheet: Sheet, rows: tuple[SheetRow, ...], room: int) -> list[Element]:
        numbered = tuple(enumerate(rows, start=1))
        groups = [numbered[start : start + _GROUP] for start in range(0, len(numbered), _GROUP)]
        left = len(sheet.rows) - len(rows)
        return [
            text.rich(text.line(text.words(sheet.template, bold=True), text.words(f" · {sheet.version}"))),
            *(text.section(part) for part in text.pieces(sheet.text)),
            *(text.context(_row(number, row, room)) for number, row in numbered),
            *(self._ticks(at, group) for at, group in enumerate(groups)),
            *([text.context(f"{left} more come with the next sheet.")] if left else []),
            text.actions(self._approve(sheet, len(rows))),
        ]

    def _ticks(self, at: int, group: tuple[tuple[int, SheetRow], ...]) -> Element:
        ticked = [_option(number, row) for number, row in group if row.ticked]
        boxes: Element = {
            "type": "checkboxes",
            "action_id": named(self.installation, Verb.TICK, str(at)),
            "options": [_option(number, row) for number, row in group],
        }
        boxes |= {"initial_options": ticked} if ticked else {}
        return {"type": "actions", "block_id": f"{ROWS_BLOCK}.{at}", "elements": [boxes]}

    def _approve(self, sheet: Sheet, rows: int) -> Element:
        return {
            "type": "button",
            "text": text.plain(f"Approve what is ticked of {rows}", text.LONGEST_BUTTON),
            "action_id": named(self.installation, Verb.BATCH_APPROVE),
            "value": sheet.sheet_id,
            "style": "primary",
        }


def _row(number: int, row: SheetRow, room: int) -> str:
    """The customer's words, the order, and what differs from the template; the words give way first."""
    slots = "; ".join(f"{name}: {value}" for name, value in row.slots)
    facts = text.shortened(" · ".join(part for part in (row.order.text, slots) if part), room // 2)
    said = text.shortened(" ".join(text.visible(row.words.text).split()), room - len(facts))
    return f"{number}. {said} · {facts}"


def _option(number: int, row: SheetRow) -> Element:
    label = {"type": "plain_text", "text": f"{number}"}
    return {"text": label, "value": value_of(Target(row.request_id, row.digest))}
