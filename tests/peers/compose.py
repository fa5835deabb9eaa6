"""A compose file's services as processes of this machine, by its very commands and settings; it starts no container."""

import os
import re
import shlex
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.peers.servers import free_port

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
IMAGE = "support-agents"
_NAMED = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_SERVING = "serving on "


def services(name: str, given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The file's services with its variables replaced; one that it insists on and that is not `given` is an error."""

    def one(found: re.Match[str]) -> str:
        variable, sign, rest = found.groups()
        if given.get(variable):
            return given[variable]
        if sign == "?":
            raise KeyError(f"{name} wants {variable}: {rest}")
        return rest or ""

    loaded: dict[str, Any] = yaml.safe_load(_NAMED.sub(one, (DOCKER / name).read_text(encoding="utf-8")))
    found: dict[str, dict[str, Any]] = loaded["services"]
    return found


def image() -> tuple[list[str], dict[str, str], list[str]]:
    """What the Dockerfile says of a container: its entry point, its environment, its check of health."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    entry = re.findall(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)[-1]
    pairs = shlex.split(re.findall(r"^ENV (.*)$", text, re.MULTILINE)[-1])
    health = re.findall(r"^HEALTHCHECK .*?CMD (\[.*\])$", text, re.MULTILINE)[-1]
    return yaml.safe_load(entry), dict(pair.split("=", 1) for pair in pairs), yaml.safe_load(health)


@dataclass
class Container:
    """One replica of a service as a process, with a data folder and a log of its own."""

    service: str
    process: subprocess.Popen[bytes]
    log: Path
    environment: Mapping[str, str] = field(repr=False)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def url(self) -> str:
        """Where it serves, when it says that it does; what it names is the address of the proxy in front of it."""
        return f"http://127.0.0.1:{self.environment['SUPPORT_PORT']}" if _SERVING in self.said else ""

    def is_healthy(self) -> bool:
        """What the image's own check of health says, asked at the port that is this one's."""
        program, *words = image()[2]
        port = self.url.rpartition(":")[2]
        asked = [word.replace(":8000/", f":{port}/") for word in words]
        return bool(port) and subprocess.run([_program(program), *asked], env=_paths(), check=False).returncode == 0

    def answers(self) -> bool:
        """Whether it is ready to work."""
        if not self.url:
            return False
        try:
            return httpx.get(f"{self.url}/readyz", timeout=10, trust_env=False).is_success
        except httpx.TransportError:
            return False


@dataclass
class Composed:
    """The containers of one file; `here` replaces what the file calls its servers, `folder` is every volume."""

    name: str
    folder: Path
    given: Mapping[str, str]
    here: Mapping[str, str]
    more: Mapping[str, str]
    running: list[Container] = field(default_factory=list)

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """Those of them that run our image; one without a name for it is built here, too."""
        found = services(self.name, self.given)
        return {name: each for name, each in found.items() if "build" in each or each.get("image") == IMAGE}

    def begin(self, service: str) -> list[Container]:
        """Start all replicas of a service."""
        said = self.services[service]
        replicas = said.get("deploy", {}).get("replicas", 1)
        return [self._begin(service, said) for _ in range(replicas)]

    def run(self, service: str, *words: str, given: str = "") -> str:
        """Run a service's command to its end, or other words in its place, as `docker compose run` does."""
        said = self.services[service]
        environment = self._environment(said, self.folder / f"data-of-{service}-command")
        command = [*_entry(), *(words or said["command"])]
        ended = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def _begin(self, service: str, said: Mapping[str, Any]) -> Container:
        number = len(self.running)
        log = self.folder / f"{service}-{number}.log"
        environment = self._environment(said, self.folder / f"data-{number}")
        with log.open("wb") as file:
            words = [*_entry(), *said.get("command", ["serve"])]
            process = subprocess.Popen(words, env=environment, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        self.running.append(Container(service, process, log, environment))
        return self.running[-1]

    def _environment(self, said: Mapping[str, Any], data: Path) -> dict[str, str]:
        """The image's, then the file's, then what is another here: no two containers share a data folder or a port."""
        listed = {
            name: self._here("" if value is None else str(value)) for name, value in said.get("environment", {}).items()
        }
        ours = {"SUPPORT_DATA_DIR": str(data), "SUPPORT_HOST": "127.0.0.1", "SUPPORT_PORT": str(free_port())}
        return image()[1] | listed | ours | dict(self.more) | _paths()

    def _here(self, value: str) -> str:
        for there, here in self.here.items():
            value = value.replace(there, here)
        return value

    def stop(self) -> None:
        """End all."""
        for each in self.running:
            each.process.terminate()
        for each in self.running:
            try:
                each.process.wait(60)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait(60)


def _entry() -> list[str]:
    """The image's entry point, as the package's script of this interpreter."""
    program, *words = image()[0]
    return [_program(program), *words]


def _program(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


def _paths() -> dict[str, str]:
    """Where this machine's programs are; a container would have its own."""
    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}


@contextmanager
def composed(
    name: str, folder: Path, *, given: Mapping[str, str], here: Mapping[str, str], more: Mapping[str, str]
) -> Iterator[Composed]:
    """A file's services that end with the test."""
    made = Composed(name, folder, given, here, more)
    try:
        yield made
    finally:
        made.stop()
