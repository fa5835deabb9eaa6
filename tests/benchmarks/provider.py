"""The stand-in for model providers as a process of its own, so that its work is not counted as ours."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def provider_process(*words: str) -> Iterator[str]:
    """Serve until left; give out its base address, which speaks both providers' wires."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.peers.model_provider", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the provider did not start"
        yield address
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()
