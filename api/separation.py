"""Which process may hold which secret, a part of `api.settings`; a secret in the wrong place is refused, never used."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from api.choices import Payments, Privilege, Role
from api.model_settings import PREFIX
from support_agents.domain.errors import SupportError

_SHORTEST = 32
# What each may hold besides its own address of database and broker. Any other secret is refused at the start.
HELD: Mapping[Privilege, frozenset[str]] = {
    Privilege.INTAKE: frozenset(
        {
            *("secret_key", "secret_keys_old", "standard_webhook_secrets", "zendesk_webhook_secrets"),
            *("rate_limits_url", "qdrant_api_key"),
        }
    ),
    Privilege.AGENTS: frozenset({"llm_api_key", "llm_second_api_key", "qdrant_api_key", "attachment_authorization"}),
    Privilege.DECIDE: frozenset(
        {
            *("secret_key", "secret_keys_old", "decision_key", "decision_keys_old"),
            *("slack_signing_secrets", "slack_bot_token", "slack_app_token"),
            *("llm_api_key", "llm_second_api_key", "qdrant_api_key"),
        }
    ),
    Privilege.ACT: frozenset(
        {
            *("secret_key", "secret_keys_old", "decision_key", "decision_keys_old"),
            *("smtp_password", "dkim_key", "zendesk_token", "stripe_key"),
            *("stripe_webhook_secrets", "paypal_secret", "step_secret", "slack_bot_token", "qdrant_api_key"),
        }
    ),
}
EVERYBODYS = frozenset({"broker_url", "database_url", "database_direct_url", "database_read_url"})
SECRETS = frozenset().union(*HELD.values())


class SeparationSettings(BaseModel):
    """Database roles and secrets of several processes kept apart; without, one process holds them all."""

    privilege: Privilege | None = Field(
        default=None,
        description="`intake`, `agents`, `decide` or `act`: this process refuses secrets of others; empty: it has all.",
    )
    decision_key: SecretStr | None = Field(
        default=None,
        description="Seals decisions; only `decide` and `act` have it. Empty without a privilege: the secret key's.",
    )
    decision_keys_old: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="Other keys of decisions that are accepted as well, while one takes the other's place."
    )
    secret_keys_old: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Other secret keys that are accepted as well, comma separated, while one takes the other's place.",
    )
    payments_live: bool = Field(
        default=False, description="Whether refunds are real money, for processes that do not have the provider's key."
    )

    @field_validator("privilege", "decision_key", mode="before")
    @classmethod
    def _not_set(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return value or None

    @field_validator("secret_keys_old", "decision_keys_old", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Take `a, b` as well as a sequence."""
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("secret_keys_old", "decision_keys_old")
    @classmethod
    def _all_long(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(each.get_secret_value()) < _SHORTEST for each in value):
            raise ValueError(
                f"each has at least {_SHORTEST} characters; a key that holds a comma cannot be written here"
            )
        return value

    @field_validator("decision_key")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST:
            raise ValueError(f"write at least {_SHORTEST} random characters")
        return value

    @property
    def is_door(self) -> bool:
        """Whether this process calls payment providers, mail servers and helpdesks."""
        return self.privilege in {None, Privilege.ACT}


def check_work(privilege: Privilege | None, role: Role, queues: Collection[str] = ()) -> None:
    """Refuse a process whose work is another privilege's; a relay only tells, and may have either."""
    if privilege is None:
        return
    works = {
        Role.API: {Privilege.INTAKE, Privilege.DECIDE, Privilege.ACT},
        Role.WORKER: {Privilege.AGENTS} if set(queues) == {"runs"} else {Privilege.ACT},
        Role.RELAY: {Privilege.AGENTS, Privilege.ACT},
        Role.SCHEDULER: {Privilege.ACT},
    }
    mixed = privilege is Privilege.ACT and "runs" in queues
    if privilege not in works.get(role, set()) or mixed:
        what = f"{role} --queues {','.join(sorted(queues))}" if queues else str(role)
        raise SupportError("settings", f"{PREFIX}PRIVILEGE={privilege} is not for `{what}` (docs/operations.md)")


def strange_secret(settings: Any) -> str:  # noqa: ANN401 - `api.settings` imports this module
    """What a separated process holds that is another's, or lacks of its own; nothing where all is well."""
    privilege: Privilege | None = settings.privilege
    if privilege is None:
        return ""
    strange = sorted(name for name in SECRETS - HELD[privilege] if getattr(settings, name))
    if strange:
        names = ", ".join(f"{PREFIX}{name.upper()}" for name in strange)
        return f"a process with {PREFIX}PRIVILEGE={privilege} must not have {names}: unset it for this process"
    if "decision_key" in HELD[privilege] and settings.decision_key is None:
        return f"{PREFIX}DECISION_KEY is needed with {PREFIX}PRIVILEGE={privilege}"
    return ""


def missing_secret(settings: Any) -> str:  # noqa: ANN401 - as above
    """What a process that acts needs to carry out what the settings ask for; nothing where all is there."""
    if not settings.is_door:
        return ""
    if settings.zendesk_base_url and not (settings.zendesk_email and settings.zendesk_token):
        return f"{PREFIX}ZENDESK_EMAIL and {PREFIX}ZENDESK_TOKEN are needed with {PREFIX}ZENDESK_BASE_URL"
    if settings.payments is Payments.STRIPE and settings.stripe_key is None:
        return f"{PREFIX}STRIPE_KEY is needed with {PREFIX}PAYMENTS=stripe"
    if settings.payments is Payments.PAYPAL and not (settings.paypal_client_id and settings.paypal_secret):
        return f"{PREFIX}PAYPAL_CLIENT_ID and {PREFIX}PAYPAL_SECRET are needed with {PREFIX}PAYMENTS=paypal"
    steps = settings.cancel_order_url or settings.replace_order_url or settings.delete_record_url
    if steps and not (settings.step_status_url and settings.step_secret):
        return f"{PREFIX}STEP_STATUS_URL and {PREFIX}STEP_SECRET are needed with any of the step addresses"
    return ""
