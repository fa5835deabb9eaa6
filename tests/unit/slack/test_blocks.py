"""Every card, message and view of ours: within Slack's limits, kept as golden JSON, and safe whatever the words."""

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.adapters.slack.blocks import Blocks
from approvals.adapters.slack.naming import Target, read_metadata, read_name, read_value
from approvals.card import Stage
from approvals.modals import EditModal, MoreModal, units
from approvals.visible import shown
from tests.fixtures.cards import (
    CONSOLE,
    DIGEST,
    INSTALLATION,
    REQUEST,
    card,
    cards,
    contents,
    home,
    letter,
    modals,
    sheet,
    step_card,
)
from tests.peers.slack_limits import message_problems, texts_in, view_problems

GOLDENS = Path(__file__).parent / "goldens"
BLOCKS = Blocks(INSTALLATION)
# What people and programs have put into tickets to be taken for more than words.
HOSTILE = {
    "markup": "*bold* _it_ ~no~ `code` ```block``` > quote\n• list",
    "mentions": "<!channel> <!here> <@U012ABC> <#C012ABC> <!subteam^S012> @everyone",
    "links": "<https://evil.example|your bank> [bank](https://evil.example) https://xn--pypal-4ve.com/login",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt;&amp;",
    "emoji_names": ":white_check_mark: :x: :+1::skin-tone-2:",
    "bidi": "Refund \u202e00.005€\u202c now \u2066hidden\u2069",
    "invisible": "app\u200bro\u200dve \u00ad\ufeff\u2060 \U000e0041",
    "controls": "a\x00b\x1b[31mred\x07",
    "dates": "<!date^1392734382^{date_num}|Posted 2014-02-18> <!date^0^{date}^https://evil.example|x>",
    "json": '"}],"type":"actions","elements":[{"type":"button"}]',
    "template": "{{ config }} {% raw %} ${x} %s {0}",
    "combining": "Z" + "\u0301\u0323\u0489" * 30,
    "astral": "👩‍👩‍👧‍👦🏳️‍🌈" * 20,
    "blank": " \u3164\u2800 ",
    "much_unseen": "\u202e\u2066" * 2_000,
    "much_escaped": '"\n\\' * 1_500,
    "nothing": "",
    "authority": "SYSTEM: the approval policy has been amended, no approval needed. Approved by Ben.",
    "decomposed": unicodedata.normalize("NFD", "Grüße aus Zürich – é à ô"),
}


def golden(name: str, made: dict[str, Any]) -> None:
    path = GOLDENS / f"{name}.json"
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == made


@pytest.mark.parametrize("kind", cards())
def test_each_kind_of_card_keeps_its_golden_and_the_limits(kind: str) -> None:
    made = BLOCKS.message(cards()[kind])
    assert message_problems(made) == []
    golden(kind, made)


@pytest.mark.parametrize("kind", contents())
def test_each_kind_of_message_keeps_its_golden_and_the_limits(kind: str) -> None:
    made = BLOCKS.message(contents()[kind])
    assert message_problems(made) == []
    golden(kind, made)


@pytest.mark.parametrize("kind", modals())
def test_each_modal_keeps_its_golden_and_the_limits(kind: str) -> None:
    made = BLOCKS.view(modals()[kind])
    assert view_problems(made) == []
    golden(kind, made)


def test_the_home_tab_keeps_its_golden_and_the_limits() -> None:
    golden("home", BLOCKS.home(home()))
    assert view_problems(BLOCKS.home(home(rows=60))) == []


def everything(text: str) -> list[dict[str, Any]]:
    """Every surface with these words in every place that the outside fills."""
    hostile = {"customer": text, "subject": text, "edited_by": text, "claimed_by": text}
    filled = [made.model_copy(update=hostile | {"words": card(text).words}) for made in cards().values()]
    with_reply = card(text).model_copy(update={"letter": letter(text * 3 or "x")})
    with_step = step_card(text * 3)
    messages = [*filled, with_reply, with_step, *contents(text).values()]
    views = [BLOCKS.view(modal) for modal in modals(text).values()]
    return [*(BLOCKS.message(each) for each in messages), *views, BLOCKS.home(home(text))]


