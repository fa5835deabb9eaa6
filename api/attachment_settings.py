"""The settings of reading customers' files, a part of `api.settings`; they fetch nothing."""

from typing import Annotated
from urllib.parse import urljoin

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from api.model_settings import PREFIX
from support_agents.domain.origins import Origin, is_name

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
        description="Value of the header `Authorization` for the helpdesk's own server; it needs to read files only.",
    )
    attachment_authorization_host: str = Field(
        default="",
        description="The one server that it is sent to, by https on port 443 unless it says otherwise "
        "(`files.example:8443`, `http://10.0.0.8:8080`); empty: that of `SUPPORT_ZENDESK_BASE_URL`.",
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
        if not all(map(is_name, value)):
            raise ValueError(
                "write names of hosts such as acme.zendesk.com, without https:// and without a port,"
                " and letters beyond a to z as they are (münchen.example, not xn--)"
            )
        return value

    @field_validator("attachment_authorization", mode="before")
    @classmethod
    def _no_credential(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return value or None

    @field_validator("attachment_authorization_host")
    @classmethod
    def _server(cls, value: str) -> str:
        """Refuse what names no server, before a credential could wait for it in vain."""
        try:
            return str(Origin.parse(value)) if value.strip() else ""
        except ValueError:
            raise ValueError(
                "write files.example, files.example:8443 or http://10.0.0.8:8080, no path, and no xn--"
            ) from None

    def credential_origin(self, helpdesk: str) -> Origin | None:
        """The one server that the credential is for; `helpdesk` is the helpdesk's address, if one is set."""
        try:
            return Origin.parse(self.attachment_authorization_host or urljoin(helpdesk, "/"))
        except ValueError:
            return None

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
        return "" if self.attachment_authorization is None else self._credential_problem(helpdesk)

    def _credential_problem(self, helpdesk: str) -> str:
        setting, origin = f"{PREFIX}ATTACHMENT_AUTHORIZATION_HOST", self.credential_origin(helpdesk)
        if origin is None or origin.host not in self.attachment_hosts:
            return f"{setting} must be one of {PREFIX}ATTACHMENT_HOSTS"
        if origin.scheme == "https":
            return ""
        if not self.attachment_authorization_host:
            return f"{setting} must say http:// itself if the credential may be sent without encryption"
        if origin.host not in self.attachment_private_hosts:
            return f"{setting} may say http:// only of one of {PREFIX}ATTACHMENT_PRIVATE_HOSTS"
        return ""
