"""How a file goes to the parsing process and its articles come back: lengths, a line of JSON, bytes."""

import json
import struct
from dataclasses import asdict, dataclass
from typing import BinaryIO

_LENGTHS = struct.Struct("!II")
ANSWER_BYTES = 220_000_000


@dataclass(frozen=True)
class RawArticle:
    """An article as it stands in a file: Markdown body; "" for what the file does not say.

    `author` is told of replies alone, whose `key` is whom they were written to.
    """

    key: str
    title: str
    body: str
    language: str = ""
    audience: str = ""
    updated: str = ""
    verified_until: str = ""
    author: str = ""


@dataclass(frozen=True)
class Answer:
    """What became of one file; `code` is "" when it could be read."""

    articles: tuple[RawArticle, ...] = ()
    code: str = ""
    message: str = ""


class UnreadableError(Exception):
    """A file that a parser will not read; `code` is one of ours, the message is for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def send(stream: BinaryIO, head: dict[str, object], body: bytes = b"") -> None:
    """Write one message whole."""
    line = json.dumps(head).encode()
    stream.write(_LENGTHS.pack(len(line), len(body)) + line + body)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, object], bytes] | None:
    """Read one message; None at the end of the stream, also in the middle of one."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, body = _LENGTHS.unpack(lengths)
    if head > ANSWER_BYTES or body > ANSWER_BYTES:
        return None
    line, rest = stream.read(head), stream.read(body)
    if len(line) < head or len(rest) < body:
        return None
    return json.loads(line), rest


def told(answer: Answer) -> dict[str, object]:
    """Return an answer as plain values."""
    return {"articles": [asdict(one) for one in answer.articles], "code": answer.code, "message": answer.message}


def heard(head: dict[str, object]) -> Answer:
    """Return the answer in a message; raise ValueError when it is none, whatever the other side made of itself."""
    articles = head.get("articles")
    if not isinstance(articles, list):
        raise ValueError("no articles in the answer")  # noqa: TRY004 - what came is wrong, not who calls
    fields = tuple(RawArticle.__dataclass_fields__)
    made = tuple(RawArticle(**{name: str(one.get(name) or "") for name in fields}) for one in articles)
    return Answer(made, str(head.get("code") or ""), str(head.get("message") or ""))
