"""Settings of a demo, made for its own folder alone; the environment is not read and nothing outside is named."""

import secrets
from base64 import b64encode
from pathlib import Path

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from api.demo import shop
from api.settings import Settings
from support_agents.domain.approval import Mode

HOST = "127.0.0.1"
DOMAIN = "hearthwell.example"
FROM_ADDRESS = f"support@{DOMAIN}"


class DemoSettings(Settings):
    """`Settings` that only its maker sets: a key or a mail server in the environment cannot get into a demo."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature, as below
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take given values alone."""
        return (init_settings,)


def webhook_secret() -> str:
    """Return a fresh secret for this demo's webhooks."""
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def demo_values(folder: Path, *, smtp_port: int, secret: str, undo_seconds: float | None) -> dict[str, object]:
    """Return the demo's settings as plain values; `undo_seconds` shortens both undo windows."""
    values: dict[str, object] = {
        "data_dir": str(folder),
        "host": HOST,
        "port": 0,
        "demo": True,
        "mode": Mode.REPLY.value,
        "standard_webhook_secrets": secret,
        "smtp_host": HOST,
        "smtp_port": smtp_port,
        "smtp_starttls": False,
        "smtp_from_address": FROM_ADDRESS,
        "link_hosts": DOMAIN,
        "orders_csv": str(shop.ORDERS),
        "policy": str(shop.POLICY),
        "macros": str(shop.MACROS),
        "authority": str(shop.AUTHORITY),
        "known_vectors": str(shop.VECTORS),
        "log_level": "WARNING",
    }
    if undo_seconds is not None:
        values |= {"undo_reply_seconds": undo_seconds, "undo_refund_seconds": undo_seconds}
    return values
