"""A scripted reviewer over 900 mixed tickets, through the real routes: taps, screens and scrolls for each decision.

The tickets are the demo shop's messages, varied; the real pipeline drafts on them. The reviewer looks at a batch sheet
first, as long as there is one, and approves it; then takes one card after the other: approves what has no problem and
nothing that asks for care, rejects with a reason what has. A tap is any press: a button, a list opened, an item chosen,
a form sent. A typed command counts three: the field, the command, the arrow; what follows a decision in place counts
nothing. What Slack leaves is decided in the console (`tests/benchmarks/console_reviewer.py` says how that is counted).
"""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import Any

from api.demo import shop
from approvals.adapters.slack.naming import Verb
from approvals.card import Card, Sheet
from approvals.wording import Tone
from support_agents.domain.approval import RejectReason, Role
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.benchmarks.console_reviewer import decide_in_console
from tests.benchmarks.figures import Report, Shown, percentile, table
from tests.benchmarks.messages import orders_csv, samples
from tests.benchmarks.phone import SCREEN, height_of, scrolls_of
from tests.benchmarks.phone_pages import SCREEN as PAGE
from tests.fixtures.slack import SlackPerson, Workspace, button, chosen, open_workspace

TICKETS, AT_ONCE = 900, 4
COMMAND_TAPS = 3
TRUSTED = "refunds to 100 in Slack"
# As a shop writes it that trusts Slack's own sign-in with small amounts; the built-in table trusts it with none.
AUTHORITY = """
rules:
  - {name: replies, action: send_reply, approvals: 1}
  - {name: euros, action: issue_refund, currency: EUR, up_to: 500.00, approvals: 1, slack_max: 100.00}
  - {name: pounds, action: issue_refund, currency: GBP, up_to: 500.00, approvals: 1, slack_max: 100.00}
limits:
  - {name: the day in euros, per: person, role: manager, currency: EUR, amount: 1000000.00}
  - {name: the day in pounds, per: person, role: manager, currency: GBP, amount: 1000000.00}
"""
EASY_SHARE = 0.7


@dataclass(frozen=True)
class Effort:
    """What one decision took; rows of a sheet share its taps, and each has its screens and scrolls."""

    how: str
    taps: float
    screens: int
    scrolls: float
    height: int = 0

    @property
    def easy(self) -> bool:
        """At most one tap and no scroll."""
        return self.taps <= 1 and not self.scrolls


@dataclass
class Day:
    """All decisions of a reviewer."""

    efforts: list[Effort] = field(default_factory=list)
    tickets: int = 0
    without_draft: int = 0


def measure() -> Report:
    """With batch sheets and, from the same tickets, without; then with small refunds decided in Slack as well."""
    days = {}
    with TemporaryDirectory(prefix="reviewer-") as name:
        folder = Path(name)
        asyncio.run(_drafted(folder))
        days["with sheets"] = asyncio.run(_day(folder, batches=True))
        days["cards only"] = asyncio.run(_day(folder, batches=False))
    with TemporaryDirectory(prefix="reviewer-") as name:
        folder = Path(name)
        (folder / "authority.yaml").write_text(AUTHORITY, encoding="utf-8")
        asyncio.run(_drafted(folder))
        days[TRUSTED] = asyncio.run(_day(folder, batches=True))
    rows = [_row(name, day) for name, day in days.items()]
    spreads = [f"{what} {how}" for what in ("taps", "screens", "scrolls") for how in ("p50", "p90", "mean")]
    columns = ("", "tickets", "decided", *spreads, "≤ 1 tap, no scroll")
    shown = table(f"a scripted reviewer; a screen is {SCREEN} points high in Slack, {PAGE} in a browser", columns, rows)
    hows = {name: dict(Counter(effort.how for effort in day.efforts)) for name, day in days.items()}
    usual = days["with sheets"]
    bounds = (
        _bound("with sheets", usual), *_bounds_by_surface("with sheets", usual), _bound(TRUSTED, days[TRUSTED]),
    )  # fmt: skip
    heights = {
        name: percentile([each.height for each in day.efforts if each.height], 0.5) for name, day in days.items()
    }
    figures = {
        name: {"row": [str(cell) for cell in _row(name, day)], "how": hows[name], "median height": heights[name]}
        for name, day in days.items()
    }
    how = table(
        "how",
        ("", "what", "card height p50"),
        [(name, json.dumps(found), heights[name]) for name, found in hows.items()],
    )
    return Report("reviewer", (shown, how), figures, bounds)


def _bound(name: str, day: Day) -> Shown:
    share = _easy(day)
    return Shown(f"{name}: ≤ 1 tap and no scroll for {share:.0%} ≥ {EASY_SHARE:.0%} of decisions", share >= EASY_SHARE)


def _bounds_by_surface(name: str, day: Day) -> tuple[Shown, ...]:
    """By the built-in table every refund is the console's: what each surface decides is counted by itself as well."""
    in_console = [effort for effort in day.efforts if effort.how.startswith("console")]
    in_slack = [effort for effort in day.efforts if not effort.how.startswith("console")]
    return tuple(
        _bound(f"{name}, {len(efforts)} in {surface}", Day(efforts))
        for surface, efforts in (("Slack", in_slack), ("the console", in_console))
    )


def _easy(day: Day) -> float:
    return sum(effort.easy for effort in day.efforts) / max(1, len(day.efforts))


