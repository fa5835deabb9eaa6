"""A demo's settings come from the demo alone."""

from pathlib import Path

import pytest

from api.choices import Provider
from api.demo import shop
from api.demo.settings import DemoSettings, demo_values, webhook_secret
from approvals.outside_links import hosts_in, strange_hosts


def test_the_environment_cannot_get_into_a_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SUPPORT_LLM_PROVIDER", "openai")
    monkeypatch.setenv("SUPPORT_LLM_MODEL", "some-model")
    monkeypatch.setenv("SUPPORT_DATABASE_URL", "postgresql+psycopg://elsewhere/db")
    monkeypatch.setenv("SUPPORT_ZENDESK_WEBHOOK_SECRETS", "from-outside")
    values = demo_values(tmp_path, smtp_port=2525, secret=webhook_secret(), undo_seconds=0.5)
    settings = DemoSettings(**values)  # type: ignore[arg-type] # plain values, checked by the model
    assert settings.llm_provider is Provider.EXTRACTIVE
    assert settings.embedded
    assert settings.data_dir == tmp_path
    assert settings.zendesk_webhook_secrets == ()
    assert (settings.host, settings.smtp_host, settings.smtp_port) == ("127.0.0.1", "127.0.0.1", 2525)
    assert (settings.undo_reply_seconds, settings.undo_refund_seconds) == (0.5, 0.5)
    assert settings.demo


def test_without_a_person_playing_the_undo_windows_are_the_usual_ones(tmp_path: Path) -> None:
    values = demo_values(tmp_path, smtp_port=2525, secret=webhook_secret(), undo_seconds=None)
    settings = DemoSettings(**values)  # type: ignore[arg-type] # as above
    assert (settings.undo_reply_seconds, settings.undo_refund_seconds) == (30, 60)


def test_the_shops_own_links_are_no_strange_ones(tmp_path: Path) -> None:
    values = demo_values(tmp_path, smtp_port=2525, secret=webhook_secret(), undo_seconds=None)
    settings = DemoSettings(**values)  # type: ignore[arg-type] # as above
    files = (path for folder in (shop.ARTICLES, shop.MACROS) for path in folder.rglob("*.*"))
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert sum(bool(hosts_in(text)) for text in texts) > 10
    assert {host for text in texts for host in strange_hosts(text, frozenset(settings.link_hosts))} == set()
    assert strange_hosts("https://hearthwell.example.evil.example/", frozenset(settings.link_hosts)) != ()
