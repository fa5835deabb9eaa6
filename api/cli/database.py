"""`db`: brings the database to the newest schema, or says whether it is there; it changes no content."""

import typer

app = typer.Typer(name="db", help="The database's schema.", rich_markup_mode=None)


@app.command("upgrade")
def upgrade() -> None:
    """Run every missing migration, all in one transaction."""
    from api.cli.installation import configured
    from api.secret_key import make_data_dir
    from db import upgrade as schema

    found = configured()
    make_data_dir(found.data_dir)
    schema.upgrade(found.database)
    typer.echo("the database is at the newest schema")


@app.command("current")
def current() -> None:
    """Say whether a migration is missing; exit code 1 if so."""
    from api.cli.installation import configured
    from db import upgrade as schema

    found = configured()
    there = not found.embedded or (found.data_dir / "support.db").exists() or bool(found.database_url)
    if there and schema.is_current(found.database):
        typer.echo("the database is at the newest schema")
        return
    typer.echo("a migration is missing; run `support-agents db upgrade`")
    raise typer.Exit(1)
