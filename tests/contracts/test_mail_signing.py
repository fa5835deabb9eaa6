"""Signed and encrypted letters against a real mail server: what arrives verifies, and nothing leaves in the open."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import dkim
import pytest

from approvals.adapters.mail.dkim import OVERSIGNED, DkimSigner
from approvals.adapters.mail.smtp import MailSecurity, SmtpMailTransport
from approvals.ports import Letter, NotNow, Receipt
from support_agents.domain.errors import SupportError
from tests.peers.smtp_sink import SmtpSink, listening

CONTENT = (
    b"From: help@shop.example\r\nTo: anna@example.com\r\nSubject: Hi\r\nDate: Mon, 02 Nov 2026 09:30:00 +0000\r\n"
    b"Message-ID: <1@shop.example>\r\n\r\nDear Anna\r\n.\r\nend\r\n"
)
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="keys are made with openssl")
LETTER = Letter("help@shop.example", ("anna@example.com",), CONTENT)


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], check=True, capture_output=True, text=True).stdout  # noqa: S607


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dkim") / "key.pem"
    openssl("genrsa", "-traditional", "-out", str(path), "2048")
    return path


@pytest.fixture(scope="module")
def record(key: Path) -> bytes:
    """What the domain would publish in DNS."""
    public = openssl("rsa", "-in", str(key), "-pubout").splitlines()
    return b"v=DKIM1; k=rsa; p=" + "".join(public[1:-1]).encode()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"),
    )  # fmt: skip
    return folder


@pytest.fixture
async def encrypted(certificate: Path) -> AsyncIterator[SmtpSink]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with listening(SmtpSink(), implicit_tls=context) as sink:
        yield sink


@pytest.fixture
async def starttls(certificate: Path) -> AsyncIterator[SmtpSink]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with listening(SmtpSink(), starttls=context) as sink:
        yield sink


async def yes() -> bool:
    return True


def signer(key: Path) -> DkimSigner:
    return DkimSigner.load(key, selector="mail", domain="shop.example")


async def arrived(key: Path) -> bytes:
    async with listening(SmtpSink()) as sink:
        transport = SmtpMailTransport("127.0.0.1", sink.port, security=MailSecurity.NONE, signer=signer(key))
        assert transport.dkim == "mail._domainkey.shop.example"
        assert isinstance(await transport.send(LETTER, before_data=yes), Receipt)
        return sink.taken[0].content


def verifies(content: bytes, record: bytes) -> bool:
    asked: list[bytes] = []

    def dns(name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001 - the library's own signature
        asked.append(name)
        return record

    good = bool(dkim.verify(content, dnsfunc=dns))
    assert asked in ([b"mail._domainkey.shop.example."], [])
    return good


async def test_what_arrives_verifies_and_is_what_was_approved(key: Path, record: bytes) -> None:
    content = await arrived(key)
    assert content.endswith(CONTENT)
    assert verifies(content, record)


@pytest.mark.parametrize("header", [name.title() for name in OVERSIGNED])
async def test_no_header_can_be_added_on_the_way(key: Path, record: bytes, header: str) -> None:
    content = await arrived(key)
    assert not verifies(f"{header}: eve@evil.example\r\n".encode() + content, record)


@pytest.mark.parametrize("change", [(b"anna@", b"eve@"), (b"Subject: Hi", b"Subject: Ho"), (b"Dear Anna", b"Dear Eve")])
async def test_nothing_can_be_changed_on_the_way(key: Path, record: bytes, change: tuple[bytes, bytes]) -> None:
    assert not verifies((await arrived(key)).replace(*change), record)


@pytest.mark.parametrize(
    "content", ["", "not a key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_a_key_that_cannot_sign_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "key.pem").write_text(content)
    with pytest.raises(SupportError, match="no RSA key"):
        DkimSigner.load(tmp_path / "key.pem", selector="mail", domain="shop.example")


def test_the_key_is_shown_to_nobody(key: Path) -> None:
    assert key.read_text().splitlines()[1] not in repr(signer(key))


async def test_implicit_tls_delivers_and_checks_the_certificate(encrypted: SmtpSink, certificate: Path) -> None:
    known = SmtpMailTransport(
        "localhost", encrypted.port, security=MailSecurity.TLS, ca_file=str(certificate / "cert.pem")
    )
    assert isinstance(await known.send(LETTER, before_data=yes), Receipt)
    stranger = SmtpMailTransport("localhost", encrypted.port, security=MailSecurity.TLS)
    assert isinstance(await stranger.send(LETTER, before_data=yes), NotNow)
    assert len(encrypted.taken) == 1


async def test_starttls_delivers_and_checks_the_certificate(starttls: SmtpSink, certificate: Path) -> None:
    known = SmtpMailTransport("localhost", starttls.port, ca_file=str(certificate / "cert.pem"))
    assert isinstance(await known.send(LETTER, before_data=yes), Receipt)
    stranger = SmtpMailTransport("localhost", starttls.port)
    assert isinstance(await stranger.send(LETTER, before_data=yes), NotNow)
    assert len(starttls.taken) == 1
