"""Files from outside: read in a process of their own, and what is made to hurt is refused by name."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document

from support_agents.domain.errors import Failed, Ok
from support_agents.knowledge.parsing.parser import FileParser
from support_agents.knowledge.parsing.wire import RawArticle


@pytest.fixture(scope="module")
def parser() -> Iterator[FileParser]:
    with FileParser() as started:
        yield started


def articles(parser: FileParser, kind: str, content: bytes, name: str = "file") -> tuple[RawArticle, ...]:
    found = parser.parse(kind, name, content)
    assert isinstance(found, Ok), found
    return tuple(found.value)


def refused(parser: FileParser, kind: str, content: bytes) -> str:
    found = parser.parse(kind, "file", content)
    assert isinstance(found, Failed)
    assert found.message
    assert articles(parser, "csv", b"question,answer\nStill?,Yes.\n")
    return found.code


def docx_file() -> bytes:
    document = Document()
    document.add_heading("Returns", 1)
    document.add_paragraph("Send it back within 30 days.")
    document.add_paragraph("Pack it well", style="List Bullet")
    row = document.add_table(1, 2).rows[0]
    row.cells[0].text, row.cells[1].text = "Germany", "2 days"
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def zipped(content: bytes, name: str = "word/document.xml") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


def pdf_file(streams: list[bytes], *, count: int | None = None) -> bytes:
    """A PDF of one page a stream, each compressed; `count` pages point at the first stream instead."""
    pages = count or len(streams)
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = b" ".join(b"%d 0 R" % (4 + at) for at in range(pages))
    objects.append(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages))
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for at in range(pages):
        held = 4 + pages + (0 if count else at)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % held
        )
    for stream in streams:
        packed = zlib.compress(stream, 9)
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed))
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(made)


def line(text: str) -> bytes:
    return b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text.encode()


def test_questions_and_answers_of_a_table(parser: FileParser) -> None:
    found = articles(parser, "csv", b"Question;Answer\nWie lange?;Zwei Tage.\n", "faq.csv")
    assert [(one.title, one.body) for one in found] == [("Wie lange?", "Zwei Tage.")]
    moved = articles(parser, "csv", b"Question;Answer\nNeu?;Ja.\nWie lange?;Zwei Tage.\n", "faq.csv")
    assert moved[1].key == found[0].key


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"question,answer\nOnly a question?,\n", b"\xff\xfe\x00"])
def test_a_table_that_is_none_is_refused(parser: FileParser, content: bytes) -> None:
    assert refused(parser, "csv", content) in {"columns", "incomplete", "not_utf8", "empty"}


def test_lines_of_json(parser: FileParser) -> None:
    line_ = json.dumps({"id": "a", "title": "Returns", "content": "Within 30 days.", "verified_until": "2027-01-01"})
    assert articles(parser, "jsonl", line_.encode()) == (
        RawArticle("a", "Returns", "Within 30 days.", verified_until="2027-01-01"),
    )
    assert refused(parser, "jsonl", b'{"title": "x"') == "not_json"


def test_a_help_centre_export(parser: FileParser) -> None:
    export = {
        "articles": [
            {"id": 1, "title": "Returns", "body": "<h2>How</h2><p>Send it <b>back</b>.</p><ul><li>One</li></ul>",
             "locale": "en-us", "user_segment_id": None, "updated_at": "2026-01-02T00:00:00Z"},
            {"id": 2, "title": "Ours", "body": "<p>Secret</p>", "user_segment_id": 7},
            {"id": 3, "title": "Draft", "body": "<p>No</p>", "draft": True},
        ]
    }  # fmt: skip
    public, internal = articles(parser, "json", json.dumps(export).encode())
    assert (public.key, public.audience, public.updated) == ("1", "public", "2026-01-02")
    assert public.body == "## How\n\nSend it back.\n\n- One"
    assert internal.audience == "internal"


def test_a_page_without_what_stands_around_it(parser: FileParser) -> None:
    page = b"""<html lang="de-AT"><head><title>Shop</title></head><body><nav>Menu</nav><main><h1>Returns</h1>
    <p>Within <b>30</b> days.</p><script>steal()</script><!-- no --></main><footer>Imprint</footer></body></html>"""
    (found,) = articles(parser, "html", page)
    assert (found.title, found.language) == ("Returns", "de")
    assert found.body == "# Returns\n\nWithin 30 days."


def test_a_document_with_headings_lists_and_tables(parser: FileParser) -> None:
    (found,) = articles(parser, "docx", docx_file())
    assert found.body.splitlines()[::2] == [
        "## Returns", "Send it back within 30 days.", "- Pack it well", "Germany | 2 days"
    ]  # fmt: skip


def test_the_text_of_a_pdf(parser: FileParser) -> None:
    (found,) = articles(parser, "pdf", pdf_file([line("Returns within 30 days."), line("Second page.")]))
    assert found.body == "Returns within 30 days.\n\nSecond page."


def test_a_sitemap_and_a_list(parser: FileParser) -> None:
    xml = b"""<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <url><loc> https://shop.example/a </loc><lastmod>2026-01-02T10:00:00Z</lastmod></url></urlset>"""
    assert [(one.key, one.updated) for one in articles(parser, "sitemap", xml)] == [
        ("https://shop.example/a", "2026-01-02")
    ]
    listed = articles(parser, "sitemap", b"# ours\nhttps://shop.example/a\n\nhttps://shop.example/b\n")
    assert [one.key for one in listed] == ["https://shop.example/a", "https://shop.example/b"]


