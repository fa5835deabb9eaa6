"""Makes an undecided check of attention look like any other request; the record itself stays as it is."""

from dataclasses import replace

from db.read_models.queue import QueueItem
from support_agents.domain.approval import RequestStatus
from support_agents.domain.runs import Outcome
from support_agents.domain.sections import CheckResult, Verdict


def covered(item: QueueItem) -> QueueItem:
    """The item as people may see it: while it waits, a planted draft bears the word of checks that found nothing.

    What the checks did say would tell it from all others, and whoever approves by that line alone is to be found out.
    """
    request, sections = item.request, item.run.sections
    if request.seeded_by is None or request.status is not RequestStatus.PENDING:
        return item
    compliance, draft = sections.compliance, sections.draft
    if compliance is None or draft is None:
        return item
    found_nothing = compliance.model_copy(
        update={
            "verdict": Verdict.PASS,
            "checks": tuple(
                check.model_copy(update={"result": CheckResult.PASSED, "reason": ""}) for check in compliance.checks
            ),
            "dropped": (),
            "facts_confirmed": compliance.facts_stated,
        }
    )
    shown = {
        "sections": sections.model_copy(update={"compliance": found_nothing}),
        "outcome": Outcome(draft.rung),
        "reason": "",
    }
    return replace(item, run=item.run.model_copy(update=shown))