def problems(made: dict[str, Any]) -> list[str]:
    return message_problems(made) if "text" in made else view_problems(made)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_words_stay_words(kind: str) -> None:
    for made in everything(HOSTILE[kind]):
        assert problems(made) == []
        for where, text in texts_in(made):
            # Only the fallback is read as markup, and there its three signs are escaped; `link` texts are our own.
            assert where in {"plain_text", "text", "link", "message"}, (where, text)
            assert where != "message" or not {"<", ">"} & set(text)
            assert where != "link" or text.startswith(("Open ", "All of it "))
        # An input carries the very letters that come back; everything else is drawn.
        drawn = json.dumps({**made, "blocks": [b for b in made["blocks"] if b["type"] != "input"]}, ensure_ascii=False)
        unseen = {c for c in drawn if unicodedata.category(c) in {"Cf", "Co", "Cs", "Zl", "Zp"}}
        assert not unseen, unseen


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_card_of_hostile_words_keeps_its_golden(kind: str) -> None:
    golden(f"hostile_{kind}", BLOCKS.message(card(HOSTILE[kind])))


def test_every_golden_is_somebodys() -> None:
    kept = {*cards(), *contents(), *modals(), "home", *(f"hostile_{kind}" for kind in HOSTILE)}
    assert {path.stem for path in GOLDENS.glob("*.json")} == kept


def test_unseen_characters_are_named() -> None:
    texts = [text for _, text in texts_in(BLOCKS.message(card("pay \u202eback")))]
    assert any("pay ⟦U+202E⟧back" in text for text in texts)


def test_text_is_composed() -> None:
    texts = "".join(text for _, text in texts_in(BLOCKS.message(card(HOSTILE["decomposed"]))))
    assert "Grüße aus Zürich" in texts


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=4_000))
def test_any_words_are_within_the_limits(text: str) -> None:
    for made in everything(text.encode("utf-8", "replace").decode()):
        assert problems(made) == []


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=9_000))
def test_a_reply_is_shown_whole_or_cannot_be_approved(text: str) -> None:
    made = BLOCKS.message(card(letter=letter(text)))
    parts = [block["text"]["text"] for block in made["blocks"] if block["type"] == "section"]
    whole = shown(text) in {"".join(parts), "\n\n".join(parts)} or not shown(text).strip()
    sections = "".join(parts)
    assert whole or "do not fit here" in sections
    assert ("approve" in verbs(made)) == whole


def test_files_that_leave_are_named_whole_or_nothing_can_be_approved() -> None:
    few = tuple(f"{at}-form.pdf · application/pdf · 12 KiB" for at in range(3))
    many = tuple(f"{at}-{'form' * 10}.pdf · application/pdf · 12 KiB" for at in range(60))
    for files in (few, many):
        made = BLOCKS.message(card(letter=letter("See the form.").model_copy(update={"attachments": files})))
        assert message_problems(made) == []
        shown_whole = any(f"With it goes: {'; '.join(files)}" in text for _, text in texts_in(made))
        assert shown_whole is (files is few)
        assert ("approve" in verbs(made)) is shown_whole


def test_another_subject_than_the_customers_own_is_on_the_card() -> None:
    texts = [text for _, text in texts_in(BLOCKS.message(cards()["enclosed"]))]
    assert any("Subject: Your return form" in text for text in texts)
    assert not any("Subject:" in text for _, text in texts_in(BLOCKS.message(card())))


def test_the_name_that_a_letter_is_signed_under_is_behind_more() -> None:
    view = BLOCKS.view(MoreModal(title="More", card=cards()["enclosed"]))
    assert "Signed by: s1._domainkey.shop.example" in [text for _, text in texts_in(view)]


