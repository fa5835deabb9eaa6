"""I2: what was approved are these exact bytes in this exact state; anything else is not carried out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from approvals.canonical import (
    AnyAction,
    Attached,
    CanonicalCancelOrder,
    CanonicalRefund,
    CanonicalReply,
    Sealed,
    Way,
    digest_of,
    new_nonce,
    same_digest,
    seal,
    unseal,
)
from db.base import Base
from support_agents.domain.action import ClauseRef, ProposedAction
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ActionId, RequestId, RunId, TicketId, new_id
from support_agents.domain.money import Money
from support_agents.domain.runs import Rechecked
from support_agents.domain.sections import Check, CheckResult, ComplianceSection, Verdict
from tests.fixtures.approvals import REPLY, Shop, refund
from tests.fixtures.inbound import START

REQUESTS = Base.metadata.tables["approval_requests"]


def common() -> dict[str, Any]:
    return {
        "workspace": DEFAULT_WORKSPACE,
        "ticket": TicketId(new_id()),
        "source": "standard",
        "external_ticket": "77",
        "revision": 3,
        "seen_until": START,
        "run": RunId(new_id()),
        "action": ActionId(new_id()),
        "after": ActionId(new_id()),
        "live": False,
        "clauses": (ClauseRef(id="refund-30-days", version=2),),
        "nonce": new_nonce(),
    }


A_REPLY = CanonicalReply(
    **common(), way=Way.EMAIL, sender="help@shop.example", to=("anna@example.com",), cc=("ben@example.com",),
    subject="Re: My order", text="Dear Anna", html="<p>Dear Anna</p>", headers=(("Message-ID", "<a@shop.example>"),),
    attachments=(Attached(sha256="ab" * 32, filename="size-guide.pdf", content_type="application/pdf", size=9),),
    dkim="mail._domainkey.shop.example",
)  # fmt: skip
A_REFUND = CanonicalRefund(
    **common(), way=Way.PAYMENT, order_id="A-1001", order_version="v1", payment_ref="pay-1", account_last4="4242",
    amount=Money(minor=4_990, currency="EUR"), requester="anna@example.com",
)  # fmt: skip
A_STEP = CanonicalCancelOrder(
    **common(), way=Way.HTTP, order_id="A-1001", order_version="v1", requester="anna@example.com",
    url="https://shop.example/orders/A-1001/cancel", status_url="https://shop.example/steps/1", body="{}",
)  # fmt: skip
FIELDS = [(action, name) for action in (A_REPLY, A_REFUND, A_STEP) for name in json.loads(seal(action).canonical)]


def changed(value: object) -> object:
    """Something of the same shape that is not the same."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value[:-1] + ("0" if value[-1:] != "0" else "1")
        case list():
            return [*value, *value]
        case dict():
            return value | {name: changed(inner) for name, inner in value.items()}
        case _:
            return "something"


@pytest.mark.parametrize(("action", "name"), FIELDS, ids=lambda v: v if isinstance(v, str) else v.kind)
def test_i2_every_field_is_in_the_digest(action: AnyAction, name: str) -> None:
    sealed = seal(action)
    told = json.loads(sealed.canonical)
    told[name] = changed(told[name])
    altered = json.dumps(told, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    assert altered != sealed.canonical
    with pytest.raises(SupportError) as caught:
        unseal(Sealed(altered, sealed.digest))
    assert caught.value.code == "digest_mismatch"


def test_i2_the_fields_that_the_invariant_names_are_all_there() -> None:
    reply, money, step = (set(json.loads(seal(action).canonical)) for action in (A_REPLY, A_REFUND, A_STEP))
    both = {"workspace", "ticket", "kind", "live", "clauses", "revision", "nonce", "digest_version", "after"}
    assert both | {"to", "cc", "sender", "subject", "text", "html", "headers", "attachments"} <= reply
    assert both | {"payment_ref", "order_id", "amount", "gateway"} <= money
    assert both | {"url", "body", "order_id", "order_version", "requester"} <= step
    assert set(json.loads(seal(A_REFUND).canonical)["amount"]) == {"minor", "currency"}


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7), action=st.sampled_from([A_REPLY, A_REFUND, A_STEP]))
def test_i2_no_bit_can_be_changed(position: int, bit: int, action: AnyAction) -> None:
    sealed = seal(action)
    raw = bytearray(sealed.canonical)
    raw[position % len(raw)] ^= 1 << bit
    with pytest.raises(SupportError):
        unseal(Sealed(bytes(raw), sealed.digest))


@given(text=st.text(), subject=st.text())
def test_i2_any_text_survives_byte_for_byte_or_is_refused(text: str, subject: str) -> None:
    action = A_REPLY.model_copy(update={"text": text, "subject": subject})
    try:
        sealed = seal(action)
    except SupportError:  # a lone surrogate has no bytes
        return
    assert unseal(sealed) == action
    assert seal(action) == sealed


def test_i2_two_actions_of_the_same_content_have_different_digests() -> None:
    again = A_REPLY.model_copy(update={"nonce": new_nonce()})
    assert seal(again).digest != seal(A_REPLY).digest


@given(digest=st.text(max_size=70))
def test_i2_only_the_digest_itself_is_the_same_digest(digest: str) -> None:
    own = digest_of(b"x")
    assert same_digest(digest, own) is (digest == own)


