"""The work of `ask`: finds something that answers – server, own folder, temporary one – and prints each answer."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from api.asking import Question
from api.cli import ask_output
from api.cli.ask_input import BadLine, Line, asked, lines, problem
from api.cli.client import Client, running
from api.cli.indexing import index_in_step
from api.cli.installation import configured, opened
from api.cli.output import progress, remarks, results
from api.container import Container
from api.demo import shop
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import RunRecord

Answerer = Callable[[Question], Awaitable[RunRecord]]


@dataclass(frozen=True)
class Source:
    """What the answers may rest on, beside the settings."""

    kb: Path | None = None
    demo: bool = False
    orders: Path | None = None
    policy: Path | None = None

    @property
    def own(self) -> bool:
        """Whether anything differs from what the running server would use."""
        return self.demo or any((self.kb, self.orders, self.policy))

    @property
    def folder(self) -> Path | None:
        """The articles to index for this command alone."""
        return self.kb or (shop.ARTICLES if self.demo else None)

    def overrides(self) -> dict[str, object]:
        """Return settings that differ."""
        orders = self.orders or (shop.ORDERS if self.demo else None)
        policy = self.policy or (shop.POLICY if self.demo else None)
        found: dict[str, Path | None] = {"orders_csv": orders, "policy": policy}
        for name, path in (*found.items(), ("kb", self.kb)):
            if path is not None and not path.exists():
                raise SupportError("no_such_file", f"{path} does not exist; correct --{name.removesuffix('_csv')}")
        shipped = {"known_vectors": shop.VECTORS, "macros": shop.MACROS} if self.demo else {}
        return {**{name: path for name, path in found.items() if path is not None}, **shipped}


@dataclass(frozen=True)
class Asking:
    """The messages: one from the command line, or those of a file."""

    messages: Iterator[Line | BadLine]
    many: bool

    @classmethod
    def of(cls, text: str | None, file: Path | None, values: Mapping[str, object]) -> "Asking":
        """Take exactly one of the two."""
        if (text is None) == (file is None):
            raise SupportError("usage", 'give either a message or --file, for example: support-agents ask "…"')
        if file is not None:
            return cls(lines(file), many=True)
        try:
            return cls(iter((Line(None, asked({**values, "text": text})),)), many=False)
        except ValidationError as error:
            raise SupportError("usage", problem(error)) from error


async def answer(asking: Asking, source: Source, *, as_json: bool) -> bool:
    """Print an answer for each message; return whether every line was one."""
    messages = list(asking.messages)
    wrong = [message for message in messages if isinstance(message, BadLine)]
    remark = remarks()
    async with _answerer(source, remark) as ask:
        for message in messages:
            if isinstance(message, Line):
                _print(await ask(message.question), message, results(), as_json=as_json)
            else:
                remark.print(message.problem, style="red", markup=False, soft_wrap=True)
    return not wrong


def _print(record: RunRecord, line: Line, console: Console, *, as_json: bool) -> None:
    if as_json:
        print(ask_output.as_line(record, line.id), flush=True)  # noqa: T201 - this is a command's output
    else:
        ask_output.show(record, console)


@asynccontextmanager
async def _answerer(source: Source, console: Console) -> AsyncIterator[Answerer]:
    settings = configured(source.overrides())
    client = None if source.own else running(settings)
    if client is not None:
        yield _through(client)
        return
    with _folder(source) as data_dir:
        own = (
            settings.model_copy(update={"data_dir": data_dir, "database_url": "", "anchor_path": None})
            if data_dir
            else settings
        )
        async with opened(own) as container:
            await _indexed(container, source.folder, console)
            yield lambda question: container.asking.ask(question, DEFAULT_WORKSPACE)


@contextmanager
def _folder(source: Source) -> Iterator[Path | None]:
    """Make a temporary data folder when the command brings articles of its own."""
    if source.folder is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="support-agents-") as made:
        yield Path(made)


async def _indexed(container: Container, folder: Path | None, console: Console) -> None:
    """Bring articles in when there are some to bring, and the index in step with SQL."""
    if folder is not None:
        with progress("articles", console) as step:
            synced = await container.knowledge.sync(folder, DEFAULT_WORKSPACE, step)
        for broken in synced.broken:
            console.print(f"✗ {broken.path}: {broken.reason}", style="red", markup=False)
    await index_in_step(container)
    if container.asking.prepare is not None:
        await container.asking.prepare(DEFAULT_WORKSPACE)


def _through(client: Client) -> Answerer:
    async def ask(question: Question) -> RunRecord:
        requester = question.requester
        body = {
            "text": question.text,
            "subject": question.subject,
            "email": requester.email,
            "name": requester.name,
            "verified": requester.verified,
            "channel": question.channel.value,
            "order_id": question.order_id,
            "attachments": [attachment.model_dump(mode="json") for attachment in question.attachments],
        }
        return RunRecord.model_validate(await asyncio.to_thread(client.post, "/v1/ask", body))

    return ask
