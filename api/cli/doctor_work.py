"""The work of `doctor`: runs every check that makes sense and prints one line for each finding."""

from collections.abc import AsyncIterator

from rich.console import Console
from rich.text import Text

from api.cli.checks import content, language_model, machine, outside, storage
from api.cli.checks.finding import Finding, findings
from api.cli.installation import configured
from api.cli.output import results
from api.settings import Settings

# Each with its name and what mends it when it cannot even be carried out.
FIRST = (
    ("python", machine.python, ""),
    ("settings", machine.names, ""),
    ("data folder", machine.data_folder, "check SUPPORT_DATA_DIR"),
    ("disk", machine.disk, "check SUPPORT_DATA_DIR"),
    ("database", storage.schema, "check SUPPORT_DATABASE_URL"),
)
STORED = (
    ("database", storage.contents, storage.UPGRADE),
    ("macros", storage.macros, "correct the file, or unset SUPPORT_MACROS"),
    ("index", storage.index, "correct the lines below first, then run `support-agents doctor` again"),
)
REST = (
    ("model and tokenizer", content.models, content.TRAIN),
    ("search model", content.search_model, "correct the file or the setting, or unset SUPPORT_SEARCH_MODEL"),
    ("promoted intent model", content.promoted, content.BACK),
    ("policy", content.policy, "correct the file, or unset SUPPORT_POLICY"),
    ("orders", content.orders, "correct the file, or unset SUPPORT_ORDERS_CSV"),
    ("language model", language_model.answers, "check SUPPORT_LLM_PROVIDER"),
    ("prices", language_model.prices, "correct the file, or unset SUPPORT_LLM_PRICES"),
    ("routing", language_model.routing, "correct the file, or unset SUPPORT_LLM_ROUTING"),
    ("webhooks", outside.webhooks, "check the secrets"),
    ("mail", outside.mail, "check SUPPORT_SMTP_HOST"),
    ("zendesk", outside.helpdesk, "check SUPPORT_ZENDESK_BASE_URL"),
    ("broker", outside.broker, "check SUPPORT_BROKER_URL, and that the broker runs"),
    ("port", machine.port, "check SUPPORT_HOST and SUPPORT_PORT"),
)


async def examine() -> bool:
    """Print every finding; return whether all is well."""
    console, well = results(), True
    async for finding in _all(configured()):
        shown(finding, console)
        well = well and finding.ok
    return well


async def _all(settings: Settings) -> AsyncIterator[Finding]:
    """What is stored is looked at only when it can be: `doctor` makes no database."""
    readable = False
    for name, check, fix in FIRST:
        for finding in await findings(name, check, settings, fix=fix):
            readable = readable or (finding.name == "database" and finding.ok)
            yield finding
    for name, check, fix in (*(STORED if readable else ()), *REST):
        for finding in await findings(name, check, settings, fix=fix):
            yield finding


def shown(finding: Finding, console: Console) -> None:
    """Print a finding, and what mends it."""
    mark = ("✗ ", "bold red") if not finding.ok else ("– ", "dim") if finding.absent else ("✓ ", "green")
    console.print(Text.assemble(mark, (finding.name, "bold"), ": ", " ".join(finding.detail.split())), soft_wrap=True)
    if not finding.ok:
        console.print(Text.assemble("    → ", (finding.fix, "cyan")), soft_wrap=True)
