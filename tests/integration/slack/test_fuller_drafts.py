"""A fuller draft in Slack: a quiet button on the card, a form that shows it, and a button of its own that takes it."""

from datetime import timedelta

import pytest

from approvals.adapters.slack.naming import Verb
from approvals.modals import Alternative, CheckedModal, FullerModal, LoadingModal, NoticeModal
from support_agents.domain.approval import RequestStatus
from support_agents.domain.runs import OUT_OF_TIME
from tests.fixtures.fuller import WHOLE, written_whole
from tests.fixtures.slack import Workspace, has_button
from tests.integration.slack.test_deciding import status

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_is_shown_beside_the_short_one_and_approved_as_bytes_of_its_own(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(cut=OUT_OF_TIME), await slack.person()
    short = await slack.read(request)
    assert not has_button(slack.blocks.message(short), Verb.FULLER)
    await written_whole(slack.desk.installation.container.database, request)
    card = await slack.read(request)
    assert has_button(slack.blocks.message(card), Verb.FULLER)
    assert card.fingerprint != short.fingerprint, "the card is painted again"
    assert card.letter == short.letter

    await slack.press(ben, card, Verb.FULLER)
    view, modal = slack.form()
    assert isinstance(slack.messenger.modals[view][0], LoadingModal)
    assert isinstance(modal, FullerModal)
    assert modal.text == WHOLE
    assert await status(slack, request) is RequestStatus.PENDING, "looking changes nothing"

    await slack.press_modal(ben, view, Verb.ALTERNATIVE, Alternative.FULLER)
    checked = slack.messenger.modals[view][-1]
    assert isinstance(checked, CheckedModal)
    assert (checked.text, checked.approvable) == (WHOLE, True)
    assert checked.digest != card.digest
    assert await status(slack, request) is RequestStatus.SUPERSEDED
    assert await status(slack, checked.request_id) is RequestStatus.PENDING
    slack.still(timedelta())
    await slack.press_modal(ben, view, Verb.APPROVE)
    assert await status(slack, checked.request_id) is RequestStatus.APPROVED


async def test_a_button_that_came_too_late_says_so(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(cut=OUT_OF_TIME), await slack.person()
    await written_whole(slack.desk.installation.container.database, request)
    card = await slack.read(request)
    slack.still(timedelta())
    await slack.press(ben, card, Verb.APPROVE)
    await slack.press(ben, card, Verb.FULLER)
    _, modal = slack.form()
    assert isinstance(modal, NoticeModal)
    assert "no fuller draft" in modal.lines[0]
    assert await status(slack, request) is RequestStatus.APPROVED
