"""The demo from start to end: fresh folder, real server, signed webhooks, table, console link; all on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.live import Live
from rich.text import Text

from api.bootstrap import build_records
from api.container import Records
from api.demo import shop
from api.demo.answers import Answered, Answers, Tally
from api.demo.mailbox import Mailbox, mailbox
from api.demo.phases import Phases
from api.demo.preparing import DemoOperator, add_operator, load_articles
from api.demo.readiness import wait_until_ready
from api.demo.sending import Sender
from api.demo.server_process import ServerProcess
from api.demo.settings import DemoSettings, demo_values, webhook_secret
from api.demo.shop import ShopMessage
from api.demo.table import table

_HTTP_SECONDS = 30.0


@dataclass(frozen=True)
class Demo:
    """A demo whose server is ready."""

    records: Records
    url: str
    server: ServerProcess
    mailbox: Mailbox
    operator: DemoOperator
    sender: Sender
    phases: Phases

    @property
    def answers(self) -> Answers:
        """Reads the records."""
        return Answers(self.records.database)

    @property
    def ledger(self) -> Path:
        """The payment gateway's own file, which stands for a provider outside."""
        return self.records.settings.data_dir / "payments.db"

    async def link(self) -> str:
        """Return a console address that signs in once, within five minutes."""
        return f"{self.url}/console/enter?token={await self.records.auth.make_link(self.operator.id)}"

    async def sent(self) -> int:
        """Count what has really left: letters that arrived; the records must agree."""
        return len(self.mailbox.letters)


@asynccontextmanager
async def started(
    folder: Path, server: ServerProcess, phases: Phases, *, undo_seconds: float | None
) -> AsyncIterator[Demo]:
    """Fill the folder while the server loads, then let it serve; `undo_seconds` shortens the undo windows."""
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(mailbox())
        secret = webhook_secret()
        values = demo_values(folder, smtp_port=box.port, secret=secret, undo_seconds=undo_seconds)
        settings = DemoSettings(**values)  # type: ignore[arg-type] # plain values, checked by the model
        records = build_records(settings)
        stack.push_async_callback(records.close)
        await records.open()
        phases.done("database migrated")
        passages, operator = await asyncio.gather(load_articles(records.knowledge), add_operator(records.auth))
        phases.done(f"{passages} passages of the shop's articles stored")
        url = await server.serve(values)
        phases.done("server listens")
        http = await stack.enter_async_context(loopback(url))
        await wait_until_ready(http, server)
        phases.done("passages indexed, server ready")
        yield Demo(records, url, server, box, operator, Sender(http, secret), phases)


async def deliver_all(demo: Demo, console: Console) -> tuple[Answered, ...]:
    """Send every message and show each answer as it comes."""
    answered: list[Answered] = []
    with _live(console) as show:
        for message in shop.messages():
            show(answered, message.about)
            answered.append(await _delivered(demo, message))
            if len(answered) == 1:
                demo.phases.done("first answer")
    console.print(table(answered))
    return tuple(answered)


async def _delivered(demo: Demo, message: ShopMessage) -> Answered:
    delivered = await demo.sender.deliver(message)
    if delivered.duplicate:
        return Answered(message, delivered.ticket, None, duplicate=True)
    return await demo.answers.wait(message, delivered.ticket)


@contextmanager
def _live(console: Console) -> Iterator[Callable[[Sequence[Answered], str], None]]:
    """On a terminal: a table that grows in place, its newest rows in sight. Elsewhere: nothing until the end."""
    if not console.is_terminal:
        yield lambda _answered, _waiting: None
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        room = max(1, console.height - 3)
        yield lambda answered, waiting: live.update(table(answered[-room:], waiting=waiting), refresh=True)


async def tally_line(demo: Demo, answered: tuple[Answered, ...]) -> Text:
    """Return the last line, counted from the records and the mailbox."""
    return Text(Tally.of(answered).line(sent=await demo.sent()), style="bold")


async def until_stopped(demo: Demo) -> None:
    """Stay up until cancelled; raise when the server ends by itself."""
    await demo.server.ended()
    raise demo.server.failure()


@asynccontextmanager
async def loopback(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client that no proxy setting can send elsewhere."""
    async with httpx.AsyncClient(base_url=url, timeout=_HTTP_SECONDS, trust_env=False) as http:
        yield http
