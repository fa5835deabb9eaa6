"""Every setting of the product, read from the environment here and nowhere else; it opens and creates nothing."""

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.attachment_settings import AttachmentSettings
from api.choices import LogFormat, Payments
from api.index_settings import IndexSettings
from api.model_settings import PREFIX, ModelSettings, checked_url
from api.operating_settings import OperatingSettings
from api.pressure_settings import PressureSettings
from api.scale_settings import ScaleSettings
from api.separation import SeparationSettings, missing_secret, strange_secret
from support_agents.domain.approval import Mode
from support_agents.domain.errors import SupportError
from support_agents.stages import Shares

Secrets = Annotated[tuple[SecretStr, ...], NoDecode]
Names = Annotated[tuple[str, ...], NoDecode]


class Settings(
    ModelSettings,
    OperatingSettings,
    ScaleSettings,
    PressureSettings,
    AttachmentSettings,
    SeparationSettings,
    IndexSettings,
    BaseSettings,
):
    """Frozen settings; a field `x` is set by the environment variable `SUPPORT_X`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    data_dir: Path = Field(
        default=Path.home() / ".local" / "share" / "support-agents",
        description="Folder for the database, the index and the secret key; made with mode 0700.",
    )
    database_url: str = Field(
        default="", description="`sqlite+aiosqlite:///…` or `postgresql+psycopg://…`; empty: SQLite in the data folder."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on; 0 picks a free one.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed, comma separated.",
    )
    public_url: str = Field(
        default="",
        description="How browsers reach the console; `https://…` makes cookies Secure. Empty: host and port.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs CSRF tokens and keys hashes; empty: a file made in the data folder (mode 0600).",
    )
    log_format: LogFormat = Field(default=LogFormat.CONSOLE, description="`console` or `json`.")
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe level that is logged."
    )

    standard_webhook_secrets: Secrets = Field(
        default=(),
        description="`whsec_…` secrets of the `standard` source, comma separated; none: the source is closed.",
    )
    zendesk_webhook_secrets: Secrets = Field(
        default=(), description="Signing secrets of the `zendesk` source, comma separated; none: the source is closed."
    )
    zendesk_base_url: str = Field(
        default="", description="`https://<subdomain>.zendesk.com`; empty: no way back to it."
    )
    zendesk_email: str = Field(default="", description="The API user's e-mail address.")
    zendesk_token: SecretStr | None = Field(default=None, description="The API user's token.")
    zendesk_api_user_id: str = Field(default="", description="The API user's id; its comments never start a run.")

    slack_signing_secrets: Secrets = Field(
        default=(),
        description="Signing secrets of the Slack app, comma separated; none: `/slack/…` is closed (a socket is not).",
    )
    slack_bot_token: SecretStr | None = Field(
        default=None, description="`xoxb-…`: cards are shown in Slack; empty: nobody is notified. See `connect slack`."
    )
    slack_routing: Path | None = Field(
        default=None,
        description="YAML file: which cards go to which channel, on-call, reminders; empty: only to those who ask.",
    )
    slack_api_url: str = Field(
        default="https://slack.com/api", description="Slack's Web API; another address is for tests."
    )
    slack_app_token: SecretStr | None = Field(
        default=None, description="`xapp-…`: clicks come over Slack’s Socket Mode, so that no public URL is needed."
    )

    mode: Mode = Field(
        default=Mode.OBSERVE, description="How far an approved reply goes: `observe`, `note` (internal) or `reply`."
    )
    smtp_host: str = Field(default="", description="Mail server for approved e-mail replies; empty: no e-mail is sent.")
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Its port.")
    smtp_username: str = Field(default="", description="Login name, if the server wants one.")
    smtp_password: SecretStr | None = Field(default=None, description="Login password.")
    smtp_starttls: bool = Field(default=True, description="Whether the connection must be encrypted with STARTTLS.")
    smtp_implicit_tls: bool = Field(
        default=False,
        description="Whether the connection is encrypted from its first byte (port 465), not by STARTTLS.",
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="Certificate authority of the mail server (PEM); empty: those of this machine."
    )
    smtp_from_address: str = Field(default="", description="The From address of approved e-mail replies.")

    dkim_key: Path | None = Field(
        default=None, description="RSA key (PEM) that letters are signed with; empty: the mail server signs, or nobody."
    )
    dkim_selector: str = Field(default="", description="Its selector: the key is published at `<selector>._domainkey`.")
    dkim_domain: str = Field(default="", description="Its domain; empty: that of the From address.")
    attachments: Path | None = Field(
        default=None, description="Folder of files that replies may carry (pdf, png, jpg, txt); empty: none."
    )
    mail_per_recipient_hour: int = Field(
        default=5, ge=1, le=1_000, description="Letters to one recipient in an hour; more wait."
    )
    mail_per_recipient_day: int = Field(
        default=20, ge=1, le=10_000, description="Letters to one recipient in a day; more go back to people."
    )

    payments: Payments = Field(
        default=Payments.LEDGER, description="Who books refunds: `ledger` (test), `stripe` or `paypal`."
    )
    stripe_key: SecretStr | None = Field(
        default=None,
        description="Secret or restricted key; its kind (`…_test_`, `…_live_`) says whether money is real.",
    )
    stripe_webhook_secrets: Secrets = Field(
        default=(), description="`whsec_…` of the endpoint `/webhooks/stripe`, comma separated; none: it is closed."
    )
    stripe_base_url: str = Field(
        default="", description="Another address of Stripe's API, for tests; empty: the real one."
    )
    paypal_client_id: str = Field(default="", description="Client id of the PayPal app.")
    paypal_secret: SecretStr | None = Field(default=None, description="Its secret.")
    paypal_live: bool = Field(
        default=False, description="Whether the app is a live one; otherwise the sandbox is used."
    )
    paypal_webhook_id: str = Field(
        default="", description="PayPal's id of the webhook that ends at `/webhooks/paypal`; empty: it is closed."
    )
    paypal_base_url: str = Field(
        default="", description="Another address of PayPal's API, for tests; empty: the real one."
    )

    cancel_order_url: str = Field(
        default="",
        description="Where cancelling is asked for, such as `https://shop.example/orders/{order_id}/cancel`.",
    )
    replace_order_url: str = Field(
        default="", description="Where a replacement is asked for; `{order_id}` stands in it."
    )
    delete_record_url: str = Field(
        default="", description="Where the deleting of a customer's record is asked for; `{requester}` stands in it."
    )
    step_status_url: str = Field(
        default="", description="Where it is asked what became of one of these; `{action}` stands in it."
    )
    step_secret: SecretStr | None = Field(
        default=None, description="`whsec_…` that these requests are signed with (Standard Webhooks)."
    )
    step_private_hosts: Names = Field(
        default=(),
        description="Hosts in private address ranges that may be asked, comma separated; all others are refused.",
    )
    step_seconds: float = Field(default=20, gt=0, le=300, description="Longest such request.")

    orders_csv: Path | None = Field(default=None, description="Orders exported as CSV; empty: no order is ever known.")
    macros: Path | None = Field(default=None, description="Folder of approved replies (macros); empty: none are used.")
    policy: Path | None = Field(
        default=None, description="The policy ledger: a YAML file, or a folder of them; empty: no refund is proposed."
    )

    entailment: Path | None = Field(
        default=None,
        description="Folder of an ONNX entailment model (docs/quality.md); empty: sentences are checked without one.",
    )

    authority: Path | None = Field(
        default=None,
        description="Who may approve what (`authority.yaml`, docs/authority.md); empty: the built-in table.",
    )
    attention_checks: bool = Field(
        default=False, description="Whether managers may put known bad drafts to approvers; none is ever sent."
    )
    per_person_figures: bool = Field(
        default=False, description="Whether managers see caught checks and refunds by person, not only in all."
    )
    dry_run: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Do all but the effect: `all`, or ways, comma separated (`email`, `helpdesk`, `payment`, `http`).",
    )
    local_only_workspaces: Annotated[tuple[UUID, ...], NoDecode] = Field(
        default=(), description="Ids of workspaces whose text no model outside may see, comma separated."
    )
    deadline_seconds: float = Field(default=2.0, gt=0, le=60, description="From a webhook's first byte to card ready.")
    resumed_seconds: float = Field(
        default=1.0, gt=0, le=60, description="A deadline of its own for a run that was resumed or waited too long."
    )
    stages: Shares = Field(
        default_factory=Shares, description="Longest shares, for example `SUPPORT_STAGES__DRAFTING=1.2`."
    )
    undo_reply_seconds: float = Field(default=30, ge=0, description="How long an approved reply can be taken back.")
    undo_refund_seconds: float = Field(default=60, ge=0, description="How long an approved refund can be taken back.")
    request_ttl_business_hours: float = Field(
        default=16, gt=0, description="Business hours after which an undecided approval request expires."
    )
    business_timezone: str = Field(default="UTC", description="Whose Monday to Friday, 9 to 18 counts.")
    business_holidays: str = Field(
        default="",
        description="Country whose public holidays are closed days, as `DE` or `DE-BE` (a state); empty: none.",
    )
    link_hosts: Names = Field(
        default=(), description="Hosts that replies may link to, comma separated; any other is flagged on the card."
    )
    anchor_path: Path | None = Field(
        default=None, description="Signed head of the audit; keep it out of the database's backups. Empty: data folder."
    )
    known_vectors: Path | None = Field(
        default=None, description="Vectors made ahead for known articles (`support-agents kb vectors`); empty: none."
    )
    onnx_threads: int = Field(default=1, ge=1, le=64, description="Threads of the embedding model.")
    relevance_floor: float | None = Field(
        default=None, ge=-1, le=1, description="Similarity below which a passage is dropped; empty: the built-in floor."
    )
    worker_concurrency: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Events handled at once; empty: 4, with a language model 256, or 32 in a worker.",
    )
    lease_seconds: float = Field(
        default=15, gt=0, le=600, description="After how long an event that nobody finished is taken up again."
    )
    call_seconds: float = Field(default=20, gt=0, le=300, description="Longest call to a payment or helpdesk provider.")
    mail_seconds: float = Field(default=60, gt=0, le=300, description="Longest conversation with the mail server.")
    call_margin_seconds: float = Field(
        default=10, gt=0, le=300, description="Added to a call's limit before its outcome is asked about."
    )
    session_hours: float = Field(default=12, gt=0, description="How long a sign-in lasts.")

    testing: bool = Field(default=False, description="Allows fault points; never set it on a server that matters.")
    demo: bool = Field(default=False, description="A demo folder: allows one one-time sign-in link on loopback.")
    fault_point: str = Field(
        default="",
        description="With `testing`: `after:card_ready` or `before:execution_result:2` kills the process there.",
    )

    @field_validator(
        "standard_webhook_secrets",
        "zendesk_webhook_secrets",
        "stripe_webhook_secrets",
        "slack_signing_secrets",
        "link_hosts",
        "trusted_proxies",
        "dry_run",
        "step_private_hosts",
        "local_only_workspaces",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        """Take `a, b` as well as a sequence."""
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("slack_bot_token", "slack_app_token", "slack_routing", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return value or None

    @field_validator("standard_webhook_secrets", "stripe_webhook_secrets")
    @classmethod
    def _whsec(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        """Refuse what is not a Standard Webhooks secret, here rather than at the first webhook."""
        if not all(secret.get_secret_value().startswith("whsec_") for secret in value):
            raise ValueError("each secret starts with `whsec_`; copy it whole from the sender")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse names: who is believed must not depend on a look-up."""
        try:
            return tuple(str(ip_network(proxy)) for proxy in value)
        except ValueError:
            raise ValueError("write addresses or networks such as 127.0.0.1, 10.0.0.0/8") from None

    @field_validator("business_timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        """Refuse a zone that this machine does not know."""
        if value not in available_timezones():
            raise ValueError("write a zone such as Europe/Berlin")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        """Refuse a database of another kind before anything tries to load its driver."""
        if value and not value.startswith(("sqlite+aiosqlite:///", "postgresql+psycopg://")):
            raise ValueError("write `sqlite+aiosqlite:///…` or `postgresql+psycopg://…`")
        return value

    @field_validator(
        "public_url",
        "zendesk_base_url",
        "slack_api_url",
        "stripe_base_url",
        "paypal_base_url",
    )
    @classmethod
    def _url(cls, value: str) -> str:
        return checked_url(value)

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        """Refuse combinations that could only fail later."""
        if self.smtp_host and not self.smtp_from_address:
            raise ValueError(f"{PREFIX}SMTP_FROM_ADDRESS is needed with {PREFIX}SMTP_HOST")
        if self.dkim_key and not self.dkim_selector:
            raise ValueError(f"{PREFIX}DKIM_SELECTOR is needed with {PREFIX}DKIM_KEY")
        if problem := missing_secret(self) or strange_secret(self):
            raise ValueError(problem)
        if problem := self.attachment_problem(self.zendesk_base_url, self.deadline_seconds):
            raise ValueError(problem)
        if self.lease_seconds <= self.deadline_seconds:
            raise ValueError(f"{PREFIX}LEASE_SECONDS must be more than {PREFIX}DEADLINE_SECONDS")
        if self.llm_fuller_draft and not self.distributed and self.lease_seconds <= self.llm_fuller_seconds:
            raise ValueError(
                f"{PREFIX}LEASE_SECONDS ({self.lease_seconds:g}) must be more than {PREFIX}LLM_FULLER_SECONDS"
                f" ({self.llm_fuller_seconds:g}): a fuller draft would be taken up a second time while it is written"
            )
        self.check_shared(self.database, self.secret_key, self.privilege)
        if self.fault_point and not self.testing:
            raise ValueError(f"{PREFIX}FAULT_POINT is for tests only: unset it, or set {PREFIX}TESTING=true")
        return self

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'support.db'}"

    @property
    def embedded(self) -> bool:
        """Whether one process owns the whole database."""
        return self.database.startswith("sqlite")

    @property
    def mail_domain(self) -> str:
        """The domain of our own letters."""
        return self.smtp_from_address.rpartition("@")[2]

    @property
    def url(self) -> str:
        """How browsers reach the console."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def strange_names() -> tuple[str, ...]:
    """Return variables that begin like a setting and are none – mostly slips of the pen; names alone, never a value."""
    begun = {name.upper().partition("__")[0] for name in os.environ if name.upper().startswith(PREFIX)}
    return tuple(sorted(begun - {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}))


def load(overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the environment, `overrides` first; raise a `SupportError` that says what to set, never a value."""
    try:
        return Settings(**dict(overrides or {}))  # type: ignore[arg-type] # checked by the model itself
    except ValidationError as error:
        raise SupportError("settings", "; ".join(_advice(error))) from None


def _advice(error: ValidationError) -> list[str]:
    """One sentence for each wrong setting."""
    advice = []
    for problem in error.errors(include_input=False, include_url=False):
        name = "__".join(str(part).upper() for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        advice.append(f"set {PREFIX}{name}: {message}" if name else message)
    return advice
