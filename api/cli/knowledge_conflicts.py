"""The work of `kb conflicts`: holds every stored article against the policy in force; it changes neither."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.text import Text

from api.cli.installation import configured, recorded
from api.cli.output import remarks, results
from api.conflicts import ArticleConflicts, Conflict
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.policy.loading import load_policy


async def show_conflicts(*, as_json: bool) -> bool:
    """Print them, or one JSON array of them; return whether there are any."""
    settings = configured()
    if settings.policy is None:
        raise SupportError("settings", "there is no policy to compare with: name its file or folder in SUPPORT_POLICY")
    ledger = load_policy(settings.policy)
    async with recorded(settings) as records:
        articles = len(await records.passages.article_hashes(DEFAULT_WORKSPACE))
        conflicts = ArticleConflicts(records.passages, ledger)
        found = await conflicts.found(DEFAULT_WORKSPACE, datetime.now(UTC).date(), patience=None) or ()
    if as_json:
        results().print_json(json.dumps([one.model_dump() for one in found]))
    else:
        _print(found, articles=articles)
    return bool(found)


def _print(found: Sequence[Conflict], *, articles: int) -> None:
    if not found:
        remarks().print(f"{articles} articles, and none says something else than the policy in force")
        return
    console = results()
    for one in found:
        console.print(Text(f"{one.article}{f' › {one.heading}' if one.heading else ''}", style="bold cyan"))
        console.print(Text(f"  {' '.join(one.sentence.split())}"), soft_wrap=True)
        console.print(Text(f"  → {one.reason}"), soft_wrap=True)
        console.print()
