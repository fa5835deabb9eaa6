"""What the lists and the figures show, and the two switches of an admin."""

from datetime import timedelta
from pathlib import Path

import pytest

from db.read_models.activity import activity
from support_agents.domain.approval import Role
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.sections import Verdict
from support_agents.knowledge.loaders import load_folder
from tests.fixtures.approvals import REPLY, set_column
from tests.fixtures.console import Browser, Desk, checked, open_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_empty_queue_says_so(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as empty:
        page = (await (await empty.browser()).get("/console")).text
    for words in ("Nothing waits for a decision.", "No ticket waits for a person.", "Every outcome is known."):
        assert words in page


async def test_money_comes_first_and_the_neighbours_follow_the_queue(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:  # of its own: others leave more than a page
        await _money_first(desk)


async def _money_first(desk: Desk) -> None:
    ann = await desk.browser()
    reply, refund = await desk.reply(), await desk.refund()
    page = (await ann.get("/console")).text
    assert page.index(f"row-{refund}") < page.index(f"row-{reply}")
    assert "Refund <b>€49.90</b>" in page
    assert "order status" in page
    assert "Where is my parcel?" in page
    assert " left</span>" in page
    first, second = [(await ann.get(f"/console/requests/{request}")).text for request in (refund, reply)]
    assert f'href="/console/requests/{reply}" data-key="j"' in first
    assert f'href="/console/requests/{refund}" data-key="k"' in second


async def test_what_was_handed_off_or_not_understood_is_listed(desk: Desk) -> None:
    ann = await desk.browser()
    await desk.proposed()
    assert (await desk.installation.send({"type": "unheard of"})).status_code == 202
    page = (await ann.get("/console")).text
    assert "the customer asks to speak to a person" in page
    assert "Webhook from standard" in page
    figures = (await ann.get("/console/activity")).text
    assert "handed to a person" in figures
    assert "buried" in figures
    assert "ms, 95 of 100 runs" in figures
    waiting = (await ann.get("/console/tickets?waiting=1")).text
    assert "the customer asks to speak to a person" in waiting


async def test_half_of_the_runs_are_no_slower_than_the_rest(desk: Desk) -> None:
    for _ in range(3):
        await desk.reply()
    async with desk.installation.container.database.read() as uow:
        found = await activity(uow, DEFAULT_WORKSPACE, since=await uow.now() - timedelta(hours=1))
        none = await activity(uow, DEFAULT_WORKSPACE, since=await uow.now() + timedelta(hours=1))
    assert found.p50_ms is not None
    assert found.p95_ms is not None
    assert found.slowest_ms is not None
    assert 0 < found.p50_ms <= found.p95_ms <= found.slowest_ms
    assert (none.p50_ms, none.p95_ms) == (None, None)


async def test_a_page_ends_and_the_next_begins_after_it(desk: Desk) -> None:
    ann = await desk.browser()
    made = {str(await desk.reply()) for _ in range(52)}
    page = (await ann.get("/console")).text
    link = page.partition('href="/console?after=')[2].partition('"')[0]
    assert link
    following = (await ann.get(f"/console?after={link}")).text
    seen = [{each for each in made if f"row-{each}" in text} for text in (page, following)]
    assert seen[0] | seen[1] == made
    assert not seen[0] & seen[1]
    assert f"/console/queue/lists?after={link}" in following


async def test_a_tickets_life_has_stages_and_cited_passages(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    page = (await ann.get(f"/console/tickets/{await desk.ticket_of(request)}")).text
    parts = ("Where is my parcel?", "reply from articles", "4 facts, 4 confirmed",
             "<mark>Parcels leave within a day.</mark>", "drafting", "Reply put up for approval")  # fmt: skip
    assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)
    assert " ms from the first byte to card ready" in page


async def test_the_kill_switch_is_the_managers_to_pull_and_the_admins_to_release(desk: Desk) -> None:
    ann, max_, admin = await desk.browser(), await desk.browser(Role.MANAGER), await desk.browser(Role.ADMIN)

    async def switch(browser: Browser, to: str) -> int:
        return (await browser.post("/console/dispatch", on="/console", to=to)).status_code

    assert "Stop all dispatch" not in (await ann.get("/console/activity")).text
    assert await switch(ann, "off") == 403
    assert await switch(max_, "sideways") == 422
    assert await switch(max_, "off") == 303
    assert "Nothing is sent: dispatch is stopped." in (await ann.get("/console")).text
    assert await switch(max_, "on") == 403
    assert await switch(admin, "on") == 303
    assert "dispatch is stopped" not in (await ann.get("/console")).text


async def test_only_an_admin_adopts_a_database_in_quarantine(desk: Desk) -> None:
    ann, admin = await desk.browser(), await desk.browser(Role.ADMIN)
    container = desk.installation.container
    await container.standings.quarantine.enter(DEFAULT_WORKSPACE, "behind <its> anchor")
    page = (await ann.get("/console")).text
    assert "held after a restore" in page
    assert "behind &lt;its&gt; anchor" in page
    assert "Adopt this database" not in page
    assert (await ann.post("/console/quarantine/adopt", on="/console")).status_code == 403
    assert "Adopt this database" in (await admin.get("/console")).text
    assert (await admin.post("/console/quarantine/adopt", on="/console")).status_code == 303
    assert "held after a restore" not in (await admin.get("/console")).text
    assert (await admin.post("/console/quarantine/adopt", on="/console")).status_code == 409


async def test_one_kind_is_stopped_by_a_manager_and_goes_on_with_an_admin(desk: Desk) -> None:
    ann, mia, ada = await desk.browser(), await desk.browser(Role.MANAGER), await desk.browser(Role.ADMIN)

    async def switch(browser: Browser, to: str, **what: str) -> int:
        return (await browser.post("/console/dispatch", on="/console", to=to, **what)).status_code

    assert await switch(ann, "off", kind="issue_refund") == 403
    assert await switch(mia, "off", kind="issue_refund") == 303
    assert "stopped" in (await mia.get("/console/activity")).text
    assert await switch(mia, "on", kind="issue_refund") == 403
    assert await switch(ada, "on", kind="issue_refund") == 303
    assert await switch(ada, "off", kind="issue_refund", way="email") == 422
    assert await switch(ada, "off", kind="everything") == 422
    assert ">stopped<" not in (await mia.get("/console/activity")).text


async def test_a_phone_is_shown_the_words_that_ask_and_all_of_them_behind_a_tick(desk: Desk) -> None:
    ann = await desk.browser()
    long = "Hello.\n\nParcels leave within a day. " + "It has been a long and rainy week over here in the hills. " * 6
    (cut,) = await desk.proposed(REPLY, ticket=await desk.ticket(long))
    page = (await ann.get(f"/console/requests/{cut}")).text
    assert '<p class="said short" dir="auto">[…] Parcels leave within a day.' in page
    assert '<div class="said whole" dir="auto">Hello.\n\nParcels' in page
    assert page.count("All they wrote") == 1
    (whole,) = await desk.proposed(REPLY, ticket=await desk.ticket("Where is it?\n\nAnna"))
    page = (await ann.get(f"/console/requests/{whole}")).text
    assert '<p class="said short" dir="auto">Where is it? Anna</p>' in page
    assert "All they wrote" not in page


async def test_a_page_bears_the_marks_of_its_row(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply(verdict=Verdict.REPAIRED)
    async with desk.installation.container.database.write("test") as uow:
        ticket = await desk.ticket_of(request)
        await set_column(uow, "tickets", "requester_verified", value=False, row=ticket)
    page = (await ann.get(f"/console/requests/{request}")).text.partition("</header>\n<div")[0]
    assert page.count('<span class="badge care">not authenticated</span>') == 1
    assert '<span class="badge care">0 sentences dropped</span>' in page
    assert "badge good" not in page


async def test_clauses_that_nobody_renewed_are_named(desk: Desk) -> None:
    figures = (await (await desk.browser()).get("/console/activity")).text
    assert "clauses of the policy file have expired: refund-within-window-14 v2" in figures


async def test_sentences_that_the_policy_contradicts_are_listed_once_an_article_has_them(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:  # of its own: others count on the articles as they are
        ann = await desk.browser()
        assert "Articles against the policy" not in (await ann.get("/console/activity")).text
        folder = tmp_path / "articles"
        folder.mkdir()
        text = "You can return an item, with <b>care</b>, within 90 days of delivery."
        (folder / "sale.md").write_text(
            f"---\nid: sale\naudience: public\nlanguage: en\n---\n\n# Returns in a sale\n\n{text}\n"
        )
        await desk.installation.container.knowledge.store(load_folder(folder), DEFAULT_WORKSPACE)
        page = (await ann.get("/console/activity")).text
    checked(page)
    listed = page.partition("Articles against the policy")[2].partition("</section>")[0]
    assert "<b>sale" in listed
    assert "within 90 days of delivery." in listed
    assert "the policy says" in listed
    assert "<b>care" not in page
    assert "1</b><span>sentence of an article says something else than the policy" in page
