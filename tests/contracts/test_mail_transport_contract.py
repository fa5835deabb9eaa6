from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from approvals.adapters.mail.smtp import MailSecurity, SmtpMailTransport
from approvals.ports import Letter, MailTransport, NotNow, Receipt, Refused, Unknown
from approvals.testing import FakeMailTransport, Fault
from tests.peers.smtp_sink import SmtpSink, listening

CONTENT = b"From: help@shop.example\r\nSubject: Hi\r\n\r\nDear Anna\r\n.\r\nend\r\n"
LETTER = Letter("help@shop.example", ("anna@example.com",), CONTENT)


@dataclass(frozen=True)
class Post:
    """A transport and how many letters the other side has."""

    transport: MailTransport
    taken: Callable[[], int]


@pytest.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with listening(SmtpSink()) as made:
        yield made


@pytest.fixture
def real(sink: SmtpSink) -> Post:
    return Post(SmtpMailTransport("127.0.0.1", sink.port, security=MailSecurity.NONE), lambda: len(sink.taken))


@pytest.fixture
def fake() -> Post:
    made = FakeMailTransport()
    return Post(made, lambda: len(made.sent))


@pytest.fixture(params=["real", "fake"])
def post(request: pytest.FixtureRequest) -> Post:
    made: Post = request.getfixturevalue(request.param)
    return made


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def test_a_letter_arrives_and_the_server_says_so(post: Post) -> None:
    assert isinstance(await post.transport.send(LETTER, before_data=yes), Receipt)
    assert post.taken() == 1


async def test_a_no_before_data_sends_nothing(post: Post) -> None:
    assert isinstance(await post.transport.send(LETTER, before_data=no), Unknown)
    assert post.taken() == 0


async def test_the_question_is_asked_before_anything_is_taken(post: Post) -> None:
    taken_when_asked: list[int] = []

    async def ask() -> bool:
        taken_when_asked.append(post.taken())
        return True

    await post.transport.send(LETTER, before_data=ask)
    assert taken_when_asked == [0]


async def test_the_exact_bytes_arrive(sink: SmtpSink, real: Post) -> None:
    await real.transport.send(LETTER, before_data=yes)
    assert sink.taken[0].content == LETTER.content
    assert sink.taken[0].recipients == LETTER.recipients


@pytest.mark.parametrize(
    "recipient",
    ["a@b.example, c@d.example", "Anna <anna@example.com>", "a@b.example\r\nRCPT TO:<c@d.example>", "", "anna",
     "a@b..c", '"a b"@example.com', "a@[127.0.0.1]", "a@b.example>", "(x)a@b.example", "ä@b.example"],
)  # fmt: skip
async def test_anything_but_one_bare_address_is_refused(sink: SmtpSink, real: Post, recipient: str) -> None:
    letter = Letter(LETTER.sender, (recipient,), LETTER.content)
    assert isinstance(await real.transport.send(letter, before_data=yes), Refused)
    assert sink.taken == []


@pytest.mark.parametrize(("answer", "kind"), [("550 no such user", Refused), ("450 try later", NotNow)])
async def test_a_refused_recipient_never_reaches_data(
    sink: SmtpSink, real: Post, answer: str, kind: type[Refused | NotNow]
) -> None:
    sink.at_rcpt = answer
    asked: list[bool] = []

    async def ask() -> bool:
        asked.append(True)
        return True

    assert isinstance(await real.transport.send(LETTER, before_data=ask), kind)
    assert asked == []


@pytest.mark.parametrize("answer", ["554 spam", "451 greylisted"])
async def test_a_refusal_of_the_letter_is_final(sink: SmtpSink, real: Post, answer: str) -> None:
    sink.at_data = answer
    assert isinstance(await real.transport.send(LETTER, before_data=yes), Refused)


async def test_a_lost_answer_is_unknown(sink: SmtpSink, real: Post) -> None:
    sink.drop_after_data = True
    assert isinstance(await real.transport.send(LETTER, before_data=yes), Unknown)
    assert len(sink.taken) == 1


async def test_no_server_is_not_now_and_nobody_is_asked(unused_tcp_port: int) -> None:
    assert isinstance(await SmtpMailTransport("127.0.0.1", unused_tcp_port).send(LETTER, before_data=no), NotNow)


async def test_a_server_without_starttls_is_refused_when_it_is_wanted(sink: SmtpSink) -> None:
    transport = SmtpMailTransport("127.0.0.1", sink.port)
    assert not isinstance(await transport.send(LETTER, before_data=yes), Receipt)
    assert sink.taken == []


async def test_the_fake_fails_as_told() -> None:
    fake = FakeMailTransport()
    fake.faults.coming = [Fault.FAIL, Fault.REFUSE]
    assert isinstance(await fake.send(LETTER, before_data=yes), Unknown)
    assert isinstance(await fake.send(LETTER, before_data=yes), Refused)
    assert fake.sent == []
