"""`serve`: one server process on this machine until Ctrl-C; everything it does is in `api.serving`."""

from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (SUPPORT_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (SUPPORT_PORT); 0 picks a free one.")] = None,
) -> None:
    """Start the server: webhooks, REST, console and worker in one process. Ctrl-C stops it in order."""
    from api import settings
    from api.serving import serve as serve_until_stopped
    from api.settings import Settings

    def announce(taken: Settings) -> None:
        typer.echo(f"serving on {taken.url} – Ctrl-C stops it")

    given = {"host": host, "port": port}
    serve_until_stopped(settings.load({name: value for name, value in given.items() if value is not None}), announce)
    typer.echo("stopped", err=True)