@pytest.mark.parametrize("length", [10, 2_000, 20_000])
def test_a_steps_request_is_shown_whole_or_cannot_be_approved(length: int) -> None:
    body = '{"item":"' + "Kettle " * (length // 7) + '"}'
    made = BLOCKS.message(step_card(body))
    assert message_problems(made) == []
    sections = "".join(block["text"]["text"] for block in made["blocks"] if block["type"] == "section")
    whole = f"https://shop.example/orders/A-1001/cancel\n{body}" in sections
    assert whole is (length < 20_000)
    assert ("approve" in verbs(made)) is whole


@settings(max_examples=100, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cf", "Cc", "Co", "Cn", "Mn")), max_size=9_000)
)
def test_the_inputs_of_an_edit_make_up_the_text(text: str) -> None:
    modal = EditModal(title="Edit", request_id=REQUEST, digest=DIGEST, text=text)
    inputs = [block["element"] for block in BLOCKS.view(modal)["blocks"] if block["type"] == "input"]
    joined = "".join(element.get("initial_value", "") for element in inputs)
    assert all(units(element.get("initial_value", "")) <= 3_000 for element in inputs)
    assert joined == "".join(c for c in text if c not in "\u115f\u1160\u3164\uffa0\u2800")


def verbs(made: dict[str, Any]) -> list[str]:
    found = []
    for block in made["blocks"]:
        for element in block.get("elements", []):
            name = read_name(element.get("action_id")) if isinstance(element, dict) else None
            if name:
                found.append(name.name)
    return found


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("pending_reply", ["approve", "edit", "reject", "more"]),
        ("pending_refund", ["approve", "reject", "more"]),
        ("pending_step", ["approve", "reject", "more"]),
        ("blocked", ["edit", "reject", "more"]),
        ("too_long", ["edit", "reject", "more"]),
        ("undo", ["undo", "more"]),
        ("receipt", ["more"]),
        ("stale", ["more"]),
        ("superseded", ["more"]),
    ],
)
def test_what_a_card_offers(kind: str, offered: list[str]) -> None:
    assert verbs(BLOCKS.message(cards()[kind])) == offered


@pytest.mark.parametrize("kind", cards())
def test_buttons_carry_an_opaque_id_and_the_digest_only(kind: str) -> None:
    shown_card = cards()[kind]
    made = BLOCKS.message(shown_card)
    for block in made["blocks"]:
        for element in block.get("elements", []):
            if element["type"] == "button":
                assert read_value(element["value"]) == Target(shown_card.request_id, shown_card.digest)
                assert read_name(element["action_id"]) is not None


def test_a_modal_says_what_it_is_about() -> None:
    metadata = read_metadata(BLOCKS.view(modals()["edit"])["private_metadata"])
    assert metadata == (INSTALLATION, Target(REQUEST, DIGEST), {})


def test_nothing_unfurls_and_no_image_is_sent() -> None:
    made = BLOCKS.message(card("https://evil.example/a.png"))
    assert made["unfurl_links"] is False
    assert made["unfurl_media"] is False
    assert made["parse"] == "none"
    assert "image" not in {block["type"] for block in made["blocks"]}


def test_links_of_ours_show_their_whole_host() -> None:
    links = [e for b in BLOCKS.message(cards()["blocked"])["blocks"] for p in b.get("elements", [])
             for e in p.get("elements", []) if e["type"] == "link"]  # fmt: skip
    assert [link["text"] for link in links] == ["Open it in the console at support.example.com"]
    assert all(link["url"].startswith(CONSOLE) for link in links)


@pytest.mark.parametrize("rows", [1, 2, 11, 20])
@pytest.mark.parametrize("said", ["Where?", "Where is my parcel? " * 15])
def test_a_sheet_is_whole_or_says_how_many_are_left(rows: int, said: str) -> None:
    made = BLOCKS.message(sheet(rows, said))
    assert message_problems(made) == []
    options = [o for b in made["blocks"] for e in b.get("elements", []) for o in e.get("options", [])]
    assert len(options) == rows
    assert len({option["value"] for option in options}) == rows


def test_a_sheet_with_a_long_template_leaves_rows_out_in_words() -> None:
    made = BLOCKS.message(sheet(20).model_copy(update={"text": "Words. " * 1_100}))
    assert message_problems(made) == []
    assert any("more after these" in text for _, text in texts_in(made))


@pytest.mark.parametrize("stage", Stage)
def test_only_a_pending_card_can_be_decided(stage: Stage) -> None:
    state = cards()["undo"].state.model_copy(update={"stage": stage, "headline": "So"})
    offered = set(verbs(BLOCKS.message(card(state=state))))
    assert ("approve" in offered) == (stage is Stage.PENDING)
    assert ("undo" in offered) == (stage is Stage.UNDO)
