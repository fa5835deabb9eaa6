"""Whether the language models answer, each asked for one word, and their files can be read; it costs almost nothing."""

from time import monotonic

from api.cli.checks.finding import Finding
from api.model_sources import Source, every_source
from api.settings import Settings
from api.writers import opened
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.llm.prices import load_prices
from support_agents.llm.routing import load_routes
from support_agents.ports import Completed, Prompt, StopReason

_NAME = "language model"
_SECONDS = 15.0
_WORD = Prompt(agent="doctor", version="doctor.1", system="Answer with one word.", user="Say: ready", max_tokens=16)
_FIXES = {
    "llm_auth": "set the key that the provider shows: {of}_API_KEY",
    "llm_quota": "top up the account with the provider, or name another in {of}_PROVIDER",
    "llm_not_found": "check {model} and {of}_BASE_URL",
    "llm_bad_request": "check {model}",
    "llm_unreachable": "start the server, or check {of}_BASE_URL",
}
_ONE_MODEL = "name the cheaper model in SUPPORT_LLM_SMALL_MODEL, or unset SUPPORT_LLM_ROUTING"
_LATER = "try again in a minute; drafts are quoted from articles meanwhile"


async def answers(settings: Settings) -> tuple[Finding, ...]:
    """Ask each provider, the first for its cheaper model too; a limit without a price for it is a finding, as well."""
    found = every_source(settings)
    if not found:
        told = "none: replies are approved ones or quoted from articles (SUPPORT_LLM_PROVIDER)"
        return (Finding(_NAME, told, absent=True),)
    asked = [await _asked(settings, source) for source in found]
    return (*asked, *_unpriced(settings, found))


async def prices(settings: Settings) -> tuple[Finding, ...]:
    """Whether an installation's own prices can be read; nothing where it has none."""
    if settings.llm_prices is None:
        return ()
    own = len(load_prices(settings.llm_prices).by_model)
    return (Finding("prices", f"{settings.llm_prices} can be read; {own} models have one, the built-in ones included"),)


async def routing(settings: Settings) -> tuple[Finding, ...]:
    """Whether an installation's own rules can be read, and lead anywhere; nothing where it has none."""
    if settings.llm_routing is None:
        return ()
    rules = load_routes(settings.llm_routing).rules
    if not settings.llm_small_model:
        return (Finding("routing", f"{settings.llm_routing} does nothing: there is one model", _ONE_MODEL),)
    return (Finding("routing", f"{settings.llm_routing} can be read, {len(rules)} rules"),)


async def _asked(settings: Settings, source: Source) -> Finding:
    model, close = opened(source, settings.llm_api)
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(monotonic() + _SECONDS), Budget())
    began = monotonic()
    try:
        ends = [item.stop async for item in model.stream(_WORD, run) if isinstance(item, Completed)]
    except SupportError as error:
        fix = _FIXES.get(error.code, _LATER).format(of=source.variable, model=source.named_by)
        return Finding(_NAME, f"{model.name}: {error.message}", fix)
    finally:
        await close()
    if ends[-1] is StopReason.REFUSED:
        return Finding(_NAME, f"{model.name} refuses to answer", f"check {source.named_by}")
    return Finding(_NAME, f"{model.name} answers in {monotonic() - began:.1f} s")


def _unpriced(settings: Settings, found: tuple[Source, ...]) -> tuple[Finding, ...]:
    """A monthly limit means nothing for a model whose price is not known."""
    if settings.llm_monthly_limit_usd is None:
        return ()
    try:
        known = load_prices(settings.llm_prices)
    except SupportError:  # a line of its own says so
        return ()
    unknown = sorted({source.model for source in found if known.find(source.asked_as) is None})
    fix = "give its price in a file and name that in SUPPORT_LLM_PRICES"
    return tuple(Finding(_NAME, f"{name} has no price, so no limit holds for it", fix) for name in unknown)
