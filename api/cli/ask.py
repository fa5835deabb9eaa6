"""`ask`: one message, or a file of them, through the pipeline; nothing is stored, proposed to people or sent."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def ask(  # noqa: PLR0913 - each is an option of the command
    text: Annotated[str | None, typer.Argument(help="The message, as a customer might have written it.")] = None,
    *,
    file: Annotated[Path | None, typer.Option(help="JSON Lines (-: piped in): text or a webhook body in each.")] = None,
    kb: Annotated[Path | None, typer.Option(help="Use only the Markdown articles below this folder.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Use the demo shop's articles, orders and policy.")] = False,
    orders: Annotated[Path | None, typer.Option(help="Orders as CSV (SUPPORT_ORDERS_CSV).")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy ledger, a file or a folder (SUPPORT_POLICY).")] = None,
    subject: Annotated[str, typer.Option(help="The message's subject.")] = "",
    email: Annotated[str | None, typer.Option(help="The customer's address.")] = None,
    order_id: Annotated[str | None, typer.Option(help="The order number on the ticket.")] = None,
    verified: Annotated[bool, typer.Option("--verified", help="Treat the customer as authenticated.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a message.")] = False,
) -> None:
    """Show draft, citations, checks and times for a message. Asks the running server, else opens the folder itself."""
    from api.cli.ask_run import Asking, Source, answer

    source = Source(kb=kb, demo=demo, orders=orders, policy=policy)
    values = {"subject": subject, "email": email, "order_id": order_id, "verified": verified}
    asking = Asking.of(text, file, {name: value for name, value in values.items() if value is not None})
    if not asyncio.run(answer(asking, source, as_json=as_json)):
        raise typer.Exit(1)
