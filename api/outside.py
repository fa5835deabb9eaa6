"""Payments, mail and the shop's own systems, chosen and loaded by the settings: the composition root's second part."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from api.acting import Doors
from api.choices import Payments
from api.container import Step
from api.intake.paypal import PayPalIntake
from api.intake.provider import ProviderIntake
from api.intake.stripe import StripeIntake
from api.settings import Settings
from approvals.attachments import Shelf
from approvals.canonical import Way
from approvals.endpoints import Endpoint
from approvals.executors.protocol import Executor
from approvals.ports import HelpdeskGateway, PaymentGateway
from approvals.routing import Routes
from db.engine import Database
from support_agents.domain.action import ActionKind
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId
from support_agents.ports import Clock, OrderLookup


async def nothing() -> None:
    """Do nothing: a real provider knows its payments."""


@dataclass(frozen=True)
class Provider:
    """A payment provider's webhooks, and what it needs to be told from time to time."""

    intakes: Mapping[str, ProviderIntake] = field(default_factory=dict)
    record: Step = nothing
    closing: Sequence[Step] = ()


@dataclass(frozen=True, kw_only=True)
class Paying(Provider):
    """The same with the way to it."""

    gateway: PaymentGateway


def paying_of(settings: Settings, clock: Clock) -> Paying:
    """Return the provider that settings name."""
    match settings.payments:
        case Payments.LEDGER:
            return _ledger(settings, clock)
        case Payments.STRIPE:
            return _stripe(settings)
        case Payments.PAYPAL:
            return _paypal(settings)


def _ledger(settings: Settings, clock: Clock) -> Paying:
    """The built-in ledger stands for a provider, which would know the payments; it learns them from the orders."""
    from approvals.adapters.payments.ledger import LedgerPaymentGateway, Payment
    from support_agents.adapters.orders_csv import read_orders

    ledger = LedgerPaymentGateway(settings.data_dir / "payments.db")
    seen: list[tuple[int, int, int]] = []

    async def record() -> None:
        path = settings.orders_csv
        if path is None:
            return
        stat = await asyncio.to_thread(path.stat)
        if seen == [changed := (stat.st_mtime_ns, stat.st_size, stat.st_ino)]:
            return
        rows = await asyncio.to_thread(read_orders, path, clock.now().date())
        await ledger.record(Payment(row.facts.payment_ref, row.facts.total, row.facts.refunded) for row in rows)
        seen[:] = [changed]

    return Paying(gateway=ledger, record=record)


def _stripe(settings: Settings) -> Paying:
    from approvals.adapters.payments.stripe import StripePaymentGateway

    key = settings.stripe_key.get_secret_value() if settings.stripe_key else ""
    gateway = StripePaymentGateway.open(key, base_url=settings.stripe_base_url, timeout_seconds=settings.call_seconds)
    secrets = tuple(secret.get_secret_value().encode() for secret in settings.stripe_webhook_secrets)
    intake = StripeIntake(secrets, DEFAULT_WORKSPACE, live=gateway.live)
    return Paying(gateway=gateway, intakes={"stripe": intake} if secrets else {}, closing=(gateway.close,))


def _paypal(settings: Settings) -> Paying:
    from approvals.adapters.payments.paypal import LIVE_URL, SANDBOX_URL, PayPalPaymentGateway

    secret = settings.paypal_secret.get_secret_value() if settings.paypal_secret else ""
    gateway = PayPalPaymentGateway.open(
        settings.paypal_base_url or (LIVE_URL if settings.paypal_live else SANDBOX_URL),
        client_id=settings.paypal_client_id,
        secret=secret,
        is_live=settings.paypal_live,
        timeout_seconds=settings.call_seconds,
    )
    intake = PayPalIntake(partial(gateway.verify_webhook, webhook_id=settings.paypal_webhook_id), DEFAULT_WORKSPACE)
    intakes = {"paypal": intake} if settings.paypal_webhook_id else {}
    return Paying(gateway=gateway, intakes=intakes, closing=(gateway.close,))


@dataclass(frozen=True)
class Mailing:
    """How letters leave: who carries them out, what they are signed under, what they may carry."""

    executor: Executor
    dkim: str


def shelf_of(settings: Settings) -> Shelf:
    """Return the files that replies may carry; a folder that cannot be read is refused at the start."""
    if settings.attachments is None:
        return Shelf()
    try:
        return Shelf.open(settings.attachments)
    except OSError as error:
        raise SupportError("settings", f"{settings.attachments} cannot be read: {error.strerror}") from error


def mailing_of(settings: Settings, database: Database, shelf: Shelf, *, live: bool) -> Mailing:
    """Return the mail server's door, with its key if there is one."""
    from approvals.adapters.mail.dkim import DkimSigner
    from approvals.adapters.mail.smtp import MailSecurity, SmtpMailTransport
    from approvals.executors.email import EmailExecutor
    from approvals.executors.recipient_budget import RecipientBudgetExecutor

    signer = None
    if settings.dkim_key is not None:
        domain = settings.dkim_domain or settings.mail_domain
        signer = DkimSigner.load(settings.dkim_key, selector=settings.dkim_selector, domain=domain)
    security = MailSecurity.STARTTLS if settings.smtp_starttls else MailSecurity.NONE
    transport = SmtpMailTransport(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
        security=MailSecurity.TLS if settings.smtp_implicit_tls else security,
        is_live=live,
        signer=signer,
        ca_file=None if settings.smtp_ca_file is None else str(settings.smtp_ca_file),
    )

    async def sent(workspace: WorkspaceId, address: str, within: timedelta) -> int:
        async with database.read() as uow:
            return await uow.executions.mailed(workspace, address, within=within)

    executor = RecipientBudgetExecutor(
        EmailExecutor(transport, timedelta(seconds=settings.mail_seconds), shelf),
        sent,
        settings.mail_per_recipient_hour,
        settings.mail_per_recipient_day,
    )
    return Mailing(executor, transport.dkim)


