"""Slack people: links an account to an operator by a one-use code from the console, and never goes by a name."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from approvals.ports import Person, Surface
from approvals.presence import require_present
from db.engine import Database
from db.models.slack import LinkEnd
from db.repositories.operators import NewSession, Operator
from db.repositories.slack import SlackAccount, SlackLink
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import OperatorId, SessionId, WorkspaceId

ORIGIN = "slack"
CODE_LIFE = timedelta(minutes=10)
# A link outlives many days of work, but not for ever: after this it is made again from the console.
LINK_LIFE = timedelta(days=180)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 4, 4
_NOISE = re.compile(r"[^A-Z2-9]")

HOW_TO_LINK = "open Slack in the console, make a code and send it here: /support link CODE"


@dataclass(frozen=True)
class Linking:
    """Makes, uses and ends links; tells who an account is, afresh at every click."""

    database: Database

    async def make_code(self, person: Person) -> str:
        """Return a code that links one Slack account to this person, once, within ten minutes."""
        if person.surface is not Surface.CONSOLE:
            raise SupportError("person_needed", "codes are made in the console only")
        code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        async with self.database.write("slack_code") as uow:
            await require_present(uow, person)
            await uow.slack.add_code(person.workspace, person.operator_id, code_hash=_hashed(code), life=CODE_LIFE)
            await _audit(uow, person.workspace, "slack.code_made", person.operator_id)
        return code

    async def link(self, workspace: WorkspaceId, account: SlackAccount, code: str) -> Operator:
        """Use up a code: from now on this account acts for its maker. Earlier links of either end."""
        async with self.database.write("slack_link") as uow:
            found = await uow.slack.use_code(workspace, _hashed(code))
            operator = await uow.operators.get(found) if found is not None else None
            if operator is not None and operator.disabled_at is None:
                await _make_room(uow, workspace, account, operator)
                session = await _open_session(uow, operator)
                await uow.slack.link(workspace, operator.id, session, account)
                await _audit(uow, workspace, "slack.linked", operator.id, account)
                return operator
            await uow.audit.append(
                workspace=workspace, event="slack.code_refused", subject=workspace, actor="slack", data=_told(account)
            )
        raise SupportError("bad_credentials", "this code is wrong, was used, or is older than ten minutes")

    async def person(self, workspace: WorkspaceId, account: SlackAccount) -> Person:
        """Return who clicked, with the role of this moment; refusals are on record."""
        async with self.database.read() as uow:
            link = await uow.slack.of_account(workspace, account)
        if link is not None and link.alive:
            return _person(link)
        code = "not_linked" if link is None else "link_ended"
        async with self.database.write("slack_refused") as uow:
            subject = workspace if link is None else link.operator.id
            await uow.audit.append(
                workspace=workspace, event=f"slack.{code}", subject=subject, actor="slack", data=_told(account)
            )
        raise _refusal(link)

    async def refuse_foreign(self, workspace: WorkspaceId, account: SlackAccount) -> SupportError:
        """Put on record that somebody of another organisation clicked, and return what they are told."""
        async with self.database.write("slack_refused") as uow:
            await uow.audit.append(
                workspace=workspace, event="slack.foreign", subject=workspace, actor="slack", data=_told(account)
            )
        return SupportError("not_allowed", "people of other organisations decide nothing here")

    async def links_of(self, person: Person) -> tuple[SlackLink, ...]:
        """Return the accounts that act for this person."""
        async with self.database.read() as uow:
            return await uow.slack.of_operator(person.workspace, person.operator_id)

    async def end(self, person: Person, why: LinkEnd) -> int:
        """End every link of this person with its session; returns how many there were."""
        async with self.database.write("slack_unlink") as uow:
            links = await uow.slack.of_operator(person.workspace, person.operator_id)
            for link in links:
                await uow.slack.end(link, why)
                await _audit(uow, person.workspace, f"slack.{why}", person.operator_id, link.account)
        return len(links)


async def _make_room(uow: UnitOfWork, workspace: WorkspaceId, account: SlackAccount, operator: Operator) -> None:
    """One account acts for one person, and one person has one account in a team."""
    other = await uow.slack.of_account(workspace, account)
    mine = await uow.slack.of_operator(workspace, operator.id)
    same_team = [link for link in mine if link.account.team == account.team]
    for link in {each.id: each for each in (*same_team, *([other] if other else []))}.values():
        await uow.slack.end(link, LinkEnd.REPLACED)
        await _audit(uow, workspace, "slack.replaced", link.operator.id, link.account)


async def _open_session(uow: UnitOfWork, operator: Operator) -> SessionId:
    """A session that no cookie can open: its hash is random, so nobody has what it would be the hash of."""
    until = await uow.now() + LINK_LIFE
    return await uow.operators.open_session(
        NewSession(
            operator=operator.id,
            origin=ORIGIN,
            token_hash=secrets.token_hex(32),
            csrf_secret=secrets.token_urlsafe(32),
            idle_until=until,
            expires_at=until,
        )
    )


async def _audit(
    uow: UnitOfWork, workspace: WorkspaceId, event: str, operator: OperatorId, account: SlackAccount | None = None
) -> None:
    data = _told(account) if account else {}
    await uow.audit.append(workspace=workspace, event=event, subject=operator, actor=str(operator), data=data)


def _told(account: SlackAccount) -> dict[str, str]:
    """Ids only, cut: they come from outside."""
    return {"team": account.team[:40], "user": account.user[:40], "enterprise": account.enterprise[:40]}


def _person(link: SlackLink) -> Person:
    operator = link.operator
    return Person(
        operator_id=operator.id,
        session_id=link.session,
        workspace=operator.workspace_id,
        role=operator.role,
        email=operator.email,
        surface=Surface.SLACK,
    )


def _refusal(link: SlackLink | None) -> SupportError:
    if link is None:
        return SupportError("not_linked", f"this Slack account is not linked to anybody here: {HOW_TO_LINK}")
    if link.operator.disabled_at is not None:
        return SupportError("link_ended", "your account here is switched off: ask an admin")
    return SupportError("link_ended", f"your link has ended with your password, role or its time: {HOW_TO_LINK}")


def _hashed(code: str) -> str:
    """What is stored of a code: it has 80 random bits, so a plain hash is enough; how it was typed does not matter."""
    return hashlib.sha256(_NOISE.sub("", code.upper()[:64]).encode()).hexdigest()
