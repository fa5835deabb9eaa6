"""Second factors: an authenticator app's codes, ten recovery codes; secrets are sealed, codes hashed, none logged."""

import base64
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import pyotp
import segno

from api.passwords import Passwords
from api.sealing import Sealing
from api.secret_key import SecretKey
from api.sign_in_limits import SignInLimits
from approvals.authority import require_role
from approvals.ports import Person
from approvals.presence import require_present
from db.engine import Database
from db.repositories.second_factors import SecondFactor
from db.uow import UnitOfWork
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import OperatorId, WorkspaceId

RECOVERY_CODES = 10
ISSUER = "Support"
_SECRET_BYTES = 20
_CODE_BYTES = 10
_DIGITS = 6
_EITHER_WAY = 1  # steps of 30 seconds that a phone's clock may be off


@dataclass(frozen=True)
class Enrolment:
    """What a person needs to set their app up, shown once: the secret as text, and as a picture to scan."""

    secret: str = field(repr=False)
    picture: str = field(repr=False)


@dataclass(frozen=True)
class FactorStanding:
    """Whether a person has a factor, whether it was proved minutes ago, and how many recovery codes are left."""

    enrolled: bool
    fresh: bool
    codes_left: int


@dataclass(frozen=True)
class SecondFactors:
    """Enrols, proves, removes and resets. Every attempt is counted before it is looked at."""

    database: Database
    passwords: Passwords
    limits: SignInLimits
    key: SecretKey

    async def standing(self, person: Person) -> FactorStanding:
        """Tell how things stand for this person in this session."""
        async with self.database.read() as uow:
            present = await require_present(uow, person)
            left = await uow.second_factors.codes_left(person.operator_id)
        return FactorStanding(present.enrolled, present.enrolled and present.factor_fresh, left)

    async def begin(self, person: Person, *, password: str) -> Enrolment:
        """Make a secret that has to be confirmed; a session alone is not enough, the password has to be given, too."""
        await self._count(person)
        async with self.database.read() as uow:
            by_link = (await require_present(uow, person)).by_link
            operator = await uow.operators.get(person.operator_id)
        stored = operator.password_hash if operator else None
        # Whoever came by a demo's one-time link was never told a password.
        if not by_link and not await self.passwords.matches(stored, password):
            raise SupportError("bad_credentials", "That is not your password.")
        secret = secrets.token_bytes(_SECRET_BYTES)
        async with self.database.write("factor_begun") as uow:
            if (await require_present(uow, person)).enrolled:
                raise SupportError("already_exists", "You have a second factor; take it away first.")
            await uow.sign_in_failures.clear(person.workspace, self._limit_key(person))
            sealed = self._sealing.seal(secret, owner=person.operator_id.bytes)
            await uow.second_factors.begin(person.workspace, person.operator_id, sealed)
        return _enrolment(secret, person.email)

    async def begun(self, person: Person) -> Enrolment:
        """Show again what is to be confirmed, after a code that did not fit."""
        async with self.database.read() as uow:
            factor = await uow.second_factors.get(person.operator_id)
        if factor is None or factor.confirmed_at is not None:
            raise SupportError("not_found", "Nothing is to be confirmed.")
        return _enrolment(self._secret(factor), person.email)

    async def confirm(self, person: Person, code: str) -> tuple[str, ...]:
        """Let the factor count once the app shows the right code; return the recovery codes, the only time."""
        await self._count(person)
        codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
        async with self.database.write("factor_confirmed") as uow:
            await require_present(uow, person)
            factor = await uow.second_factors.get(person.operator_id, lock=True)
            if factor is None or factor.confirmed_at is not None:
                raise SupportError("not_found", "Nothing is to be confirmed; begin again.")
            if not await self._fits(uow, factor, code, now=await uow.now()):
                raise _wrong()
            await uow.second_factors.confirm(factor.id)
            hashes = [next(self._hashes(person.operator_id, each)) for each in codes]
            await uow.second_factors.set_codes(person.workspace, person.operator_id, hashes)
            await self._proved(uow, person, how="enrolled")
        return codes

    async def prove(self, person: Person, code: str) -> None:
        """Prove the factor in this session, by the app's code or a recovery code; each works once."""
        await self._count(person)
        async with self.database.write("factor_proved") as uow:
            if not (await require_present(uow, person)).enrolled:
                raise SupportError("factor_needed", "Enrol a second factor in the console first.")
            factor = await uow.second_factors.get(person.operator_id, lock=True)
            if factor is not None and await self._fits(uow, factor, code, now=await uow.now()):
                await self._proved(uow, person, how="app")
            elif await self._used_up(uow, person.operator_id, code):
                await self._proved(uow, person, how="recovery code")
            else:
                raise _wrong()

    async def remove(self, person: Person) -> None:
        """Take one's own factor away, having just proved it."""
        async with self.database.write("factor_removed") as uow:
            (await require_present(uow, person)).require_factor()
            await uow.second_factors.remove(person.operator_id)
            await _audit(uow, person.workspace, "factor.removed", person.operator_id, str(person.operator_id))

    async def reset(self, admin: Person, operator: OperatorId) -> None:
        """Take somebody else's factor away and end their sessions: an admin's decision, never about themselves."""
        async with self.database.write("factor_reset") as uow:
            present = await require_present(uow, admin)
            require_role(admin.role, Role.ADMIN)
            if present.enrolled:
                present.require_factor()
            if operator == admin.operator_id:
                raise SupportError("not_allowed", "Another admin has to reset yours.")
            found = await uow.operators.get(operator)
            if found is None or found.workspace_id != admin.workspace:
                raise SupportError("not_found", "There is no such person.")
            await self._take_away(uow, admin.workspace, operator, actor=str(admin.operator_id))

    async def reset_here(self, workspace: WorkspaceId, operator: OperatorId) -> None:
        """The same from the machine itself, for the last admin who has lost phone and codes."""
        async with self.database.write("factor_reset") as uow:
            await self._take_away(uow, workspace, operator, actor="command line")

    async def _take_away(self, uow: UnitOfWork, workspace: WorkspaceId, operator: OperatorId, *, actor: str) -> None:
        await uow.second_factors.remove(operator)
        await uow.operators.end_sessions(operator)
        await _audit(uow, workspace, "factor.reset", operator, actor)

    async def _count(self, person: Person) -> None:
        async with self.database.write("factor_attempt") as uow:
            await self.limits.count(uow, person.workspace, {"pair": self._limit_key(person)})

    async def _fits(self, uow: UnitOfWork, factor: SecondFactor, code: str, *, now: datetime) -> bool:
        """Compare with every step that is near enough, then use the step up."""
        totp = pyotp.TOTP(_base32(self._secret(factor)))
        given = "".join(code.split())
        step = totp.timecode(now)
        steps = range(max(0, step - _EITHER_WAY), step + _EITHER_WAY + 1)
        if len(given) != _DIGITS or not given.isascii():
            return False
        fitting = [each for each in steps if hmac.compare_digest(totp.generate_otp(each), given)]
        return bool(fitting) and await uow.second_factors.take_step(factor.id, max(fitting))

    async def _proved(self, uow: UnitOfWork, person: Person, *, how: str) -> None:
        await uow.second_factors.proved(person.session_id)
        await uow.sign_in_failures.clear(person.workspace, self._limit_key(person))
        data = {"session": str(person.session_id), "how": how}
        await uow.audit.append(
            workspace=person.workspace,
            event="factor.proved",
            subject=person.operator_id,
            actor=str(person.operator_id),
            data=data,
        )

    async def seal_again(self, workspace: WorkspaceId) -> int:
        """Seal what an older key sealed under the present one; returns how many."""
        async with self.database.read() as uow:
            operators = [each.id for each in await uow.operators.all(workspace)]
        return sum([await self._sealed_again(operator) for operator in operators])

    async def _sealed_again(self, operator: OperatorId) -> bool:
        async with self.database.write("factor_sealed_again") as uow:
            factor = await uow.second_factors.get(operator, lock=True)
            if factor is None or self._sealing.is_present(factor.sealed, owner=operator.bytes):
                return False
            sealed = self._sealing.seal(self._secret(factor), owner=operator.bytes)
            await uow.second_factors.seal(factor.id, sealed)
        return True

    @property
    def _sealing(self) -> Sealing:
        return Sealing(self.key, "second factor")

    def _secret(self, factor: SecondFactor) -> bytes:
        return self._sealing.open(factor.sealed, owner=factor.operator_id.bytes)

    def _limit_key(self, person: Person) -> str:
        return self.key.keyed("second factor attempts", person.operator_id.bytes)

    async def _used_up(self, uow: UnitOfWork, operator: OperatorId, code: str) -> bool:
        """Use a recovery code up; whatever key it was hashed under, for it cannot be hashed anew."""
        for hashed in self._hashes(operator, code):
            if await uow.second_factors.use_code(operator, hashed):
                return True
        return False

    def _hashes(self, operator: OperatorId, code: str) -> Iterator[str]:
        bare = code.replace("-", "").replace(" ", "").lower()
        content = operator.bytes + bare.encode("utf-8", "replace")
        for key in dict.fromkeys((self.key.derived("recovery code"), *self.key.lasting("recovery code"))):
            yield hmac.digest(key, content, "sha256").hex()


def _enrolment(secret: bytes, email: str) -> Enrolment:
    text = _base32(secret)
    uri = pyotp.TOTP(text).provisioning_uri(name=email, issuer_name=ISSUER)
    return Enrolment(secret=text, picture=segno.make(uri, error="m").svg_data_uri(scale=5, border=3))


def _wrong() -> SupportError:
    return SupportError("factor_wrong", "The code does not fit, or was used before: wait for the app's next one.")


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode()


def _recovery_code() -> str:
    """Eighty random bits in four groups that can be read aloud."""
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


async def _audit(uow: UnitOfWork, workspace: WorkspaceId, event: str, subject: UUID, actor: str) -> None:
    await uow.audit.append(workspace=workspace, event=event, subject=subject, actor=actor)
