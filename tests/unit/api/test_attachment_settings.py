"""Reading customers' files is switched on whole or not at all, and says what is missing."""

from pathlib import Path

import pytest

from api.engines import attachment_reader
from api.settings import load
from support_agents.adapters.page_fetcher import PageFetcher
from support_agents.domain.errors import SupportError

ON: dict[str, object] = {"read_attachments": True, "attachment_hosts": "Acme.Zendesk.com, files.example"}
ZENDESK: dict[str, object] = {
    "zendesk_base_url": "https://acme.zendesk.com",
    "zendesk_email": "a@example.com",
    "zendesk_token": "t",
}
KEY: dict[str, object] = {"attachment_authorization": "Bearer x"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"read_attachments": True}, "SUPPORT_ATTACHMENT_HOSTS is needed"),
        ({**ON, "attachment_hosts": "https://acme.zendesk.com/"}, "names of hosts"),
        ({**ON, "attachment_private_hosts": "10.0.0.1"}, "must be among"),
        ({**ON, "attachment_wait_seconds": 1.0}, "less than half"),
        ({**ON, "attachment_authorization": "Bearer x"}, "SUPPORT_ATTACHMENT_AUTHORIZATION_HOST"),
        (
            {**ON, "attachment_authorization": "Bearer x", "attachment_authorization_host": "elsewhere.example"},
            "SUPPORT_ATTACHMENT_AUTHORIZATION_HOST",
        ),
        ({**ON, **KEY, "attachment_authorization_host": "ftp://files.example"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "https://files.example/a"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "https://a:b@files.example"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "files.example:99999"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "files.example:0"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "https://[::1]"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "*"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "a b"}, "write files.example"),
        ({**ON, **KEY, "attachment_authorization_host": "files.xn--mnchen-3ya.example"}, "no xn--"),
        ({**ON, "attachment_hosts": "xn--mnchen-3ya.example"}, "not xn--"),
        ({**ON, "attachment_hosts": "*.example"}, "write names of hosts"),
        ({**ON, **KEY, "attachment_authorization_host": "http://files.example"}, "ATTACHMENT_PRIVATE_HOSTS"),
        (
            {
                **ON,
                **KEY,
                **ZENDESK,
                "zendesk_base_url": "http://files.example",
                "attachment_private_hosts": "files.example",
            },
            "must say http:// itself",
        ),
    ],
)
def test_what_could_only_fail_later_is_refused(given: dict[str, object], told: str, tmp_path: Path) -> None:
    with pytest.raises(SupportError, match=told) as caught:
        load({"data_dir": tmp_path, **given})
    assert "Bearer x" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("", ("https", "acme.zendesk.com", 443)),
        ("Files.Example", ("https", "files.example", 443)),
        ("files.example:8443", ("https", "files.example", 8443)),
        ("https://files.example", ("https", "files.example", 443)),
        ("http://files.example", ("http", "files.example", 80)),
        ("http://files.example:8080/", ("http", "files.example", 8080)),
    ],
)
def test_the_credential_is_for_one_server_and_by_https_unless_the_setting_says_otherwise(
    host: str, server: tuple[str, str, int], tmp_path: Path
) -> None:
    given = {**ON, **KEY, **ZENDESK, "attachment_private_hosts": "files.example", "attachment_authorization_host": host}
    reader = attachment_reader(load({"data_dir": tmp_path, **given}))
    assert reader is not None
    source = reader.source
    assert isinstance(source, PageFetcher)
    assert source.credentials == {server: "Bearer x"}
    assert source.hosts == frozenset({"acme.zendesk.com", "files.example"})
    assert source.private == frozenset({"files.example"})
    assert "Bearer x" not in repr(reader)


def test_only_who_may_neither_decide_nor_act_reads_files(tmp_path: Path) -> None:
    assert attachment_reader(load({"data_dir": tmp_path})) is None
    shared = {"data_dir": tmp_path, "database_url": "postgresql+psycopg://h/d", "broker_url": "redis://h"}
    agents = load({**shared, **ON, "privilege": "agents", "attachment_authorization": "Bearer x",
                   "attachment_authorization_host": "files.example"})  # fmt: skip
    assert attachment_reader(agents) is not None
    act = load({**shared, **ON, "privilege": "act", "secret_key": "k" * 40, "decision_key": "d" * 40})
    assert attachment_reader(act) is None
    with pytest.raises(SupportError, match="must not have SUPPORT_ATTACHMENT_AUTHORIZATION"):
        load({**shared, **ON, "privilege": "act", "secret_key": "k" * 40, "decision_key": "d" * 40,
              "attachment_authorization": "Bearer x", "attachment_authorization_host": "files.example"})  # fmt: skip
