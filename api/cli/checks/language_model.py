"""Whether the configured language models answer: each is asked for one word, which costs next to nothing."""

from time import monotonic

from api.cli.checks.finding import Finding
from api.settings import Settings
from api.writers import Source, opened, sources
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.llm.prices import load_prices
from support_agents.ports import Completed, Prompt, StopReason

_NAME = "language model"
_SECONDS = 15.0
_WORD = Prompt(agent="doctor", version="doctor.1", system="Answer with one word.", user="Say: ready", max_tokens=16)
_FIXES = {
    "llm_auth": "set the key that the provider shows: SUPPORT_LLM{second}_API_KEY",
    "llm_quota": "top up the account with the provider, or name another in SUPPORT_LLM{second}_PROVIDER",
    "llm_not_found": "check SUPPORT_LLM{second}_MODEL and SUPPORT_LLM{second}_BASE_URL",
    "llm_bad_request": "check SUPPORT_LLM{second}_MODEL",
    "llm_unreachable": "start the server, or check SUPPORT_LLM{second}_BASE_URL",
}
_LATER = "try again in a minute; drafts are quoted from articles meanwhile"


async def answers(settings: Settings) -> tuple[Finding, ...]:
    """Ask each provider; a limit for which there is no price is a finding, too."""
    found = sources(settings)
    if not found:
        told = "none: replies are approved ones or quoted from articles (SUPPORT_LLM_PROVIDER)"
        return (Finding(_NAME, told, absent=True),)
    asked = [await _asked(settings, source, second) for source, second in zip(found, ("", "_SECOND"), strict=False)]
    return (*asked, *_unpriced(settings, found))


async def _asked(settings: Settings, source: Source, second: str) -> Finding:
    model, close = opened(source, settings.llm_api)
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(monotonic() + _SECONDS), Budget())
    began = monotonic()
    try:
        ends = [item.stop async for item in model.stream(_WORD, run) if isinstance(item, Completed)]
    except SupportError as error:
        fix = _FIXES.get(error.code, _LATER).format(second=second)
        return Finding(_NAME, f"{model.name}: {error.message}", fix)
    finally:
        await close()
    if ends[-1] is StopReason.REFUSED:
        return Finding(_NAME, f"{model.name} refuses to answer", f"check SUPPORT_LLM{second}_MODEL")
    return Finding(_NAME, f"{model.name} answers in {monotonic() - began:.1f} s")


def _unpriced(settings: Settings, found: tuple[Source, ...]) -> tuple[Finding, ...]:
    """A monthly limit means nothing for a model whose price is not known."""
    if settings.llm_monthly_limit_usd is None:
        return ()
    prices = load_prices(settings.llm_prices)
    names = {*(source.model for source in found), settings.llm_small_model} - {""}
    unknown = sorted(name for name in names if prices.find(name) is None)
    fix = "give its price in a file and name that in SUPPORT_LLM_PRICES"
    return tuple(Finding(_NAME, f"{name} has no price, so no limit holds for it", fix) for name in unknown)
