"""Settings: defaults that work, errors that say what to do and never quote a secret."""

from pathlib import Path

import pytest

from api.model_settings import PREFIX
from api.settings import Settings, load
from api.settings_table import table
from support_agents.domain.errors import SupportError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in table():
        monkeypatch.delenv(row.variable, raising=False)


def refusal(**overrides: object) -> str:
    with pytest.raises(SupportError) as refused:
        load(overrides)
    assert refused.value.code == "settings"
    return refused.value.message


def test_the_defaults_are_local_and_send_nothing() -> None:
    settings = load()
    assert settings.host == "127.0.0.1"
    assert settings.mode == "observe"
    assert settings.embedded
    assert settings.database.startswith("sqlite+aiosqlite:///")
    assert settings.llm_provider == "extractive"
    outside = (settings.smtp_host, settings.zendesk_base_url, settings.standard_webhook_secrets)
    assert not any(outside)


def test_a_fuller_draft_may_be_switched_on_alone_and_take_long_where_its_worker_keeps_the_lease() -> None:
    assert load({"llm_fuller_draft": True}).llm_fuller_draft
    beside = {"database_url": "postgresql+psycopg://localhost/support", "secret_key": "k" * 32}
    distributed = {**beside, "broker_url": "redis://127.0.0.1/0"}
    assert load({"llm_fuller_draft": True, "llm_fuller_seconds": 60, **distributed}).distributed


def test_the_environment_is_read_with_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPPORT_PORT", "9000")
    monkeypatch.setenv("SUPPORT_STANDARD_WEBHOOK_SECRETS", "whsec_AAAA, whsec_BBBB")
    monkeypatch.setenv("SUPPORT_STAGES__DRAFTING", "0.7")
    settings = load()
    assert settings.port == 9000
    assert [secret.get_secret_value() for secret in settings.standard_webhook_secrets] == ["whsec_AAAA", "whsec_BBBB"]
    assert settings.stages.drafting == 0.7


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"port": "ninety"}, "SUPPORT_PORT"),
        ({"standard_webhook_secrets": "hunter2"}, "whsec_"),
        ({"public_url": "support.example"}, "https://"),
        ({"trusted_proxies": "proxy.example"}, "10.0.0.0/8"),
        ({"trusted_proxies": "*"}, "SUPPORT_TRUSTED_PROXIES"),
        ({"llm_provider": "openai"}, "SUPPORT_LLM_MODEL"),
        ({"llm_second_provider": "openai"}, "SUPPORT_LLM_SECOND_MODEL"),
        ({"llm_second_provider": "extractive", "llm_second_model": "m"}, "name another provider"),
        ({"llm_base_url": "api.example"}, "SUPPORT_LLM_BASE_URL"),
        ({"smtp_host": "mail"}, "SUPPORT_SMTP_FROM_ADDRESS"),
        ({"zendesk_base_url": "https://x.zendesk.com"}, "SUPPORT_ZENDESK_TOKEN"),
        ({"fault_point": "after:decide"}, "SUPPORT_TESTING"),
        ({"business_timezone": "Middle/Earth"}, "Europe/Berlin"),
        ({"lease_seconds": 1}, "SUPPORT_DEADLINE_SECONDS"),
        ({"llm_fuller_draft": True, "llm_fuller_seconds": 15}, "SUPPORT_LLM_FULLER_SECONDS"),
        ({"deadline_seconds": 0}, "SUPPORT_DEADLINE_SECONDS"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(overrides: dict[str, object], said: str) -> None:
    assert said in refusal(**overrides)


def test_a_refusal_never_quotes_the_value() -> None:
    assert "hunter2" not in refusal(standard_webhook_secrets="hunter2")


def test_secrets_are_not_shown() -> None:
    settings = load({"llm_api_key": "sk-secret", "smtp_password": "hunter2", "zendesk_webhook_secrets": "zd-secret"})
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert not any(secret in shown for secret in ("sk-secret", "hunter2", "zd-secret"))


def test_every_setting_is_documented() -> None:
    rows = table()
    assert {row.variable for row in rows} == {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert all(row.meaning for row in rows)
    assert str(Path.home()) not in "".join(row.default for row in rows)


def test_a_database_url_of_ones_own_wins() -> None:
    assert not load({"database_url": "postgresql+psycopg://localhost/x"}).embedded


@pytest.mark.parametrize(
    ("overrides", "url"),
    [
        ({"port": 81}, "http://127.0.0.1:81"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"public_url": "https://help.example/"}, "https://help.example"),
    ],
)
def test_the_consoles_address(overrides: dict[str, object], url: str) -> None:
    assert load(overrides).url == url


def test_workspaces_that_stay_inside_are_ids() -> None:
    one = "00000000-0000-7000-8000-000000000001"
    assert [str(found) for found in load({"local_only_workspaces": f"{one}, "}).local_only_workspaces] == [one]
    with pytest.raises(SupportError, match="SUPPORT_LOCAL_ONLY_WORKSPACES"):
        load({"local_only_workspaces": "the default one"})
