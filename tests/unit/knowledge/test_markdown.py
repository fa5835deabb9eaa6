import pytest

from support_agents.knowledge.markdown import BlockKind, blocks, plain


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("**Bold** and *italic* and ***both***", "Bold and italic and both"),
        ("__bold__ and _italic_ but snake_case_name", "bold and italic but snake_case_name"),
        ('See [the shop](https://shop.example/a_(b) "x").', "See the shop."),
        ("See [the shop][1] and <https://shop.example>", "See the shop and https://shop.example"),
        ("![An image](img/a.png) Text ![][2]", "Text"),
        ("[![badge](a.png)](https://x.example) Text", "Text"),
        ("Press `Ctrl + C` ~~twice~~", "Press Ctrl + C twice"),
        ("A &amp; B &lt;3 \\*not italic\\*", "A & B <3 *not italic*"),
        ("Footnote[^1] {#anchor} <b>tag</b>", "Footnote tag"),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
        ("", ""),
    ],
)
def test_marks_go_and_words_stay(marked: str, expected: str) -> None:
    assert plain(marked) == expected


def kinds(markdown: str) -> list[tuple[BlockKind, tuple[str, ...]]]:
    return [(block.kind, block.lines) for block in blocks(markdown)]


def test_headings_of_every_form() -> None:
    found = blocks('# One\n\nTwo\n---\n\nThree\n===\n\n<h2 id="x">Four</h2>\n### Five ###')
    assert [(block.level, block.lines[0]) for block in found] == [
        (1, "One"),
        (2, "Two"),
        (1, "Three"),
        (2, "Four"),
        (3, "Five"),
    ]


def test_soft_breaks_join_and_hard_breaks_stay() -> None:
    assert kinds("One\ntwo\n\nThree  \nfour\\\nfive") == [
        (BlockKind.TEXT, ("One two",)),
        (BlockKind.TEXT, ("Three", "four", "five")),
    ]


def test_lists_keep_their_items_numbered_as_they_are_meant() -> None:
    found = kinds("1. One\n1. Two\n   more\n\n   - deep\n1. Three\n\nAfter")
    assert found == [
        (BlockKind.ITEMS, ("1. One", "2. Two more", "- deep", "3. Three")),
        (BlockKind.TEXT, ("After",)),
    ]


def test_tables_become_readable_rows() -> None:
    table = "| Size | Price |\n|------|:-----:|\n| S | 4 € |\n| M | **5 €** |"
    assert kinds(table) == [(BlockKind.ITEMS, ("Size: S; Price: 4 €", "Size: M; Price: 5 €"))]


def test_alerts_are_named_and_quotes_unwrapped() -> None:
    assert kinds("> [!NOTE]\n> Keep the receipt.\n> Always.") == [
        (BlockKind.TEXT, ("Note: Keep the receipt. Always.",))
    ]
    assert kinds("> [!WARNING] Hot!") == [(BlockKind.TEXT, ("Warning: Hot!",))]
    assert kinds("> Plain quote") == [(BlockKind.TEXT, ("Plain quote",))]


def test_code_keeps_its_lines_and_is_not_read_as_markdown() -> None:
    assert kinds("```cpp\n# not a heading\nint *a;\n\nint b;\n```\nAfter") == [
        (BlockKind.CODE, ("# not a heading", "int *a;", "int b;")),
        (BlockKind.TEXT, ("After",)),
    ]


def test_comments_scripts_rules_and_definitions_are_dropped() -> None:
    assert kinds("<!-- hidden\n# x -->\n***\n[1]: https://x.example\n<script>bad()</script>\nText") == [
        (BlockKind.TEXT, ("Text",))
    ]


@pytest.mark.parametrize(
    "odd", ["", "\n\n", "> > > > x", "```\nnever closed", "|", "- ", "#", "[", "![", "* * *", ">" * 5000]
)
def test_odd_input_is_read(odd: str) -> None:
    assert isinstance(blocks(odd), tuple)