async def test_i2_the_database_refuses_to_change_what_is_stored(shop: Shop) -> None:
    await shop.approved(refund())
    with pytest.raises(DBAPIError, match="never changes"):
        async with shop.database.write("attack") as uow:
            await uow.session.execute(update(REQUESTS).values(canonical=b"{}"))


async def without_guard(shop: Shop, request: RequestId, canonical: bytes) -> None:
    """Change the stored bytes the way somebody with the database's own keys could."""
    async with shop.database.write("attack") as uow:
        on = "" if uow.session.backend == "sqlite" else " ON approval_requests"
        await uow.session.execute(text(f"DROP TRIGGER IF EXISTS guard_approval_requests_update{on}"))
        await uow.session.execute(update(REQUESTS).where(REQUESTS.c.id == request).values(canonical=canonical))


async def altered(shop: Shop, proposed: ProposedAction, names: tuple[str, ...]) -> set[ExecutionStatus]:
    """Approve the same proposal again and again, each time with another field changed before it is carried out."""
    ben, ends = await shop.person("ben"), set()
    for minute, name in enumerate(names):
        (request,) = await shop.proposed(proposed, key=f"m-{minute}", minute=minute)
        execution = await shop.approve(request, ben)
        assert execution is not None
        told = json.loads((await shop.request(request)).canonical)
        told[name] = changed(told[name])
        await without_guard(shop, request, json.dumps(told).encode())
        ends.add(await shop.executions.carry_out(execution))
    return ends


async def test_i2_a_reply_altered_after_approval_is_not_sent(shop: Shop) -> None:
    names = ("to", "text", "subject", "revision", "nonce", "html", "live", "headers", "action", "cc", "sender")
    assert await altered(shop, REPLY, names) == {ExecutionStatus.SUPERSEDED}
    assert shop.mail.sent == []


async def test_i2_a_refund_altered_after_approval_is_not_booked(shop: Shop) -> None:
    names = ("amount", "payment_ref", "order_id", "order_version", "account_last4", "clauses", "requester")
    assert await altered(shop, refund(minor=1_000), names) == {ExecutionStatus.SUPERSEDED}
    assert shop.payments.booked == {}


async def test_i2_altered_bytes_cannot_be_approved_and_another_digest_neither(shop: Shop) -> None:
    (request,) = await shop.proposed(refund(minor=1_000))
    ben, stored = await shop.person("ben"), await shop.request(request)
    for digest in ("", "0" * 64, stored.digest.upper(), stored.digest[:-1], "é" * 64):
        with pytest.raises(SupportError) as caught:
            await decide(shop, request, digest, ben)
        assert caught.value.code == "digest_mismatch"
    told = json.loads(stored.canonical)
    told["amount"]["minor"] = 4_990
    await without_guard(shop, request, json.dumps(told).encode())
    with pytest.raises(SupportError) as caught:
        await decide(shop, request, stored.digest, ben)
    assert caught.value.code == "digest_mismatch"


async def test_i2_the_letter_is_what_was_approved(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    execution = await shop.approve(request, await shop.person("ben"))
    assert execution is not None
    await shop.executions.carry_out(execution)
    stored = await shop.request(request)
    action = unseal(Sealed(stored.canonical, stored.digest))
    (letter,) = shop.mail.sent
    assert isinstance(action, CanonicalReply)
    assert letter.recipients == action.to == ("anna@example.com",)
    assert f"<{action.action}@shop.example>".encode() in letter.content


async def test_i2_an_edit_is_a_new_action_and_voids_the_old(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    ben, old = await shop.person("ben"), await shop.request(request)
    made = await shop.queue.replace(request, digest=old.digest, rechecked=checked("Dear Anna, it is here."), person=ben)
    new = await shop.request(made)
    before, after = (unseal(Sealed(each.canonical, each.digest)) for each in (old, new))
    assert isinstance(before, CanonicalReply)
    assert isinstance(after, CanonicalReply)
    assert new.supersedes_id == request
    assert (after.text, after.to, after.revision) == ("Dear Anna, it is here.", before.to, before.revision)
    assert len({before.action, after.action, before.nonce, after.nonce}) == 4
    with pytest.raises(SupportError) as caught:
        await decide(shop, request, old.digest, ben)
    assert caught.value.code == "superseded"
    assert await shop.approve(made, ben) is not None


async def test_i2_money_cannot_be_edited_nor_a_blocked_text_put_up(shop: Shop) -> None:
    money, reply = await shop.proposed(refund(), REPLY)
    ben = await shop.person("ben")
    with pytest.raises(SupportError) as caught:
        await shop.queue.replace(money, digest=(await shop.request(money)).digest, rechecked=checked("x"), person=ben)
    assert caught.value.code == "not_editable"
    blocked = checked("by 12 May", Verdict.BLOCKED)
    with pytest.raises(SupportError, match="names a date") as caught:
        await shop.queue.replace(reply, digest=(await shop.request(reply)).digest, rechecked=blocked, person=ben)
    assert caught.value.code == "blocked"


def checked(words: str, verdict: Verdict = Verdict.PASS) -> Rechecked:
    check = Check(name="dates", result=CheckResult.FAILED, reason="names a date that no source has")
    return Rechecked(text=words, sentences=(), compliance=ComplianceSection(verdict=verdict, checks=(check,)))


async def decide(shop: Shop, request: RequestId, digest: str, person: Any) -> None:
    await shop.queue.decide(request, digest=digest, verdict=DecisionVerdict.APPROVE, person=person)
