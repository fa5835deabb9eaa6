"""The `support-agents` command: gathers the commands and turns every failure into one line; it does no work itself."""

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from api.cli import (
    ask,
    audit,
    connect,
    database,
    demo,
    dispatch,
    doctor,
    evaluation,
    executions,
    intents,
    knowledge,
    operators,
    processes,
    quarantine,
    runs,
    secrets,
    serve,
    tokens,
)
from support_agents.domain.errors import SupportError

PROGRAM = "support-agents"
STOPPED = 130
# What to do about errors whose own message says only what is wrong.
ADVICE = {
    "database_unavailable": "check SUPPORT_DATABASE_URL and run `support-agents doctor`",
    "model_changed": "install the locked requirements again",
    "conflict": "look at it with `support-agents doctor`",
}

app = typer.Typer(
    name=PROGRAM,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Grounded, checked support replies in two seconds; nothing leaves without a person's approval.",
    epilog="Settings are environment variables (SUPPORT_…). --debug shows a traceback when something fails.",
)
app.command("serve")(serve.serve)
app.command("api")(processes.api)
app.command("worker")(processes.worker)
app.command("relay")(processes.relay)
app.command("scheduler")(processes.scheduler)
app.command("demo")(demo.demo)
app.command("ask")(ask.ask)
app.command("doctor")(doctor.doctor)
app.command("stop")(dispatch.stop)
app.command("resume")(dispatch.resume)
for group in (
    knowledge,
    runs,
    operators,
    tokens,
    connect,
    executions,
    quarantine,
    database,
    secrets,
    intents,
    evaluation,
    audit,
):
    app.add_typer(group.app)


def main() -> None:
    """Entry point of the console script."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    raise SystemExit(run(arguments, debug=len(arguments) < len(sys.argv) - 1))


def run(arguments: Sequence[str], *, debug: bool = False) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 misused, 130 stopped."""
    try:
        return _ran(list(arguments))
    except BrokenPipeError:
        # Whoever read the output has enough of it; nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return _told("stopped", STOPPED)
    except Exception as error:  # this is the edge: whatever it is becomes one line
        if debug:
            raise
        return _failed(error, arguments)


def _ran(arguments: list[str]) -> int:
    result = app(args=arguments or ["--help"], prog_name=PROGRAM, standalone_mode=False)
    return result if isinstance(result, int) else 0


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    match error:
        case SupportError():
            advice = ADVICE.get(error.code)
            return _told(f"{error.message} – {advice}" if advice else error.message, 1)
        case TyperException():
            return _told(f"{error.format_message().rstrip('.')} – see `{_command(arguments)} --help`", error.exit_code)
        case _:
            kind = type(error).__name__
            return _told(f"unexpected {kind}: {error} – run it again with --debug and report what it shows", 1)


def _command(arguments: Sequence[str]) -> str:
    """Return the command as far as it is one."""
    found = [PROGRAM]
    group: object = typer.main.get_command(app)
    for word in arguments:
        group = getattr(group, "commands", {}).get(word)
        if group is None:
            break
        found.append(word)
    return " ".join(found)


def _told(line: str, code: int) -> int:
    """Say one line on standard error."""
    print(f"{PROGRAM}: {' '.join(line.split())}", file=sys.stderr)  # noqa: T201 - this is a command line
    return code


if __name__ == "__main__":
    main()
