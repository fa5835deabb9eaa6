"""Customer HTML can do nothing here."""

import pytest

from api.console.outside_html import harmless


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<script>alert(1)</script>ok", "ok"),
        ('<p hx-get="/console" hx-trigger="load">ok</p>', "<p>ok</p>"),
        (
            '<p data-hx-post="/x" data-key="a" onclick="x()" style="position:fixed" class="c" id="main">ok</p>',
            "<p>ok</p>",
        ),
        ('<img src="https://evil.example/p.gif">ok', "ok"),
        ('<a href="https://evil.example">ok</a>', "ok"),
        ('<form action="/console/sign-out"><button>go</button></form>', "go"),
        ("<style>*{display:none}</style>ok", "ok"),
        ('<svg><animate onbegin="x()"></animate></svg>ok', "ok"),
        ("<!-- a comment -->ok", "ok"),
        ('<hx-partial hx-target="#state">ok</hx-partial>', "ok"),
        ('<td colspan="2">ok', "ok"),
        ("<b>&#x202e;ok", "<b>⟦U+202E⟧ok</b>"),
        ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>ok", "'&gt;ok"),
    ],
)
def test_only_text_tags_are_left(html: str, shown: str) -> None:
    assert harmless(html) == shown


def test_deep_nesting_is_survived() -> None:
    assert "ok" in harmless("<div>" * 5_000 + "ok")
