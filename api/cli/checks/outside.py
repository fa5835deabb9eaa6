"""Checks of the ways in and out: webhook secrets, mail server, helpdesk, broker; it sends nothing."""

import asyncio

from api.cli.checks.finding import Finding
from api.settings import Settings
from api.worker.brokers import broker_of
from support_agents.domain.approval import Mode

_SECONDS = 5.0
_GREETING = b"220"


async def webhooks(settings: Settings) -> tuple[Finding, ...]:
    """Whether any source is open."""
    sources = {"standard": settings.standard_webhook_secrets, "zendesk": settings.zendesk_webhook_secrets}
    open_ones = [f"{name} ({len(secrets)} secrets)" for name, secrets in sources.items() if secrets]
    if open_ones:
        return (Finding("webhooks", ", ".join(open_ones)),)
    fix = 'export SUPPORT_STANDARD_WEBHOOK_SECRETS="whsec_$(openssl rand -base64 24)", and give it to the sender'
    return (Finding("webhooks", "no source has a secret, so all are closed", fix),)


async def mail(settings: Settings) -> tuple[Finding, ...]:
    """Whether the mail server greets."""
    if not settings.smtp_host:
        return (Finding("mail", "none: e-mail tickets cannot be answered by e-mail (SUPPORT_SMTP_HOST)", absent=True),)
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(settings.smtp_host, settings.smtp_port)
            greeting = await reader.readline()
            writer.close()
    except (OSError, TimeoutError) as error:
        return (
            Finding("mail", f"{where} does not answer ({type(error).__name__})", "check SUPPORT_SMTP_HOST and _PORT"),
        )
    greets = greeting.startswith(_GREETING)
    return (
        Finding(
            "mail",
            f"{where} {'greets' if greets else 'is no mail server'}",
            "" if greets else "check SUPPORT_SMTP_HOST",
        ),
    )


async def helpdesk(settings: Settings) -> tuple[Finding, ...]:
    """Whether what comes in from Zendesk could go back, and our own comments would be recognised."""
    if not settings.zendesk_base_url:
        wanted = bool(settings.zendesk_webhook_secrets) and settings.mode is not Mode.OBSERVE
        fix = "set SUPPORT_ZENDESK_BASE_URL, _EMAIL and _TOKEN" if wanted else ""
        return (Finding("zendesk", "none: nothing goes back to it (SUPPORT_ZENDESK_BASE_URL)", fix, absent=not wanted),)
    if not settings.zendesk_api_user_id:
        return (Finding("zendesk", "its API user is not known", "set SUPPORT_ZENDESK_API_USER_ID"),)
    return (Finding("zendesk", settings.zendesk_base_url),)


async def broker(settings: Settings) -> tuple[Finding, ...]:
    """Whether workers can be told of work; nothing where one process does it all."""
    if not settings.distributed:
        return ()
    from api.worker.broker import CeleryDispatcher

    dispatcher = CeleryDispatcher(broker_of(settings))
    try:
        await dispatcher.check()
    finally:
        await dispatcher.close()
    return (Finding("broker", "answers; events that wait are in the database"),)
