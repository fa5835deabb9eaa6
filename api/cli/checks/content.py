"""Checks of what thinking rests on: models, policy, orders; it loads them and changes none."""

from datetime import UTC, datetime

from api.cli.checks.finding import Finding
from api.engines import embedding, intent_registry, order_lookup, search_embedder, system_clock
from api.settings import Settings
from support_agents.agents.checks.catalogue import refuse_unknown
from support_agents.intents.examples import Examples
from support_agents.intents.model import IntentHead
from support_agents.intents.registry import POINTER_NAME
from support_agents.policy.loading import load_policy

TRAIN = "support-agents intents train"
BACK = "support-agents intents rollback"


async def models(settings: Settings) -> tuple[Finding, ...]:
    """Whether model and tokenizer are the measured bytes, and the intent head was trained on today's examples."""
    with embedding(settings) as embedder:
        version = embedder.version
    head = IntentHead.load(embedder_version=version)
    examples = Examples.load()
    told = f"{head.manifest.examples} examples, {len(head.manifest.classes)} classes"
    stale = "" if examples.sha256 == head.manifest.data_sha256 else TRAIN
    return (
        Finding("model and tokenizer", f"{version}, hashes as measured"),
        Finding("intent model", "trained on other examples than the present ones" if stale else told, stale),
    )


async def search_model(settings: Settings) -> tuple[Finding, ...]:
    """Whether the second embedder, if one is named, is whole and computes; a wrong file is told as at start."""
    embedder = search_embedder(settings)
    if embedder is None:
        return (
            Finding(
                "search model", "none: articles are searched with the built-in one (SUPPORT_SEARCH_MODEL)", absent=True
            ),
        )
    embedder.close()
    prefixes = ", ".join(f"`{one}`" for one in (settings.search_query_prefix, settings.search_passage_prefix) if one)
    return (
        Finding("search model", f"{embedder.version}, {embedder.dimensions} dimensions, prefixes {prefixes or 'none'}"),
    )


async def promoted(settings: Settings) -> tuple[Finding, ...]:
    """Whether the intent model that was promoted is signed here, whole, and of this embedder; nothing if none was."""
    if not (settings.data_dir / "intents" / POINTER_NAME).exists():  # asking the registry would make the folder
        return ()
    registry = intent_registry(settings)
    version = registry.active()
    if version is None:
        return ()
    with embedding(settings) as embedder:
        manifest = registry.load(version, embedder_version=embedder.version).manifest
    told = f"{manifest.examples} examples, {len(manifest.classes)} classes, trained {manifest.created:%Y-%m-%d}"
    return (Finding("promoted intent model", f"{version}: {told}"),)


async def policy(settings: Settings) -> tuple[Finding, ...]:
    """Whether the ledger loads and sets only checks that there are; expired clauses are named."""
    if settings.policy is None:
        return (Finding("policy", "none: no refund is ever proposed (SUPPORT_POLICY)", absent=True),)
    ledger, today = load_policy(settings.policy), datetime.now(UTC).date()
    refuse_unknown(ledger)
    names = ", ".join(f"{clause.id} v{clause.version}" for clause in ledger.expired(today))
    told = f"{len(ledger.clauses)} clauses, version {ledger.version}"
    return (Finding("policy", f"{told}; expired: {names}" if names else told),)


async def orders(settings: Settings) -> tuple[Finding, ...]:
    """Whether every row can be read."""
    if settings.orders_csv is None:
        return (Finding("orders", "none: no order is ever known (SUPPORT_ORDERS_CSV)", absent=True),)
    order_lookup(settings, system_clock())
    return (Finding("orders", f"{settings.orders_csv} can be read"),)