@dataclass(frozen=True)
class Stepping:
    """How steps in the shop's own systems are asked for."""

    executor: Executor
    endpoints: Mapping[ActionKind, Endpoint]
    closing: Sequence[Step]


def stepping_of(settings: Settings, orders: OrderLookup, *, live: bool) -> Stepping | None:
    """Return the signed requests' door, if an address is set."""
    urls = {
        ActionKind.CANCEL_ORDER: settings.cancel_order_url,
        ActionKind.REPLACE_ORDER: settings.replace_order_url,
        ActionKind.DELETE_RECORD: settings.delete_record_url,
    }
    endpoints = {kind: Endpoint(url, settings.step_status_url) for kind, url in urls.items() if url}
    if not endpoints or settings.step_secret is None:
        return None
    from approvals.adapters.http.addresses import Addresses
    from approvals.adapters.http.signed import SignedHttpGateway
    from approvals.executors.http import HttpExecutor

    gateway = SignedHttpGateway.open(
        settings.step_secret.get_secret_value(),
        addresses=Addresses(frozenset(settings.step_private_hosts)),
        is_live=live,
        timeout_seconds=settings.step_seconds,
    )
    executor = HttpExecutor(gateway, orders, endpoints, timedelta(seconds=settings.step_seconds))
    return Stepping(executor, endpoints, (gateway.close,))


@dataclass(frozen=True)
class Outside:
    """The doors to the outside that the settings ask for."""

    doors: Doors
    paying: Provider
    closing: tuple[Step, ...]


def _elsewhere(settings: Settings) -> Outside:
    """What is to be said of doors that only another process holds, from settings that are no secret."""
    domain = settings.dkim_domain or settings.mail_domain
    urls = {
        ActionKind.CANCEL_ORDER: settings.cancel_order_url,
        ActionKind.REPLACE_ORDER: settings.replace_order_url,
        ActionKind.DELETE_RECORD: settings.delete_record_url,
    }
    is_live = not settings.demo
    routes = Routes(
        helpdesks={"zendesk": settings.zendesk_email} if settings.zendesk_base_url else {},
        mail_from=settings.smtp_from_address if settings.smtp_host else None,
        live=frozenset(way for way in Way if (settings.payments_live if way is Way.PAYMENT else is_live)),
        gateway=str(settings.payments),
        endpoints={kind: Endpoint(url, settings.step_status_url) for kind, url in urls.items() if url},
        dkim=f"{settings.dkim_selector}._domainkey.{domain}" if settings.dkim_selector else "",
    )
    return Outside(Doors({}, {}, routes, shelf_of(settings)), Provider(), ())


def outside_of(settings: Settings, clock: Clock, orders: OrderLookup, database: Database) -> Outside:
    """Return the doors that the settings ask for; a process that may not act has none, and knows where they lead."""
    if not settings.is_door:
        return _elsewhere(settings)
    from approvals.executors.refund import RefundExecutor

    paying = paying_of(settings, clock)
    is_live = not settings.demo
    call = timedelta(seconds=settings.call_seconds)
    executors: dict[Way, Executor] = {Way.PAYMENT: RefundExecutor(paying.gateway, orders, call)}
    closings: list[Step] = [*paying.closing]
    helpdesks: dict[str, HelpdeskGateway] = {}
    if settings.zendesk_base_url and settings.zendesk_token is not None:
        from approvals.adapters.helpdesk.zendesk import ZendeskGateway
        from approvals.executors.helpdesk_reply import HelpdeskReplyExecutor

        zendesk = ZendeskGateway.open(
            settings.zendesk_base_url,
            email=settings.zendesk_email,
            token=settings.zendesk_token.get_secret_value(),
            api_user=settings.zendesk_api_user_id,
            is_live=is_live,
        )
        helpdesks["zendesk"] = zendesk
        executors[Way.HELPDESK] = HelpdeskReplyExecutor(helpdesks, call)
        closings.append(zendesk.close)
    shelf, mailing = shelf_of(settings), None
    if settings.smtp_host:
        mailing = mailing_of(settings, database, shelf, live=is_live)
        executors[Way.EMAIL] = mailing.executor
    stepping = stepping_of(settings, orders, live=is_live)
    if stepping is not None:
        executors[Way.HTTP] = stepping.executor
        closings += stepping.closing
    routes = Routes(
        helpdesks=dict.fromkeys(helpdesks, settings.zendesk_email),
        mail_from=settings.smtp_from_address if settings.smtp_host else None,
        live=frozenset(way for way in Way if (paying.gateway.live if way is Way.PAYMENT else is_live)),
        gateway=paying.gateway.name,
        endpoints={} if stepping is None else stepping.endpoints,
        dkim="" if mailing is None else mailing.dkim,
    )
    return Outside(Doors(executors, helpdesks, routes, shelf), paying, tuple(closings))
