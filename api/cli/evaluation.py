"""`eval`: measures parts of the product on data files given by path; it changes nothing."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="eval", help="Measure a part of the product on your own or public data.", rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keep each measure a command of its own."""


@app.command("intents")
def intents(
    *,
    train: Annotated[Path, typer.Option(help="Labelled messages to train on: JSON lines with `text` and `intent`.")],
    test: Annotated[Path, typer.Option(help="Labelled messages to measure on.")],
    out_of_scope: Annotated[Path | None, typer.Option(help="Messages that belong to no intent.")] = None,
    valid: Annotated[Path | None, typer.Option(help="Labelled messages that set temperature and threshold.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Train, then print accuracy, calibration, what is noticed out of scope, and milliseconds a message."""
    from api.cli.evaluation_work import intents as work

    asyncio.run(work(train=train, test=test, out_of_scope=out_of_scope, valid=valid, as_json=as_json))


@app.command("grounding")
def grounding(
    *,
    data: Annotated[
        Path, typer.Option(help="JSON lines with `doc`, `summary`, `label` (1: says nothing else) and maybe `domain`.")
    ],
    language: Annotated[str, typer.Option(help="The language of the texts, as in `en`.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
) -> None:
    """Print how well texts are noticed that say something else than their document; SUPPORT_ENTAILMENT is asked too."""
    from api.cli.grounding_work import grounding as work

    work(data=data, language=language, as_json=as_json)


@app.command("retrieval")
def retrieval(
    *,
    documents: Annotated[
        Path, typer.Option(help="JSON lines with `doc_id, question, answer` or `id, title, content`.")
    ],
    queries: Annotated[Path, typer.Option(help="JSON lines with `query` and `relevant`, a list of document ids.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Index the documents, then print how well the queries find theirs, and milliseconds a query."""
    from api.cli.evaluation_retrieval import retrieval as work

    asyncio.run(work(documents, queries, as_json=as_json))


@app.command("screening")
def screening(
    *,
    data: Annotated[Path | None, typer.Option(help="JSON lines with `text` or `prompt`, and `label` 0 or 1.")] = None,
    attacks: Annotated[Path | None, typer.Option(help="JSON lines with `attack`; each goes into each context.")] = None,
    contexts: Annotated[Path | None, typer.Option(help="JSON lines with `context`: harmless texts.")] = None,
    harmless: Annotated[Path | None, typer.Option(help="JSON lines with `text` of which none is an attack.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Print how many attacks are noticed and how many harmless texts are flagged, at the one shipped threshold."""
    from api.cli.screening_evaluation_work import screening as work
    from support_agents.evals.screening import Files

    files = Files(data=data, attacks=attacks, contexts=contexts, harmless=harmless)
    asyncio.run(work(files, as_json=as_json))


@app.command("pii")
def pii(
    *,
    data: Annotated[Path, typer.Option(help="JSON lines with `text` and `spans`: [[start, end, type], …].")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Print precision, recall and F1 of what is found of personal data, over all and by type."""
    from api.cli.screening_evaluation_work import pii as work

    work(data, as_json=as_json)