def test_an_archive_that_grows_too_large_is_refused(parser: FileParser) -> None:
    assert refused(parser, "docx", zipped(b"0" * 60_000_000)) == "expands"


def test_archives_in_archives_are_refused_beyond_three(parser: FileParser) -> None:
    nested = docx_file()
    for _ in range(3):
        nested = zipped(nested)
    assert refused(parser, "docx", nested) == "too_deep"


def test_entities_of_xml_are_not_expanded(parser: FileParser) -> None:
    entities = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><urlset><url><loc>&l11;</loc></url></urlset>'
    assert refused(parser, "sitemap", bomb.encode()) in {"invalid", "empty"}


def test_a_pdf_of_too_many_pages_is_refused(parser: FileParser) -> None:
    assert refused(parser, "pdf", pdf_file([line("Again.")], count=501)) == "too_many_pages"


def test_a_pdf_whose_stream_unpacks_without_end_is_refused(parser: FileParser) -> None:
    assert refused(parser, "pdf", pdf_file([b"BT (" + b"A" * 400_000_000 + b") Tj ET"]))


@pytest.mark.parametrize("kind", ["pdf", "docx", "json", "html", "nonsense"])
def test_garbage_is_refused_by_name(parser: FileParser, kind: str) -> None:
    assert refused(parser, kind, b"\x00\x01garbage" if kind != "html" else b"<html></html>")


def test_nesting_has_no_depth_that_hurts(parser: FileParser) -> None:
    assert refused(parser, "json", b"[" * 3_000_000) in {"too_deep", "not_json"}
    assert refused(parser, "html", b"<div>" * 400_000)


def test_what_is_larger_than_twenty_megabytes_is_not_looked_at(parser: FileParser) -> None:
    assert refused(parser, "csv", b"a" * 20_000_001) == "too_large"


def test_the_process_has_no_network_no_programs_and_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a parser that was taken over could do: the same start, then our own code instead of a file's."""
    from support_agents.knowledge.parsing import parser as module  # noqa: PLC0415

    monkeypatch.setenv("SUPPORT_SECRET_KEY", "not for parsers")
    probe = """
import json, os, socket, subprocess, sys
from support_agents.knowledge.parsing.limits import allow_cpu, confine
from support_agents.knowledge.parsing.wire import receive, send
confine()
send(sys.stdout.buffer, {"ready": True})
receive(sys.stdin.buffer)
def tried(doing):
    try:
        doing()
    except BaseException as error:
        return type(error).__name__
    return "done"
import ctypes
library = ctypes.CDLL(None, use_errno=True)
result = {
    "socket": tried(lambda: socket.socket()),
    "raw": str(library.socket(2, 1, 0)),
    "program": tried(lambda: subprocess.run(["/bin/true"])),
    "write": tried(lambda: open(__WRITTEN__, "w")),
    "read": tried(lambda: open("/etc/passwd")),
    "memory": tried(lambda: bytearray(600_000_000)),
    "secret": str(os.environ.get("SUPPORT_SECRET_KEY")),
}
send(sys.stdout.buffer, {"articles": [], "code": "probe", "message": json.dumps(result)})
""".replace("__WRITTEN__", repr(str(tmp_path / "written")))
    monkeypatch.setattr(module, "_START", f"import sys; sys.path.insert(0, {str(module._ROOT)!r})\n{probe}")
    with FileParser() as parser:
        found = parser.parse("csv", "file", b"")
    assert isinstance(found, Failed)
    seen = json.loads(found.message)
    assert seen == {
        "socket": "PermissionError", "raw": "-1", "program": "PermissionError", "write": "PermissionError",
        "read": "PermissionError", "memory": "MemoryError", "secret": "None",
    }  # fmt: skip


def test_a_process_that_does_not_start_is_not_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from support_agents.knowledge.parsing import parser as module  # noqa: PLC0415

    whole = module._START
    with FileParser() as parser:
        for broken in ("raise SystemExit(3)", "import sys; sys.stdout.close()"):
            monkeypatch.setattr(module, "_START", broken)
            found = parser.parse("csv", "file", b"x")
            assert isinstance(found, Failed)
            assert (found.code, found.retryable) == ("not_started", True)
        monkeypatch.setattr(module, "_START", whole)
        assert isinstance(parser.parse("csv", "file", b"question,answer\nWell?,Yes.\n"), Ok)


def test_a_parser_that_never_ends_is_ended_and_the_next_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from support_agents.knowledge.parsing import parser as module  # noqa: PLC0415

    whole = module._START
    endless = f"""import sys; sys.path.insert(0, {str(module._ROOT)!r})
from support_agents.knowledge.parsing import child, formats
def spin(kind, name, content):
    while name == "file": pass
    return ()
formats.parse = spin
child.main()"""
    monkeypatch.setattr(module, "_START", endless)
    with FileParser() as parser:
        found = parser.parse("csv", "file", b"x")
        assert isinstance(found, Failed)
        assert found.code == "too_costly"
        monkeypatch.setattr(module, "_START", whole)
        assert isinstance(parser.parse("csv", "file", b"question,answer\nWell?,Yes.\n"), Ok)
