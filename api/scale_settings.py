"""The settings of many processes, a part of `api.settings`; nothing is called to check them."""

from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from api.choices import Privilege, Role
from api.model_settings import PREFIX
from support_agents.domain.errors import SupportError

_BROKERS = ("redis", "rediss", "amqp", "amqps")


class ScaleSettings(BaseModel):
    """Where work is handed on to other processes, and how quickly one that died is replaced."""

    broker_url: SecretStr | None = Field(
        default=None,
        description="`redis://…` or `amqp://…` (TLS: `rediss`, `amqps`): processes share the work; empty: one does it.",
    )
    broker_prefix: str = Field(
        default="support",
        pattern="^[a-z0-9-]{1,40}$",
        description="Begins the names of queues, where installations share a broker.",
    )
    broker_queue_length: int = Field(
        default=32,
        ge=1,
        le=10_000,
        description="So many events of a kind wait in the broker; the others wait in the database.",
    )
    takeover_seconds: float = Field(
        default=3,
        ge=1,
        le=60,
        description="After how long a silence of its worker an event is given to another (with a broker).",
    )
    database_direct_url: str = Field(
        default="",
        description="The database past its pooler, for LISTEN and for the scheduler's turn; empty: no pooler.",
    )

    database_read_url: str = Field(
        default="",
        description="A PostgreSQL that follows the database: the console's lists and figures read it; empty: none.",
    )
    database_read_lag_seconds: float = Field(
        default=10,
        ge=1,
        le=300,
        description="A follower further behind is not asked; who wrote so recently reads the database itself.",
    )
    database_keep_months: int = Field(
        default=0,
        ge=0,
        le=1200,
        description="`db parts detach` takes parts off that are older than so many months (PostgreSQL); 0: none.",
    )

    @field_validator("broker_url", mode="before")
    @classmethod
    def _no_broker(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return value or None

    @field_validator("broker_url")
    @classmethod
    def _broker(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what is no broker that survives its clients."""
        if value is not None and urlsplit(value.get_secret_value()).scheme not in _BROKERS:
            raise ValueError("write `redis://host:6379/0` or `amqp://user:password@host:5672/vhost`")
        return value

    @field_validator("database_direct_url", "database_read_url")
    @classmethod
    def _direct(cls, value: str) -> str:
        if value and not value.startswith("postgresql+psycopg://"):
            raise ValueError("write `postgresql+psycopg://…`")
        return value

    @property
    def distributed(self) -> bool:
        """Whether several processes share the work."""
        return self.broker_url is not None

    def check_role(self, role: Role) -> None:
        """Refuse a process that does not belong to this way of working."""
        if role is Role.SERVE and self.distributed:
            message = (
                f"{PREFIX}BROKER_URL is set: start `support-agents api`, `worker`, `relay` and `scheduler`;"
                " or unset it, and `serve` does everything in one process"
            )
            raise SupportError("settings", message)
        if role is not Role.SERVE and not self.distributed:
            message = (
                f"set {PREFIX}BROKER_URL (and {PREFIX}DATABASE_URL) to share work between processes;"
                " or use `support-agents serve`, which needs neither"
            )
            raise SupportError("settings", message)

    def check_shared(self, database_url: str, secret_key: SecretStr | None, privilege: Privilege | None) -> None:
        """Refuse a broker without what processes on several machines have to share, and a follower of a file."""
        if self.database_read_url and not database_url.startswith("postgresql"):
            raise ValueError(f"{PREFIX}DATABASE_READ_URL follows a PostgreSQL: set {PREFIX}DATABASE_URL, too")
        if not self.distributed:
            return
        if not database_url.startswith("postgresql"):
            raise ValueError(
                f"{PREFIX}BROKER_URL needs {PREFIX}DATABASE_URL=postgresql+psycopg://…:"
                " an SQLite file belongs to one process; or unset the broker and use `support-agents serve`"
            )
        if secret_key is None and privilege is not Privilege.AGENTS:
            raise ValueError(f"{PREFIX}SECRET_KEY is needed with {PREFIX}BROKER_URL: all processes must have the same")
