from datetime import date
from pathlib import Path

import pytest

from support_agents.domain.knowledge import Audience
from support_agents.knowledge.loaders import LARGEST_BYTES, load_folder


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def test_front_matter_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a/returns.md",
        "\ufeff---\r\nid: returns\r\ntitle: Return an item\r\naudience: Internal\r\nlanguage: de-AT\r\n"
        "updated: 2026-01-31\r\n---\r\n# Heading\r\nText.",
    )
    (article,) = load_folder(tmp_path).articles
    assert (article.id, article.title, article.language) == ("returns", "Return an item", "de")
    assert article.audience is Audience.INTERNAL
    assert article.updated == date(2026, 1, 31)
    assert article.body.startswith("# Heading")


def test_without_front_matter_path_heading_and_words_tell(tmp_path: Path) -> None:
    write(tmp_path, "hilfe/rueckgabe.md", "# Rückgabe\nSie können Artikel innerhalb von 30 Tagen zurücksenden.")
    write(tmp_path, "plain-page.md", "Only some text about returning lamps to our shop.")
    first, second = load_folder(tmp_path).articles
    assert (first.id, first.title, first.language, first.audience) == ("hilfe/rueckgabe", "Rückgabe", "de", "public")
    assert (second.id, second.title, second.language) == ("plain-page", "plain page", "en")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe broken", "not UTF-8"),
        (b"---\ntitle: [never closed\n---\nText", "not YAML"),
        (b"---\n- a list\n---\nText", "not a list of fields"),
        (b"---\naudience: secret\n---\nText", "audience is 'secret'"),
        (b"---\nupdated: yesterday\n---\nText", "isoformat"),
        (b"---\ntitle: x\n---\n \n", "no text"),
        (b"x" * (LARGEST_BYTES + 1), "larger than"),
    ],
)
def test_a_broken_file_is_reported_and_the_others_are_read(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "broken.md").write_bytes(content)
    write(tmp_path, "good.md", "Good text about lamps.")
    loaded = load_folder(tmp_path)
    assert [article.id for article in loaded.articles] == ["good"]
    assert [broken.path for broken in loaded.broken] == ["broken.md"]
    assert reason in loaded.broken[0].reason


def test_a_broken_file_is_known_by_the_id_it_names(tmp_path: Path) -> None:
    write(tmp_path, "x.md", "---\nid: 'returns'\naudience: secret\n---\nText")
    (tmp_path / "y.md").write_bytes(b"\xff")
    assert {broken.article_id for broken in load_folder(tmp_path).broken} == {"returns", "y"}


def test_the_second_file_of_an_id_is_broken(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "---\nid: same\n---\nFirst text.")
    write(tmp_path, "b.md", "---\nid: same\n---\nSecond text.")
    loaded = load_folder(tmp_path)
    assert loaded.articles[0].body == "First text."
    assert "already taken" in loaded.broken[0].reason


def test_hidden_files_links_and_other_kinds_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, ".git/x.md", "Hidden text.")
    write(tmp_path, "notes.txt", "Not Markdown.")
    write(tmp_path, "real.md", "Real text.")
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    assert [article.id for article in load_folder(tmp_path).articles] == ["real"]


def test_what_is_wrong_with_a_file_comes_with_what_to_do(tmp_path: Path) -> None:
    for name, content in {
        "a.md": b"\xff",
        "b.md": b"---\nid: [\n---\ntext",
        "c.md": b"---\naudience: secret\n---\ntext",
        "d.csv": b"x,y\n1,2\n",
        "e.json": b"[",
        "f.jsonl": b'{"question": "Why?"}\n',
        "g.pdf": b"no PDF",
        "h.json": b"{}",
        "i.csv": b"question,answer\n",
    }.items():
        (tmp_path / name).write_bytes(content)
    told = {broken.path: broken.reason.rpartition("; ")[2] for broken in load_folder(tmp_path).broken}
    assert told == {
        "a.md": "save it as UTF-8",
        "b.md": "mend the lines between the two `---`",
        "c.md": "correct it in the file",
        "d.csv": "name the columns so",
        "e.json": "export it again, or mend it by hand",
        "f.jsonl": "fill that line in, or take it out",
        "g.pdf": "open it to see if it is damaged, and save it anew",
        "h.json": "export it from the help centre again, or take it out of the folder",
        "i.csv": "take it out of the folder, or have the text of a scan recognised first",
    }


def test_the_hash_follows_front_matter_and_body(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "---\ntitle: A\n---\nText.")
    first = load_folder(tmp_path).articles[0].content_hash
    assert load_folder(tmp_path).articles[0].content_hash == first
    write(tmp_path, "a.md", "---\ntitle: B\n---\nText.")
    assert load_folder(tmp_path).articles[0].content_hash != first
