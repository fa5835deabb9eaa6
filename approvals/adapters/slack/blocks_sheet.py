"""A batch sheet as Block Kit: template, a ticked row a ticket, one button; rows that do not fit are left out."""

from dataclasses import dataclass

from approvals.adapters.slack import text
from approvals.adapters.slack.blocks_card import LONGEST_BLOCKS, paragraphs, size
from approvals.adapters.slack.naming import ROWS_BLOCK, Target, Verb, named, value_of
from approvals.adapters.slack.text import Element
from approvals.card import Sheet, SheetRow

_GROUP = 10  # options of one group of checkboxes
_LONGEST_ROW = 600  # slots are facts of an order: far shorter
_LONGEST_TITLE = 300


@dataclass(frozen=True)
class SheetBlocks:
    """Draws sheets for one installation."""

    installation: str

    def of(self, sheet: Sheet) -> list[Element]:
        """All rows if they fit, fewer if that is too much."""
        for most in range(len(sheet.rows), 1, -1):
            blocks = self._drawn(sheet, sheet.rows[:most])
            if size(blocks) <= LONGEST_BLOCKS:
                return blocks
        return self._drawn(sheet, sheet.rows[:1])

    def _drawn(self, sheet: Sheet, rows: tuple[SheetRow, ...]) -> list[Element]:
        numbered = tuple(enumerate(rows, start=1))
        groups = [numbered[start : start + _GROUP] for start in range(0, len(numbered), _GROUP)]
        left = sheet.left + len(sheet.rows) - len(rows)
        title = " · ".join(filter(None, ("", sheet.version, f"{left} more after these" if left else "", sheet.note)))
        return [
            text.rich(text.line(text.words(sheet.template, bold=True), text.words(title, _LONGEST_TITLE))),
            *(text.section(part) for part in paragraphs(sheet.text)),
            *(text.context(*(_row(number, row) for number, row in group), limit=_LONGEST_ROW) for group in groups),
            *(self._ticks(at, group) for at, group in enumerate(groups)),
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
            "value": f"{sheet.sheet_id}.{sheet.length}.{rows}",
            "style": "primary",
        }


def _row(number: int, row: SheetRow) -> str:
    """The customer's words, what differs from the template, and the order."""
    return f"{number}. {' '.join(text.visible(row.line).split())}"


def _option(number: int, row: SheetRow) -> Element:
    label = {"type": "plain_text", "text": f"{number}"}
    return {"text": label, "value": value_of(Target(row.request_id, row.digest))}