def _row(name: str, day: Day) -> Sequence[object]:
    taps, screens, scrolls = (
        [float(getattr(effort, each)) for effort in day.efforts] for each in ("taps", "screens", "scrolls")
    )
    spreads = [f"{each(values):.2f}" for values in (taps, screens, scrolls) for each in (median, _p90, fmean)]
    return (name, day.tickets, len(day.efforts), *spreads, f"{_easy(day):.0%}")


def _p90(values: Sequence[float]) -> float:
    return percentile(values, 0.9)


def _settings(folder: Path) -> dict[str, Any]:
    own = folder / "authority.yaml"
    return ({"authority": own} if own.exists() else {}) | {
        "orders_csv": folder / "orders.csv", "policy": shop.POLICY, "known_vectors": shop.VECTORS,
        "macros": shop.MACROS,
        "undo_reply_seconds": 36_000, "undo_refund_seconds": 36_000, "log_level": "ERROR",
        "link_hosts": "help.hearthwell.example",
    }  # fmt: skip


async def _drafted(folder: Path) -> None:
    """The tickets with their drafts, in a folder that each day begins with a copy of."""
    (folder / "orders.csv").write_text(orders_csv(TICKETS), encoding="utf-8")
    async with open_workspace(folder / "drafted", **_settings(folder)) as slack:
        await _tickets(slack)


async def _day(folder: Path, *, batches: bool) -> Day:
    data = folder / f"day-{batches}"
    shutil.copytree(folder / "drafted", data)
    async with open_workspace(data, **_settings(folder)) as slack:
        slack.still(timedelta())
        reviewer = await slack.person(Role.MANAGER)
        day = Day(tickets=TICKETS, without_draft=TICKETS - await _pending(slack))
        if batches:
            await _sheets(slack, reviewer, day)
        await _cards(slack, reviewer, day)
        await _console(slack, day)
        return day


async def _tickets(slack: Workspace) -> None:
    """Deliver the messages and let the pipeline answer them."""
    container = slack.desk.installation.container
    await container.knowledge.sync(shop.ARTICLES, DEFAULT_WORKSPACE)
    async with slack.desk.installation.working():
        await slack.desk.installation.settled(120)
        await container.keeper.wait()
        sent = samples(TICKETS, series="R")
        for at in range(0, TICKETS, AT_ONCE):
            batch = [json.loads(each.body()) for each in sent[at : at + AT_ONCE]]
            await asyncio.gather(*(slack.desk.installation.send(body) for body in batch))
            await slack.desk.installation.settled(120)


async def _pending(slack: Workspace) -> int:
    async with slack.desk.installation.container.database.read() as uow:
        return await uow.approvals.count_pending(DEFAULT_WORKSPACE)


async def _sheets(slack: Workspace, reviewer: SlackPerson, day: Day) -> None:
    """One sheet after another in place, until no two replies are alike."""
    await slack.command(reviewer, "batch")
    command = COMMAND_TAPS
    while isinstance(sheet := slack.shown(), Sheet):
        drawn = slack.blocks.message(sheet)
        before = await _pending(slack)
        await slack.click(reviewer, button(drawn, Verb.BATCH_APPROVE), state=_ticked(drawn), whispered=True)
        decided = before - await _pending(slack)
        assert decided == len(sheet.rows)
        height = height_of(drawn)
        each = Effort("sheet", (1 + command) / decided, 1, scrolls_of(height) / decided, height)
        day.efforts += [each] * decided
        command = 0


def _ticked(drawn: Any) -> dict[str, Any]:
    """The state that Slack sends with what is ticked from the start."""
    boxes = [(b["block_id"], e) for b in drawn["blocks"] for e in b.get("elements", ()) if "options" in e]
    values = {
        block: {box["action_id"]: {"type": "checkboxes", "selected_options": box["initial_options"]}}
        for block, box in boxes
    }
    return {"values": values}


async def _cards(slack: Workspace, reviewer: SlackPerson, day: Day) -> None:
    """One card after the other; each decision brings the next in place."""
    await slack.command(reviewer, "next")
    command = COMMAND_TAPS
    while isinstance(card := slack.shown(), Card):
        drawn = slack.blocks.message(card)
        height = height_of(drawn)
        alarming = any(flag.tone in {Tone.CARE, Tone.BAD} for flag in card.flags)
        if card.approvable and not alarming and card.verdict.tone is Tone.GOOD:
            await slack.click(reviewer, button(drawn, Verb.APPROVE), whispered=True)
            day.efforts.append(Effort("approved", 1 + command, 1, scrolls_of(height), height))
        else:
            day.efforts.append(await _rejected(slack, reviewer, card, height, command=command))
        command = 0


async def _rejected(slack: Workspace, reviewer: SlackPerson, card: Card, height: int, *, command: int) -> Effort:
    """Reject, open the list, choose, send; the next comes in place."""
    await slack.press(reviewer, card, Verb.REJECT, whispered=True)
    view, modal = slack.form()
    drawn = slack.blocks.view(modal)
    await slack.submit(reviewer, view, {"reason": chosen(RejectReason.OTHER)})
    taps = 4 + command
    return Effort("rejected", taps, 2, scrolls_of(height) + scrolls_of(height_of(drawn)), height)


async def _console(slack: Workspace, day: Day) -> None:
    """What is left is decided on the console's own pages."""
    day.efforts += [
        Effort(step.how, step.taps, step.screens, step.scrolls, step.height)
        for step in await decide_in_console(slack.desk)
    ]
