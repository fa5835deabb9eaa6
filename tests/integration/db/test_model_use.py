"""What models were asked for and cost, by the record, on both databases."""

from datetime import timedelta

from sqlalchemy import insert

from api.settings import load
from api.writers import writing_of
from db.base import table_of
from db.fences import DISPATCH, UPKEEP, behind, of
from db.interaction_log import InteractionLog, Stored
from db.models.workspaces import WorkspaceRow
from db.read_models.model_cost import IntentCost, cost_by_intent
from db.read_models.model_use import ModelUse, model_use
from support_agents.domain.approval import Mode
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId, new_id
from support_agents.domain.intent import Ask, IntentScore
from support_agents.domain.runs import ModelCall
from support_agents.domain.sections import IntentSection
from tests.fixtures.approvals import Shop, record_of
from tests.fixtures.inbound import event, facts, message


def call(model: str, cost: int, stop: str = "complete") -> ModelCall:
    return ModelCall(agent="drafting", model=model, prompt_version="drafting.1", cost_micro_usd=cost, stop=stop)


async def finished(shop: Shop, key: str, minute: int, *calls: ModelCall, intent: str = "") -> None:
    ticket = await shop.write(key, minute=minute)
    begun, _ = await shop.begin(ticket)
    record = record_of(begun).model_copy(update={"model_calls": calls})
    if intent:
        score = IntentScore(name=intent, probability=0.9)
        said = 'What a customer wrote: \x00 "intents":[{"name":"forged"'
        asks = (Ask(text=said, start=0, end=9, intent=score),)
        read = IntentSection(intents=(score,), asks=asks, entities=(), model_version="1")
        record = record.model_copy(update={"sections": record.sections.model_copy(update={"intent": read})})
    async with shop.database.write("finish") as uow:
        assert await InteractionLog().store(uow, record, attempt=begun.attempt) is Stored.OK


async def test_calls_are_summed_by_model_with_their_faults(shop: Shop) -> None:
    await finished(shop, "a", 0, call("openai:big", 3_000_000_000), call("extractive", 0))
    await finished(shop, "b", 1, call("openai:big", 500, "llm_auth"), call("openai:big", 0, "llm_auth"))
    await finished(shop, "c", 2, call("openai:big", 1, "abandoned"), call("anthropic:x", 20, "max_tokens"))
    await finished(shop, "d", 3)
    async with shop.database.read() as uow:
        now = await uow.now()
        used = await model_use(uow, DEFAULT_WORKSPACE, since=now - timedelta(days=400))
        later = await model_use(uow, DEFAULT_WORKSPACE, since=now + timedelta(days=400))
        elsewhere = await model_use(uow, WorkspaceId(new_id()), since=now - timedelta(days=400))
    assert used == (
        ModelUse("openai:big", calls=4, cost_micro_usd=3_000_000_501, faults={"llm_auth": 2}),
        ModelUse("anthropic:x", calls=1, cost_micro_usd=20),
        ModelUse("extractive", calls=1),
    )
    assert later == elsewhere == ()


async def test_a_provider_has_spent_what_all_workspaces_spent_on_it(shop: Shop) -> None:
    await finished(shop, "a", 0, call("openai:big", 600_000))
    other = WorkspaceId(new_id())
    async with shop.database.write("workspace", fence=UPKEEP) as uow:
        await uow.session.execute(insert(table_of(WorkspaceRow)).values(id=other, name="another", mode=Mode.OBSERVE))
    with behind(of(other)):
        inbound = event("b", ticket=facts(), said=message(minute=1)).model_copy(update={"workspace": other})
        await shop.store.receive(inbound, b"{}")
        async with shop.database.write("claim", fence=DISPATCH) as uow:
            due = next(each for each in await uow.outbox.claim(limit=20, lease=timedelta(seconds=30)))
        begun = await shop.store.begin_run(due)
        assert begun is not None
        record = record_of(begun).model_copy(
            update={"workspace": other, "model_calls": (call("openai:small", 500_000),)}
        )
        async with shop.database.write("finish") as uow:
            assert await InteractionLog().store(uow, record, attempt=begun.attempt) is Stored.OK
    writing = writing_of(load())
    await writing.restate(shop.database)
    assert writing.spend.of("openai") == 1_100_000


async def test_costs_are_summed_by_intent_whatever_customers_wrote(shop: Shop) -> None:
    await finished(shop, "a", 0, call("openai:big", 30), call("openai:big", 10), intent="order_status")
    await finished(shop, "b", 1, call("openai:big", 5), intent="order_status")
    await finished(shop, "c", 2, call("openai:big", 50), intent="return_item")
    await finished(shop, "d", 3, call("openai:big", 2))
    await finished(shop, "e", 4, call("extractive", 0), intent="free_of_charge")
    async with shop.database.read() as uow:
        now = await uow.now()
        costs = await cost_by_intent(uow, DEFAULT_WORKSPACE, since=now - timedelta(days=400))
        elsewhere = await cost_by_intent(uow, WorkspaceId(new_id()), since=now - timedelta(days=400))
        later = await cost_by_intent(uow, DEFAULT_WORKSPACE, since=now + timedelta(days=400))
    assert costs == (
        IntentCost("return_item", 1, 1, 50),
        IntentCost("order_status", 2, 1, 45),
        IntentCost("", 1, 1, 2),
    )
    assert elsewhere == later == ()
