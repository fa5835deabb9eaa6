"""One small file of each kind: reading them has every parser load what it needs while files may still be opened."""

import io

_TEXT = "Returns are free within thirty days of delivery, in all countries. "
_PAGE = f"<html lang='en'><head><title>A</title></head><body><div><p>{_TEXT * 5}</p><table><tr><td>a</td></tr></table>"


def samples() -> tuple[tuple[str, bytes], ...]:
    """Return kinds with contents."""
    return (
        ("csv", b"question,answer\nWhen?,Soon.\n"),
        ("csv", b"\xff\xfe"),
        ("jsonl", b'{"question": "When?", "answer": "Soon."}'),
        ("json", b'{"articles": [{"id": 1, "title": "A", "body": "<p>b</p>"}]}'),
        ("zendesk_macros", b'{"macros": [{"actions": [{"field": "comment_value_html", "value": "<p>b</p>"}]}]}'),
        ("html", _PAGE.encode()),
        ("html", b"<html><body><main><h1>A</h1>b</main></body></html>"),
        ("sitemap", b"<urlset><url><loc>https://a.example</loc></url></urlset>"),
        ("sitemap", b"https://a.example"),
        ("page", _PAGE.encode()),
        ("text", "Tëxt".encode()),
        ("text", b"T\xebxt"),
        ("text", "Tëxt".encode("utf-16")),
        ("table", b"item;price\nmug;9\n"),
        ("docx", _docx()),
        ("docx", b"none"),
        ("pdf", _pdf()),
        ("pdf", b"none"),
    )


def _docx() -> bytes:
    from docx import Document  # noqa: PLC0415

    document = Document()
    document.add_heading("A", 1)
    document.add_paragraph("b", style="List Bullet")
    document.add_table(1, 1).rows[0].cells[0].text = "c"
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def _pdf() -> bytes:
    from pypdf import PdfWriter  # noqa: PLC0415
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject  # noqa: PLC0415

    writer = PdfWriter()
    page = writer.add_blank_page(612, 792)
    stream = DecodedStreamObject()
    stream.set_data(b"BT /F1 12 Tf 72 700 Td (Returns) Tj ET")
    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    font = DictionaryObject({NameObject(key): NameObject(value) for key, value in names.items()})
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})  # noqa: SLF001 - its only way to add a font
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    page[NameObject("/Contents")] = writer._add_object(stream.flate_encode())  # noqa: SLF001 - as above
    content = io.BytesIO()
    writer.add_metadata({"/Title": "A"})
    writer.write(content)
    return content.getvalue()
