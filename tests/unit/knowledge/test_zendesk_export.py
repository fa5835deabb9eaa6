"""An export of Zendesk: its articles beside a folder's, its macros as drafts, and of solved replies the style alone."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Article, Passage
from support_agents.domain.voice import Voice
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.loaders import Origin
from support_agents.knowledge.macro_drafts import Evidence, drafted, write_drafts
from support_agents.knowledge.macros import load_macros, read_macro
from support_agents.knowledge.parsing.wire import RawArticle
from support_agents.knowledge.reply_style import style_of
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.knowledge.zendesk_export import read_export
from support_agents.testing.knowledge import MemoryPassageStore

RETURNS = "You can return an item within 30 days of delivery. Refunds take 5 working days after we receive the parcel."
WORDING = (
    "Hi {{ticket.requester.first_name}},\n\nYou can return an item within 30 days of delivery. "
    "Refunds take 3 working days after we receive the parcel.\nYour ticket is {{ticket.id}}.\n\n"
    "Best,\n{{current_user.name}}"
)


def written(path: Path, **parts: object) -> Path:
    path.write_text(json.dumps(parts), encoding="utf-8")
    return path


def macro(key: int, **fields: object) -> dict[str, object]:
    action = {"field": "comment_value", "value": ["channel:all", WORDING]}
    return {"id": key, "title": "Return::How long", "active": True, "actions": [action], **fields}


def passages(audience: str = "public") -> tuple[Passage, ...]:
    article = Article.model_validate(
        {"id": "zendesk-101", "title": "Returns", "body": RETURNS, "audience": audience, "content_hash": "1"}
    )
    return passages_of(article, DEFAULT_WORKSPACE)


@pytest.mark.parametrize(
    ("readers", "audience"),
    [
        ({}, "public"),
        ({"user_segment_id": None, "user_segment_ids": []}, "public"),
        ({"user_segment_id": 7}, "internal"),
        ({"user_segment_ids": [7, 8]}, "internal"),
        ({"user_segment_id": None, "user_segment_ids": [7]}, "internal"),
    ],
)
def test_an_article_that_not_everybody_may_read_is_for_us_alone(
    tmp_path: Path, readers: dict[str, object], audience: str
) -> None:
    article = {"id": 101, "title": "Returns", "body": f"<p>{RETURNS}</p>", **readers}
    found = read_export(written(tmp_path / "all.json", articles=[article])).articles
    assert found is not None
    assert [one.audience for one in found.articles] == [audience]


def test_the_translations_of_an_article_are_articles_and_two_of_one_locale_are_named(tmp_path: Path) -> None:
    texts = [("en-us", RETURNS), ("de", "Sie haben dreißig Tage für die Rückgabe."), ("en-us", "Another text.")]
    listed = [{"id": 101, "title": "Returns", "locale": locale, "body": f"<p>{text}</p>"} for locale, text in texts]
    found = read_export(written(tmp_path / "all.json", articles=listed)).articles
    assert found is not None
    assert [(one.language, one.body) for one in found.articles] == [("en", RETURNS), ("de", texts[1][1])]
    assert found.articles[0].id == "zendesk-101"
    assert all(Origin.of(one.id) is Origin.ZENDESK for one in found.articles)
    assert [(one.path, one.article_id) for one in found.broken] == [("all.json", "zendesk-101")]


async def test_a_folder_and_an_export_leave_one_another_alone(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "own.md").write_text("Our own text.", encoding="utf-8")
    store = MemoryPassageStore()
    sync = KnowledgeSync(store)
    both = [{"id": 101, "title": "Returns", "body": f"<p>{RETURNS}</p>"}, {"title": "No id", "body": "<p>Text.</p>"}]
    export = read_export(written(tmp_path / "all.json", articles=both)).articles
    assert export is not None
    assert all(Origin.of(one.id) is Origin.ZENDESK for one in export.articles)
    await sync.sync(tmp_path / "kb", DEFAULT_WORKSPACE)
    await sync.store(export, DEFAULT_WORKSPACE)
    assert (await sync.sync(tmp_path / "kb", DEFAULT_WORKSPACE)).removed == 0
    fewer = read_export(written(tmp_path / "all.json", articles=both[:1])).articles
    assert fewer is not None
    assert (await sync.store(fewer, DEFAULT_WORKSPACE)).removed == 1
    assert set(await store.article_hashes(DEFAULT_WORKSPACE)) == {"own", "zendesk-101"}


def test_macros_that_write_to_nobody_or_are_out_of_use_are_left_out(tmp_path: Path) -> None:
    note = {"field": "comment_mode_is_public", "value": "false"}
    html = {"field": "comment_value_html", "value": "<p>Send it <b>back</b>.</p>"}
    macros = [
        macro(7),
        macro(8, active=False),
        macro(9, actions=[{"field": "comment_value", "value": "Ours."}, note]),
        macro(10, actions=[{"field": "status", "value": "solved"}]),
        macro(11, actions=[html]),
    ]
    export = read_export(written(tmp_path / "macros.json", macros=macros))
    assert export.articles is None
    assert [(one.key, one.body) for one in export.macros] == [("7", WORDING), ("11", "Send it back.")]


def test_only_what_a_public_article_says_is_marked_and_no_draft_is_in_use(tmp_path: Path) -> None:
    raw = RawArticle(key="7", title="Return::How long", body=WORDING)
    draft = drafted(raw, Evidence.of(passages()))
    assert draft.content.partition("## main\n")[2].splitlines() == [
        "You can return an item within 30 days of delivery. [zendesk-101]",
        "Refunds take 3 working days after we receive the parcel.",
        "Your ticket is {{ticket.id}}.",
    ]
    assert (draft.borne_out, draft.open) == (1, 2)
    assert drafted(raw, Evidence.of(passages("internal"))).borne_out == 0
    assert write_drafts([draft], tmp_path) == (1, 0)
    assert load_macros(tmp_path) == ()


@pytest.mark.parametrize(
    "body",
    [
        "We pay all of it back at once [courtesy].",
        "You certainly can [yes].",
        "You get {order.total} back.",
        "Write to us.\n## other\n~ It is free.",
        "One thing. ~ Another thing.",
        "if {words: [[card]]}: It is free.",
        "{% if ticket.id %}It is free.{% endif %}",
    ],
)
def test_nothing_that_was_written_elsewhere_is_read_as_ours(tmp_path: Path, body: str) -> None:
    draft = drafted(RawArticle(key="7", title="A", body=body), Evidence.of(passages()))
    finished = tmp_path / f"{draft.id}.md"
    finished.write_text(draft.content.replace("questions:\n", 'questions:\n  - "a"\n  - "b"\n  - "c"\n'))
    with pytest.raises(SupportError, match=r"case main: .*(names nothing that it rests on|placeholder of another)"):
        read_macro(finished)
    assert draft.borne_out == 0
    assert "[courtesy]" not in draft.content
    assert draft.content.count("## ") == 1
    assert "~" not in draft.content


def test_what_no_file_can_hold_stops_no_macro(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    reply = {**ticket(1, ""), "comments": [{"author_id": 2, "public": True, "body": "Yes \ud800."}]}
    path.write_text(json.dumps({"macros": [macro(7, title="A\x7f\ud800"), macro(8)], "tickets": [reply]}))
    export = read_export(path, with_replies=True)
    drafts = [drafted(one, Evidence.of(())) for one in export.macros]
    assert write_drafts(drafts, tmp_path / "macros") == (2, 0)
    assert '  - "A?"\n' in drafts[0].content
    assert style_of(export.replies) == {}


def test_a_brace_that_opens_no_slot_is_named_with_its_file(tmp_path: Path) -> None:
    draft = drafted(RawArticle(key="7", title="A", body="It is free."), Evidence.of(()))
    finished = tmp_path / f"{draft.id}.md"
    asked = draft.content.replace("questions:\n", 'questions:\n  - "a"\n  - "b"\n  - "c"\n')
    finished.write_text(asked.replace("free.", "free with {SAVE."))
    with pytest.raises(SupportError, match=r"zendesk-7\.md: case main: .*a brace that belongs to no slot"):
        read_macro(finished)


def test_a_finished_draft_is_a_macro_and_an_unfinished_one_says_what_is_wanting(tmp_path: Path) -> None:
    draft = drafted(RawArticle(key="7", title='How "long"?', body=WORDING), Evidence.of(passages()))
    finished = tmp_path / f"{draft.id}.md"
    finished.write_text(draft.content, encoding="utf-8")
    with pytest.raises(SupportError, match=r"questions: .*at least 4"):
        read_macro(finished)
    asked = draft.content.replace("questions:\n", 'questions:\n  - "a"\n  - "b"\n  - "c"\n')
    finished.write_text(asked, encoding="utf-8")
    with pytest.raises(SupportError, match=r"Refunds take 3 working days.*names nothing that it rests on"):
        read_macro(finished)
    finished.write_text(asked.replace("parcel.", "parcel. [zendesk-101]"), encoding="utf-8")
    with pytest.raises(SupportError, match="placeholder of another system"):
        read_macro(finished)
    finished.write_text(asked.replace("parcel.", "parcel. [zendesk-101]").replace("{{ticket.id}}", "{order.id}"))
    assert read_macro(finished).questions[-1] == 'How "long"?'


def test_what_a_person_has_begun_or_finished_is_not_written_over(tmp_path: Path) -> None:
    drafts = [drafted(RawArticle(key=str(key), title="A", body="Yes."), Evidence.of(())) for key in (1, 2, 3)]
    (tmp_path / "zendesk-1.md.draft").write_text("begun")
    (tmp_path / "zendesk-2.md").write_text("finished")
    assert write_drafts(drafts, tmp_path) == (1, 2)
    assert (tmp_path / "zendesk-1.md.draft").read_text() == "begun"
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "zendesk-1.md.draft",
        "zendesk-2.md",
        "zendesk-3.md.draft",
    ]


@pytest.mark.parametrize("content", ["", "no", "[]", "{}", '{"articles": 1}', '{"macros": [1, {"actions": 2}]}'])
def test_a_file_with_nothing_to_use_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SupportError, match=r"export\.json .*give a JSON object with `articles`"):
        read_export(path, with_replies=True)


def ticket(number: int, reply: str, *, status: str = "solved") -> dict[str, object]:
    said = [
        {"author_id": 1, "public": True, "body": f"Customer's word {number}"},
        {"author_id": 2, "public": True, "body": reply},
        {"author_id": 2, "public": False, "body": "Between us."},
    ]
    return {"id": number, "status": status, "requester_id": 1, "via": {"channel": "email"}, "comments": said}


def replies(texts: Sequence[str], *, writers: int = 3, customers: int = 30) -> list[RawArticle]:
    """Replies by e-mail of several of us, in turn, to several customers."""
    return [
        RawArticle(key=f"{at % customers}", title="email", body=text, author=f"{writers}.{at % writers}")
        for at, text in enumerate(texts)
    ]


def test_solved_replies_are_read_only_if_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", tickets=[ticket(1, "Ours."), ticket(2, "Not yet.", status="open")], macros=[])
    assert [one.body for one in read_export(path, with_replies=True).replies] == ["Ours."]
    with pytest.raises(SupportError, match="nothing that can be used"):
        read_export(path)


def test_of_solved_replies_only_the_style_is_kept() -> None:
    texts = [
        f"Hello Anna Muster{number},\n\nyour order HW-{number:05d} is on its way to you and will be there soon.\n\n"
        "Warm greetings\nYour Hearthwell team"
        for number in range(40)
    ]
    voice = style_of(replies(texts))
    assert Voice.model_validate(voice).signature == {"en": "Warm greetings\nYour Hearthwell team"}
    assert Voice.model_validate(voice).words_for("email") == len(texts[0].split())
    assert "Muster" not in yaml.safe_dump(voice)
    assert "HW-" not in yaml.safe_dump(voice)
    assert style_of([RawArticle(key="1", title="email", body=texts[0])] * 19) == {}


def test_what_is_too_short_to_tell_its_language_is_in_the_accounts() -> None:
    assert "language: de\n" in drafted(RawArticle(key="7", title="A", body="OK."), Evidence.of(()), "de").content
    voice = style_of(replies([f"{at}\n\nHW 12" for at in range(40)]), "de")
    assert voice["signature"] == {"de": "HW 12"}


@pytest.mark.parametrize(
    "end", ["Kind regards\nMaria Keller", "Maria Keller\nCustomer Care", "Maria", "MfG\nM. Keller"]
)
def test_a_persons_name_is_no_signature(end: str) -> None:
    signed = [f"It was sent on day {number}, as you wished.\n\n{end}" for number in range(20)]
    team = [f"It was sent on day {number}, as you wished.\n\nYour Hearthwell team" for number in range(20)]
    assert "Maria" not in yaml.safe_dump(style_of(replies(signed, writers=1)))
    both = style_of([*replies(signed, writers=1), *replies(team, writers=3)])
    assert both["signature"] == {"en": "Your Hearthwell team"}


def test_what_is_written_to_one_customer_alone_is_no_signature() -> None:
    texts = [f"Parcel {number} has left our house.\n\nThanks for your patience, Maria!" for number in range(40)]
    assert "signature" not in style_of(replies(texts, customers=1))


def test_a_ticket_that_does_not_tell_its_customer_has_no_reply_of_ours(tmp_path: Path) -> None:
    nobody = {name: value for name, value in ticket(1, "Ours.").items() if name != "requester_id"}
    path = written(tmp_path / "t.json", tickets=[nobody, ticket(2, "Ours too.")])
    assert [one.body for one in read_export(path, with_replies=True).replies] == ["Ours too."]
