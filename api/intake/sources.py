"""Which sources are open: those with a secret; every other one does not exist."""

import hmac
from collections.abc import Mapping

from api.intake.echo import find_marker
from api.intake.payload import Reading
from api.intake.protocol import Intake
from api.intake.standard import StandardIntake, keys_of
from api.intake.zendesk import ZendeskIntake
from api.secret_key import SecretKey
from api.settings import Settings
from support_agents.domain.ids import DEFAULT_WORKSPACE


def intakes_of(settings: Settings, key: SecretKey) -> Mapping[str, Intake]:
    """Return the open sources by the name in `/webhooks/{source}`."""
    intakes: dict[str, Intake] = {}
    if settings.standard_webhook_secrets:
        secrets = [secret.get_secret_value() for secret in settings.standard_webhook_secrets]
        intakes["standard"] = StandardIntake(keys_of(secrets), _reading("standard", key, settings))
    if settings.zendesk_webhook_secrets:
        keys = tuple(secret.get_secret_value().encode() for secret in settings.zendesk_webhook_secrets)
        intakes["zendesk"] = ZendeskIntake(keys, _reading("zendesk", key, settings), settings.zendesk_api_user_id)
    return intakes


def _reading(source: str, key: SecretKey, settings: Settings) -> Reading:
    return Reading(
        workspace=DEFAULT_WORKSPACE,
        source=source,
        body_key=lambda raw: f"body:{hmac.digest(key.first('event key'), raw, 'sha256').hex()}",
        find_marker=find_marker,
        mail_domain=settings.mail_domain,
    )
