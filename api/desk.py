"""Wires what people do from a team messenger around one installation's collaborators; it chooses no messenger."""

from dataclasses import dataclass
from functools import partial

from api.alternatives import slots_of
from api.correcting import Correcting
from api.editing import Editing
from approvals.batches import Batches
from approvals.card_reading import CardReader
from approvals.corrections import DeskCorrections
from approvals.desk import Desk
from approvals.desk_edits import DeskEdits
from approvals.desk_queue import DeskQueue
from approvals.execution import Executions
from approvals.fitting import Fitting
from approvals.fuller import FullerDrafts
from approvals.linking import Linking
from approvals.queue import ApprovalQueue
from approvals.redrafting import Redrafting
from db.engine import Database
from support_agents.ports import Clock


@dataclass(frozen=True)
class DeskParts:
    """Everything a person can do there."""

    linking: Linking
    desk: Desk
    queue: DeskQueue
    edits: DeskEdits
    batches: Batches
    redrafting: Redrafting
    corrections: DeskCorrections


@dataclass(frozen=True, kw_only=True)
class DeskNeeds:
    """The collaborators of one installation that a desk works with."""

    database: Database
    queue: ApprovalQueue
    executions: Executions
    editing: Editing
    correcting: Correcting
    cards: CardReader
    clock: Clock


def desk_of(needs: DeskNeeds) -> DeskParts:
    """Return the use cases, all on one database."""
    database, queue, cards = needs.database, needs.queue, needs.cards
    linking = Linking(database)
    return DeskParts(
        linking=linking,
        desk=Desk(database, queue, linking, needs.executions),
        queue=DeskQueue(database, Fitting(queue.entitlement), cards),
        edits=DeskEdits(database, cards, needs.editing, FullerDrafts(queue)),
        batches=Batches(database, queue, cards, partial(slots_of, clock=needs.clock)),
        redrafting=Redrafting(database),
        corrections=DeskCorrections(database, needs.correcting),
    )
