"""`serve`: one server process on this machine until Ctrl-C; everything it does is in `api.serving`."""

from typing import Annotated

import typer

from api.choices import Role

Host = Annotated[str | None, typer.Option(help="Address to listen on (SUPPORT_HOST).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (SUPPORT_PORT); 0 picks a free one.")]


def serve(host: Host = None, port: Port = None) -> None:
    """Start the server: webhooks, REST, console and worker in one process. Ctrl-C stops it in order."""
    listen(host, port, Role.SERVE)


def listen(host: str | None, port: int | None, role: Role) -> None:
    """Serve in this role until told to stop, and say where and when."""
    from api import settings
    from api.serving import serve as serve_until_stopped
    from api.settings import Settings

    def announce(taken: Settings) -> None:
        typer.echo(f"serving on {taken.url} – Ctrl-C stops it")

    given = {"host": host, "port": port}
    found = settings.load({name: value for name, value in given.items() if value is not None})
    serve_until_stopped(found, announce, role)
    typer.echo("stopped", err=True)
