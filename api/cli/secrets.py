"""`secrets`: puts a new secret key in an old one's place and lets go of the old one; it never shows a key."""

import asyncio
from typing import Annotated

import typer

app = typer.Typer(name="secrets", help="Secret keys, and what depends on them.", rich_markup_mode=None)


@app.command("show")
def show() -> None:
    """List the keys that something stored depends on, by their fingerprints."""
    from api.cli.secrets_work import show as work

    asyncio.run(work())


@app.command("rotate")
def rotate() -> None:
    """Make a new key in the data folder and keep the old one beside it; the server is stopped meanwhile."""
    from api.cli.secrets_work import rotate as work

    asyncio.run(work())


@app.command("reseal")
def reseal() -> None:
    """Make anew under the present key what older keys sealed, then let go of them; exit code 1 if one is needed yet."""
    from api.cli.secrets_work import reseal as work

    if not asyncio.run(work()):
        raise typer.Exit(1)


@app.command("forget")
def forget(fingerprint: Annotated[str, typer.Argument(help="As the refused start named it.")]) -> None:
    """Go on without a key that is lost for good.

    What only it could verify is as if somebody else had made it: the installation starts in quarantine, approved
    actions return to people, second factors are enrolled anew, known customers are not recognised.
    """
    from api.cli.secrets_work import forget as work

    asyncio.run(work(fingerprint))
