"""The demo's server process: `serve` with settings read from standard input, until that ends; nothing else."""

import json
import os
import signal
import sys
import threading

from api.demo.settings import DemoSettings
from api.serving import serve
from api.settings import Settings
from support_agents.domain.errors import SupportError


def main() -> None:
    """Wait for one line of settings – so that this process can load while they are being made – then serve."""
    line = sys.stdin.readline()
    if not line:
        return
    settings = DemoSettings(**json.loads(line))
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        serve(settings, _announce)
    except SupportError as error:
        raise SystemExit(error.message) from None


def _announce(taken: Settings) -> None:
    print(json.dumps({"url": taken.url}), flush=True)  # noqa: T201 - read by the parent process


def _end_with_parent() -> None:
    """Stop in order when standard input ends: however the parent process ended, no server is left behind."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
