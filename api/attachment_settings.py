"""The settings of reading customers' files, a part of `api.settings`; they fetch nothing."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from api.model_settings import PREFIX

Hosts = Annotated[tuple[str, ...], NoDecode]


class AttachmentSettings(BaseModel):
    """Customers' files: whether their text is read, from where, and for how long it is kept."""

    read_attachments: bool = Field(
        default=False, description="Whether the text of customers' PDF, DOCX, TXT, HTML and CSV files is read."
    )
    attachment_hosts: Hosts = Field(
        default=(), description="The hosts that files are fetched from – the helpdesk's own –, comma separated."
    )
    attachment_private_hosts: Hosts = Field(
        default=(), description="Those of them that may be in a private range and speak plain http, comma separated."
    )
    attachment_authorization: SecretStr | None = Field(
        default=None,
        description="Value of the header `Authorization` for the helpdesk's own host; it needs to read files, no more.",
    )
    attachment_authorization_host: str = Field(
        default="", description="The one host that it is sent to; empty: that of `SUPPORT_ZENDESK_BASE_URL`."
    )
    attachment_wait_seconds: float = Field(
        default=0.4, ge=0, le=30, description="How much of the deadline a run may wait for its files to be read."
    )
    attachment_days: int = Field(
        default=90, ge=1, le=3_650, description="After how many days the text of a file is forgotten."
    )

    @field_validator("attachment_hosts", "attachment_private_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        """Take `a, b` as well as a sequence."""
        names = value.split(",") if isinstance(value, str) else value
        return tuple(filter(None, (str(name).strip().lower() for name in names))) if isinstance(names, list) else names

    @field_validator("attachment_hosts", "attachment_private_hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse addresses where a name is wanted: they would never fit."""
        if any("/" in name or ":" in name for name in value):
            raise ValueError("write names of hosts such as acme.zendesk.com, without https:// and without a port")
        return value

    @field_validator("attachment_authorization", mode="before")
    @classmethod
    def _no_credential(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return value or None

    def credential_host(self, helpdesk: str) -> str:
        """The helpdesk's own host; `helpdesk` is its address, if one is set."""
        return self.attachment_authorization_host.strip().lower() or (urlsplit(helpdesk).hostname or "")

    def attachment_problem(self, helpdesk: str, deadline: float) -> str:
        """What could only fail later, and what to do about it; nothing where all is well."""
        if not self.read_attachments:
            return ""
        if not self.attachment_hosts:
            return f"{PREFIX}ATTACHMENT_HOSTS is needed with {PREFIX}READ_ATTACHMENTS: name the helpdesk's own host"
        if strange := sorted({*self.attachment_private_hosts} - {*self.attachment_hosts}):
            return f"{PREFIX}ATTACHMENT_PRIVATE_HOSTS must be among {PREFIX}ATTACHMENT_HOSTS: {', '.join(strange)}"
        if self.attachment_wait_seconds >= deadline / 2:
            return f"{PREFIX}ATTACHMENT_WAIT_SECONDS must be less than half of {PREFIX}DEADLINE_SECONDS"
        if self.attachment_authorization is not None and self.credential_host(helpdesk) not in self.attachment_hosts:
            return f"{PREFIX}ATTACHMENT_AUTHORIZATION_HOST must be one of {PREFIX}ATTACHMENT_HOSTS"
        return ""
