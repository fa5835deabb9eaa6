"""The audit's head and the install epoch in a signed file beside the database: what a restored backup cannot know."""

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId


class Head(BaseModel):
    """Under which epoch a workspace's chain had reached which entry; `seq` 0 and no seal: nothing sealed yet."""

    model_config = ConfigDict(frozen=True)

    epoch: UUID
    seq: int = 0
    seal: str = ""


class _Heads(BaseModel):
    heads: dict[UUID, Head]


class _Signed(BaseModel):
    body: str
    signature: str


@dataclass(frozen=True)
class Anchor:
    """The file `path`, signed with `key`. Reading and writing block for a few milliseconds."""

    path: Path
    key: bytes
    older: tuple[bytes, ...] = ()  # accepted, while one key takes another's place

    def read(self) -> Mapping[WorkspaceId, Head]:
        """The heads by workspace, empty when there is no file; `anchor_unreadable` when it is not as we wrote it."""
        if not self.path.exists():
            return {}
        try:
            signed = _Signed.model_validate_json(self.path.read_bytes())
            if not any(hmac.compare_digest(signed.signature, each) for each in self._signatures(signed.body)):
                raise SupportError("anchor_unreadable", f"{self.path} was not signed by this installation")
            heads = _Heads.model_validate_json(signed.body).heads
        except ValidationError as error:
            raise SupportError("anchor_unreadable", f"{self.path} is damaged") from error
        return {WorkspaceId(workspace): head for workspace, head in heads.items()}

    def write(self, workspace: WorkspaceId, head: Head) -> None:
        """Replace one workspace's head, never by an older one or another epoch's: processes that share it may be late.

        After a power cut the file is the old or the new one, whole.
        """
        with self._alone():
            known = self.read()
            there = known.get(workspace)
            if there is None or there.seq == 0 or (there.epoch == head.epoch and there.seq <= head.seq):
                self._replace({**known, workspace: head})

    def adopt(self, workspace: WorkspaceId, head: Head) -> None:
        """As `write`, although the file may be unreadable, which loses the other workspaces': a person's decision."""
        with self._alone():
            try:
                known = self.read()
            except SupportError:
                known = {}
            self._replace({**known, workspace: head})

    def sign_again(self) -> None:
        """Have it signed by the present key, whoever signed it last."""
        with self._alone():
            known = self.read()
            if known:
                self._replace(known)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from writing meanwhile."""
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _replace(self, heads: Mapping[WorkspaceId, Head]) -> None:
        body = _Heads(heads=dict(heads)).model_dump_json()
        content = _Signed(body=body, signature=self._sign(body)).model_dump_json()
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _sign(self, body: str) -> str:
        return next(self._signatures(body))

    def _signatures(self, body: str) -> Iterator[str]:
        """By the present key, then by the older ones."""
        for key in (self.key, *self.older):
            yield hmac.new(key, b"anchor:" + body.encode(), hashlib.sha256).hexdigest()
