"""`db`: brings the database to the newest schema, or says whether it is there; it changes no content."""

from typing import Annotated

import typer

from api.cli import parts

app = typer.Typer(name="db", help="The database's schema.", rich_markup_mode=None)
app.add_typer(parts.app)


@app.command("upgrade")
def upgrade(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only list what is missing; exit code 1 if anything is.")
    ] = False,
) -> None:
    """Run every missing migration, all in one transaction."""
    from api.cli.installation import configured
    from api.secret_key import make_data_dir
    from db import upgrade as schema

    if check:
        current()
        return
    found = configured()
    make_data_dir(found.data_dir)
    limits = schema.Limits(found.migration_lock_seconds, found.migration_statement_seconds)
    schema.upgrade(found.database, limits)
    typer.echo("the database is at the newest schema")


@app.command("current")
def current() -> None:
    """Say whether a migration is missing; exit code 1 if so."""
    from api.cli.installation import configured
    from db import upgrade as schema

    found = configured()
    there = not found.embedded or (found.data_dir / "support.db").exists() or bool(found.database_url)
    if not there:
        typer.echo("there is no database yet; run `support-agents db upgrade`")
        raise typer.Exit(1)
    missing = schema.missing(found.database)
    if later := schema.newer(found.database):
        typer.echo(schema.NEWER.format(later))
        raise typer.Exit(1)
    if not missing:
        typer.echo("the database is at the newest schema")
        return
    for each in missing:
        typer.echo(f"missing: {each.revision} {each.about}")
    typer.echo("a migration is missing; run `support-agents db upgrade`")
    raise typer.Exit(1)


@app.command("roles")
def roles(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Run it, as the owner of SUPPORT_DATABASE_URL.")] = False,
) -> None:
    """Print the SQL of the database roles intake, agents, decide, act and read (PostgreSQL); they have no passwords."""
    from api.cli.installation import configured
    from db import roles as database_roles
    from db.upgrade import run
    from support_agents.domain.errors import SupportError

    if not apply:
        for statement in database_roles.statements():
            typer.echo(f"{statement};")
        return
    found = configured()
    if found.embedded:
        raise SupportError("settings", "SQLite has no roles; set SUPPORT_DATABASE_URL=postgresql+psycopg://…")
    run(found.database, database_roles.statements())
    typer.echo("the roles have their rights; give each process a login that is a member of its role")
