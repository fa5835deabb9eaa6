"""Reading customers' files is switched on whole or not at all, and says what is missing."""

from pathlib import Path

import pytest

from api.engines import attachment_reader
from api.settings import load
from support_agents.adapters.page_fetcher import PageFetcher
from support_agents.domain.errors import SupportError

ON: dict[str, object] = {"read_attachments": True, "attachment_hosts": "Acme.Zendesk.com, files.example"}


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
    ],
)
def test_what_could_only_fail_later_is_refused(given: dict[str, object], told: str, tmp_path: Path) -> None:
    with pytest.raises(SupportError, match=told) as caught:
        load({"data_dir": tmp_path, **given})
    assert "Bearer x" not in str(caught.value)


def test_the_credential_goes_to_the_helpdesks_own_host_alone(tmp_path: Path) -> None:
    zendesk = {"zendesk_base_url": "https://acme.zendesk.com", "zendesk_email": "a@example.com", "zendesk_token": "t"}
    reader = attachment_reader(load({"data_dir": tmp_path, **ON, **zendesk, "attachment_authorization": "Bearer x"}))
    assert reader is not None
    source = reader.source
    assert isinstance(source, PageFetcher)
    assert source.credentials == {"acme.zendesk.com": "Bearer x"}
    assert source.hosts == frozenset({"acme.zendesk.com", "files.example"})
    assert source.private == frozenset()
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
