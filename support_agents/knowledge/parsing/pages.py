"""HTML as Markdown: whole pages without what stands around the text, fragments whole; for the parsing process only."""

from collections.abc import Iterator
from typing import Any

from support_agents.knowledge.parsing.wire import RawArticle, UnreadableError

_LEFT_OUT = ("script", "style", "noscript", "template", "iframe", "svg", "form", "nav")
_BLOCKS = frozenset(("p", "div", "section", "article", "blockquote", "ul", "ol", "table", "header", "footer", "main"))
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LEAST_TOLD_APART = 200
_MOST_NODES = 200_000


def html(name: str, content: bytes) -> Iterator[RawArticle]:
    """Read the main text of a page; a page in which none can be told apart is read whole."""
    import trafilatura  # noqa: PLC0415
    from lxml import html as lxml_html  # noqa: PLC0415

    root = lxml_html.document_fromstring(content)
    if sum(1 for _ in root.iter()) > _MOST_NODES:
        raise UnreadableError("too_large", f"has more than {_MOST_NODES:,} elements")
    title, language = _title(root), str(root.get("lang") or "").split("-")[0]
    marked = [*root.iter("main")] or [*root.iter("article")]
    if len(marked) == 1:
        text = _markdown(marked[0])
    else:
        told_apart = trafilatura.extract(
            content, output_format="markdown", include_comments=False, include_tables=True, favor_recall=True
        )
        # Of a short page too little is told apart to be believed.
        text = told_apart if told_apart and len(told_apart) >= _LEAST_TOLD_APART else _markdown(root.find("body"))
    yield RawArticle(key=name, title=title, body=text, language=language)


def whole(name: str, content: bytes) -> Iterator[RawArticle]:
    """Read all text of a page that somebody sent: none of it is furniture."""
    from lxml import html as lxml_html  # noqa: PLC0415

    root = lxml_html.document_fromstring(content)
    if sum(1 for _ in root.iter()) > _MOST_NODES:
        raise UnreadableError("too_large", f"has more than {_MOST_NODES:,} elements")
    yield RawArticle(key=name, title="", body=_markdown(root.find("body")))


def sitemap(_name: str, content: bytes) -> Iterator[RawArticle]:
    """Read the addresses of a sitemap, or of a list with one a line; each stands as a key with its date."""
    from lxml import etree  # noqa: PLC0415

    if not content.lstrip().startswith(b"<"):
        lines = map(str.strip, content.decode("utf-8-sig").splitlines())
        yield from (RawArticle(key=line, title="", body=line) for line in lines if line and line[0] != "#")
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    for entry in etree.fromstring(content, parser).iter("{*}url"):
        address = (entry.findtext("{*}loc") or "").strip()
        if address:
            yield RawArticle(key=address, title="", body=address, updated=(entry.findtext("{*}lastmod") or "")[:10])


def markdown_of_fragment(fragment: str) -> str:
    """Return an article's HTML body as Markdown; everything in it is text."""
    from lxml import html as lxml_html  # noqa: PLC0415

    return _markdown(lxml_html.fromstring(f"<div>{fragment}</div>")) if fragment.strip() else ""


def _title(root: Any) -> str:  # noqa: ANN401 - lxml ships no types
    for path in (".//h1", ".//title"):
        found = root.find(path)
        if found is not None and (text := " ".join(found.text_content().split())):
            return text
    return ""


def _markdown(root: Any) -> str:  # noqa: ANN401 - as above
    """Walk without recursion, so that no nesting is too deep."""
    if root is None:
        return ""
    for unwanted in list(root.iter(*_LEFT_OUT)):
        unwanted.drop_tree()
    parts: list[str] = []
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, leaving = stack.pop()
        if leaving:
            parts += [_after(node), (node.tail or "") if node is not root else ""]
            continue
        if isinstance(node.tag, str):
            parts += [_before(node), node.text or ""]
            stack.append((node, True))
            stack += [(child, False) for child in reversed(node)]
        else:
            parts.append(node.tail or "")  # a comment
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line, before in _with_previous(lines) if line or before).strip()


def _with_previous(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    before = ""
    for line in lines:
        yield line, before
        before = line


def _before(node: Any) -> str:  # noqa: ANN401 - as above
    if node.tag in _HEADINGS:
        return f"\n\n{'#' * _HEADINGS[node.tag]} "
    if node.tag == "li":
        return "\n- "
    if node.tag == "td" and node.getprevious() is not None:
        return " | "
    return {"br": "\n", "tr": "\n"}.get(node.tag, "\n\n" if node.tag in _BLOCKS else "")


def _after(node: Any) -> str:  # noqa: ANN401 - as above
    return "\n\n" if node.tag in _BLOCKS or node.tag in _HEADINGS else ""
