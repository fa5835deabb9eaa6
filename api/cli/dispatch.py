"""`stop` and `resume`: the kill switches from the command line; stopping needs the machine, going on needs an admin."""

import asyncio
import sys
from typing import Annotated

import typer

Kind = Annotated[str, typer.Option(help="Only this kind of action, for example issue_refund.")]
Out = Annotated[str, typer.Option(help="Only by this way, for example email.")]


def stop(*, kind: Kind = "", way: Out = "") -> None:
    """Stop dispatch at once: of everything, or of one kind or way. Works beside a running server."""
    from api.cli import dispatch_work

    asyncio.run(dispatch_work.stop(kind, way))


def resume(
    *,
    email: Annotated[str, typer.Option(help="The admin who decides; signs in with their password.")],
    kind: Kind = "",
    way: Out = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Let dispatch go on: an admin's decision. What was approved meanwhile and still holds is carried out."""
    from api.cli import dispatch_work

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else str(typer.prompt("Password", hide_input=True))
    asyncio.run(dispatch_work.resume(email, password, kind, way))
