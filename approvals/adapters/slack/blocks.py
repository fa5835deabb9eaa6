"""Content without a vendor as Slack messages and views; all of it goes through here, so nothing is sent unescaped."""

from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

from approvals.adapters.slack import text
from approvals.adapters.slack.blocks_card import CardBlocks
from approvals.adapters.slack.blocks_home import HomeBlocks
from approvals.adapters.slack.blocks_modal import ModalBlocks
from approvals.adapters.slack.blocks_notice import NoticeBlocks, reminder_line, summary_line
from approvals.adapters.slack.blocks_sheet import SheetBlocks
from approvals.adapters.slack.text import Element
from approvals.card import Card, DecisionNotice, Home, Notice, Reminder, Sheet, Summary
from approvals.messaging import Content
from approvals.modals import Modal
from approvals.wording import counted


@dataclass(frozen=True)
class Blocks:
    """Draws everything for one installation."""

    installation: str

    def message(self, content: Content) -> Element:
        """The arguments of a message: blocks, and the escaped text for notifications; nothing in it unfurls."""
        blocks, line = self._drawn(content)
        return {
            "blocks": blocks,
            "text": text.fallback(line),
            "mrkdwn": False,
            "parse": "none",
            "link_names": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }

    def view(self, modal: Modal) -> Element:
        """A modal as a view."""
        return self._modals.of(modal)

    def home(self, home: Home) -> Element:
        """A home tab as a view."""
        return self._homes.of(home)

    def _drawn(self, content: Content) -> tuple[list[Element], str]:
        match content:
            case Card():
                return self._cards.of(content), content.headline
            case Sheet():
                return self._sheets.of(content), f"{counted(len(content.rows), 'reply', 'replies')}: {content.template}"
            case Summary():
                return self._notices.summary(content), summary_line(content)
            case Reminder():
                return self._notices.reminder(content), reminder_line(content)
            case Notice():
                return self._notices.notice(content), " ".join(content.lines)
            case DecisionNotice():
                return self._notices.decision(content), content.line
            case _:
                assert_never(content)

    @cached_property
    def _cards(self) -> CardBlocks:
        return CardBlocks(self.installation)

    @cached_property
    def _sheets(self) -> SheetBlocks:
        return SheetBlocks(self.installation)

    @cached_property
    def _notices(self) -> NoticeBlocks:
        return NoticeBlocks(self._cards)

    @cached_property
    def _modals(self) -> ModalBlocks:
        return ModalBlocks(self.installation)

    @cached_property
    def _homes(self) -> HomeBlocks:
        return HomeBlocks(self.installation)
