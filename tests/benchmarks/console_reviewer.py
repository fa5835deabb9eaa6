"""Managers at the console, over its real routes and pages: what Slack leaves is decided there, one page after another.

Each signs in (3 taps: the field, the password manager's entry, the button), opens the queue's first request (1 tap)
and decides; the page that comes next is the one to decide next. Approving is a tap; a rejection is one to open it, one
for the field, one for each letter of the reason, one to send. Who enrolled a second factor types a code (a tap for the
field and six digits) whenever the last is ten minutes old: at the pace below, every thirty decisions. An approval that
the authority table refuses counts for whoever tried, and the next manager signs in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from approvals.presence import FACTOR_LIFE
from support_agents.domain.approval import Role
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.benchmarks.phone_pages import heights_of, page_scrolls
from tests.fixtures.console import Browser, Desk
from tests.fixtures.factor import enrolled, forget
from tests.fixtures.installation import PASSWORD

PACE = timedelta(seconds=20)  # a decision: a screen's worth of reading
SIGN_IN_TAPS, OPEN_TAPS, CODE_TAPS = 3, 1, 7
REASON = "wrong"
MOST_MANAGERS = 12

_FIELD = re.compile(r'name="(csrf|digest|shown)" value="([^"]+)"')
_ROW = re.compile(r'href="(/console/requests/[0-9a-f-]+)" data-row')
_HEAD = re.compile(r'<header class="subject">.*?</header>', re.DOTALL)
_MARK = re.compile(r'class="badge (?:care|bad)">([^<]*)<')
_SO_FAR = re.compile(r"\d+ of \d+ approvals")


@dataclass
class Step:
    """One decision: the page that it was made on and what was pressed for it."""

    how: str
    page: str
    taps: int
    screens: int
    height: int = 0
    scrolls: int = 0


@dataclass
class Sitting:
    """One manager's turn; `burden` is what their next decision has cost before it."""

    desk: Desk
    browser: Browser
    codes: list[str]
    burden: int = SIGN_IN_TAPS + OPEN_TAPS
    screens: int = 2
    since_proof: int = 0
    refused: bool = False
    steps: list[Step] = field(default_factory=list)

    async def work(self) -> None:
        """Open the first of the queue, then decide on whatever page comes, to the end of the queue or of the day."""
        row = _ROW.search((await self.browser.get("/console")).text)
        here = row[1] if row else "/console"
        while here.startswith("/console/requests/") and not self.refused:
            here = await self._decide(here)

    async def _decide(self, here: str) -> str:
        """Decide on one page; returns the address of the next."""
        if self.since_proof * PACE >= FACTOR_LIFE:
            await forget(self.desk)
            self.since_proof = 0
        page = (await self.browser.get(here)).text
        given, approving, typed = dict(_FIELD.findall(page)), _approvable(page), 0
        if approving and 'id="code"' in page:
            given["code"], typed = self.codes.pop(), CODE_TAPS
            self.since_proof = 0
        if not approving:
            given["reason"], typed = REASON, 2 + len(REASON)
        path = here.partition("?")[0] + ("/approve" if approving else "/reject")
        answer = await self.browser.client.post(path, data=given)
        self.burden, taps = 0, self.burden + typed + 1
        self.screens, screens = 0, self.screens + 1
        self.since_proof += 1
        if answer.status_code != 303:
            self.refused, self.burden, self.screens = True, taps, screens
            assert "this would pass what you may approve" in answer.text.lower(), answer.text
            return here
        self.steps.append(Step(_how(page, approving=approving), page, taps, screens))
        return answer.headers["location"]


async def decide_in_console(desk: Desk) -> Sequence[Step]:
    """Managers one after the other until nothing is left that any of them may decide; the pages are measured after."""
    desk.still(timedelta())  # a person's pace is longer; the benchmark's is not
    steps: list[Step] = []
    burden, screens, idle = 0, 0, False
    for number in range(MOST_MANAGERS):
        sitting = await _sat_down(desk, number)
        sitting.burden += burden
        sitting.screens += screens
        await sitting.work()
        steps += sitting.steps
        burden, screens = (sitting.burden, sitting.screens) if sitting.refused else (0, 0)
        if idle and not sitting.steps:
            break
        idle = not sitting.steps
    heights = heights_of([step.page for step in steps]) if steps else ()
    for at, step in enumerate(steps):
        step.height = heights[at] if heights is not None else 0
        step.scrolls = page_scrolls(step.height) if heights is not None else 1  # not measured: never counted as none
    return steps


async def _sat_down(desk: Desk, number: int) -> Sitting:
    email = f"console{number}@shop.example"
    auth = desk.installation.container.auth
    await auth.add_operator(DEFAULT_WORKSPACE, email=email, name="", role=Role.MANAGER, password=PASSWORD)
    browser = await desk.browser(None)
    signed_in = await browser.post("/console/sign-in", on="/console/sign-in", email=email, password=PASSWORD)
    assert signed_in.status_code == 303
    _, codes = await enrolled(browser)
    await forget(desk)
    return Sitting(desk, browser, codes)


def _approvable(page: str) -> bool:
    """Whether nothing on the page asks for care, but that other people are asked as well."""
    head = _HEAD.search(page)
    marks = [mark for mark in _MARK.findall(head[0] if head else "") if not _SO_FAR.fullmatch(mark)]
    return not marks and 'class="verdict good"' in page


def _how(page: str, *, approving: bool) -> str:
    kind = "money" if "Approve refund of" in page else "reply or step"
    return f"console: {kind}{'' if approving else ' rejected'}"
