"""`/metrics`: who may read it, that it tells what happened and what waits, and that it tells of nobody."""

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from api.auth import Scope
from api.pressure import Bound, PressureGauge
from api.telemetry.instruments import AGES
from api.telemetry.metrics import Metrics
from api.worker.schedule import Schedule
from db.read_models.happenings import happenings
from db.repositories.audit import Seal
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import REPLY, Shop, refund
from tests.fixtures.installation import Installation, event, open_installation

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(exposed: bytes) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposed.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


async def scraped(installation: Installation) -> Samples:
    answer = await installation.client.get("/metrics", headers=await installation.token(Scope.READ))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return parsed(answer.content)


async def seal(installation: Installation) -> None:
    """Run the duty that seals, as the worker does each second."""
    schedule = installation.container.worker._loops["schedule"]
    assert isinstance(schedule, Schedule)
    (duty,) = [duty for duty in schedule.duties if duty.name == "seal"]
    await duty.work()


async def test_a_run_is_counted_once_by_its_rung_and_its_stages(installation: Installation) -> None:
    before = await scraped(installation)
    async with installation.working():
        await installation.keeper_ready()
        assert (await installation.send(event())).status_code == 202
        await installation.settled()
    await seal(installation)
    after, again = await scraped(installation), await scraped(installation)

    assert value(before, "support_runs_total", outcome="extractive", late="false") == 0
    counted = {key: number for key, number in after.items() if key[0] == "support_runs_total" and number}
    assert sum(counted.values()) == 1
    stages = {dict(labels)["stage"] for name, labels in after if name == "support_stage_seconds_count"}
    assert {"screening", "embedding", "intent", "retrieval", "planning"} <= stages
    assert value(after, "support_run_seconds_count", late="false") == 1
    assert 0 < value(after, "support_run_seconds_sum", late="false") < 60
    assert value(after, "support_audit_events_total", event="run_finished") == 1
    assert {key: number for key, number in again.items() if key in counted} == counted
    assert value(after, "support_http_requests_total", route="/webhooks/standard", method="POST", status="202") == 1


async def test_what_waits_is_told_with_its_age(installation: Installation) -> None:
    await installation.send(event())
    await installation.send(b"{}", source="standard")
    async with installation.container.database.write("older") as uow:
        now = await uow.now()
        query = "UPDATE outbox SET not_before = :then"
        then = now - timedelta(seconds=90)
        stored = then if "postgres" in installation.container.settings.database else f"{then:%Y-%m-%dT%H:%M:%S.%f}Z"
        await uow.session.execute(text(query), {"then": stored})
    found = await scraped(installation)
    assert value(found, "support_outbox_due", event="ticket_received") == 1
    assert value(found, "support_outbox_due", event="execution_due") == 0
    assert 89 < value(found, "support_queue_age_seconds") < 150
    assert value(found, "support_outbox_lag_seconds") == value(found, "support_queue_age_seconds")
    assert value(found, "support_buried", of="webhook") == 1
    assert value(found, "support_dispatch_on") == 1


async def test_requests_are_counted_by_age_and_executions_by_state(shop: Shop) -> None:
    metrics = Metrics(shop.database, PressureGauge(shop.database, Bound(64, 1.0), Bound(2_000, 60.0)))
    await metrics.text()
    money, _ = await shop.proposed(refund(), REPLY)
    assert await shop.approve(money, await shop.person("ben")) is not None
    found = parsed(await metrics.text())
    pending = {age: value(found, "support_approvals_pending", age=age) for age in (*AGES, "older")}
    assert pending["5m"] == sum(pending.values()) == 1
    assert value(found, "support_executions", status="scheduled") == 1
    assert value(found, "support_executions", status="in_doubt") == 0


async def test_nobody_reads_it_without_a_token(local_installation: Installation) -> None:
    """From this machine neither: what is here may be a proxy."""
    answer = await local_installation.client.get("/metrics")
    assert answer.status_code == 401
    assert b"support_" not in answer.content
    cancel = await local_installation.token(Scope.CANCEL)
    assert (await local_installation.client.get("/metrics", headers=cancel)).status_code == 403


async def test_settings_may_let_this_machine_in_and_no_other(
    sqlite_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {
        "database_url": sqlite_url,
        "data_dir": tmp_path_factory.mktemp("data"),
        "metrics_on_loopback": True,
    }
    async with open_installation(settings) as opened:
        assert (await opened.client.get("/metrics")).status_code == 200
        transport = httpx.ASGITransport(app=opened.app, client=("10.1.2.3", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://support.example") as other:
            assert (await other.get("/metrics")).status_code == 401


async def test_no_label_holds_an_id_or_a_word_of_a_customer(local_installation: Installation) -> None:
    async with local_installation.working():
        await local_installation.keeper_ready()
        await local_installation.send(event(text="Zyxwv Kettleworth lives at 4711 Nowhere Lane"))
        await local_installation.settled()
    await local_installation.client.get("/v1/tickets/0192aaaa-Zyxwv")
    await local_installation.client.get("/Zyxwv/Kettleworth")
    await local_installation.client.post("/webhooks/Zyxwv", content=b"")
    await local_installation.client.request("ZYXWV", "/v1/tickets")
    await seal(local_installation)
    exposed = await scraped(local_installation)
    labels = {word for _, pairs in exposed for pair in pairs for word in pair}
    assert not [word for word in labels if any(part in word.lower() for part in ("zyxwv", "kettleworth", "anna", "@"))]
    assert not [word for word in labels if len(word) >= 32 and "-" in word]
    assert value(exposed, "support_http_requests_total", route="/webhooks/{source}", method="POST", status="404") == 1


async def test_a_record_longer_than_one_reading_is_read_to_its_end(shop: Shop) -> None:
    await shop.proposed(refund(), REPLY)
    async with shop.database.write("seal") as uow:
        entries = await uow.audit.unsealed(DEFAULT_WORKSPACE, limit=1000)
        await uow.audit.add_seals(
            [Seal(each.id, "s", "c", number, "x") for number, each in enumerate(entries, start=1)]
        )
    seen: list[str] = []
    after, more = 0, True
    while more:
        async with shop.database.read() as uow:
            new = await happenings(uow, DEFAULT_WORKSPACE, after=after, limit=2)
        seen += new.events
        after, more = new.last, new.more
    assert seen == [entry.event for entry in entries]
