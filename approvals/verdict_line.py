"""The checks' word on an action in one line, the same on every surface; it checks nothing itself."""

from dataclasses import dataclass

from approvals.canonical import AnyAction, CanonicalRefund, CanonicalReply, CanonicalStep
from approvals.wording import Tone, counted, words
from support_agents.domain.runs import Sections
from support_agents.domain.sections import CheckResult, ComplianceSection, OrderAnswer, PlanSection, Severity, Verdict


@dataclass(frozen=True)
class VerdictLine:
    """Compliance's word in one line, with the problems below it."""

    line: str
    tone: Tone
    problems: tuple[str, ...] = ()
    detail: str = ""


def verdict_of(action: AnyAction, sections: Sections) -> VerdictLine:
    """What an action rests on: a reply on its checks, a refund or a step on the order system and the policy."""
    if isinstance(action, CanonicalReply):
        return verdict_line(sections.compliance)
    return _order_verdict(action, sections.plan)


def verdict_line(compliance: ComplianceSection | None) -> VerdictLine:
    """One line: how many facts were stated and confirmed, or the first problem."""
    if compliance is None:
        return VerdictLine("not checked: the run gave up before", Tone.BAD)
    problems = tuple(
        _problem(check.name, check.reason) for check in compliance.checks if check.result is CheckResult.FAILED
    )
    stated, confirmed = compliance.facts_stated, compliance.facts_confirmed
    line = f"{counted(stated, 'fact')}, {confirmed} confirmed" if stated else "states no facts"
    match compliance.verdict:
        case Verdict.BLOCKED:
            return VerdictLine(f"{line} – not fit to send", Tone.BAD, problems)
        case Verdict.FLAGGED if _only_remarks(compliance):
            return VerdictLine(f"{line} · {_remarks(compliance)}: read with care", Tone.CARE, problems)
        case Verdict.FLAGGED:
            return VerdictLine(f"{line} – only as a person’s own word", Tone.BAD, problems)
        case Verdict.REPAIRED:
            dropped = counted(len(compliance.dropped), "sentence")
            return VerdictLine(f"{line} · {dropped} dropped", Tone.CARE, problems)
        case Verdict.PASS:
            return VerdictLine(line, Tone.GOOD if confirmed >= stated else Tone.BAD, problems)


def _remarks(compliance: ComplianceSection) -> str:
    failed = [check for check in compliance.checks if check.result is CheckResult.FAILED]
    return counted(sum(check.severity is Severity.FLAG for check in failed), "remark")


def _only_remarks(compliance: ComplianceSection) -> bool:
    """Whether every sentence that failed more than a remark has been dropped; a person's edit keeps its own."""
    failed = [check for check in compliance.checks if check.result is CheckResult.FAILED]
    lost = {check.sentence for check in failed if check.severity is not Severity.FLAG}
    return len(lost) <= len(compliance.dropped)


def _problem(name: str, reason: str) -> str:
    return f"{words(name)}: {reason}" if reason else words(name)


def _order_verdict(action: CanonicalRefund | CanonicalStep, plan: PlanSection | None) -> VerdictLine:
    """What a refund or a step rests on: whose order it is, what is left of it, by which rule."""
    found = plan.order if plan and plan.order_answer is OrderAnswer.FOUND else None
    order = found if found is not None and found.order_id == action.order_id else None
    if order is None and (action.order_id or isinstance(action, CanonicalRefund)):
        return VerdictLine("not confirmed by the order system", Tone.BAD)
    facts = {} if order is None else {"the order is this customer’s": True}
    if order is not None and isinstance(action, CanonicalRefund):
        left = order.total - order.refunded
        facts[f"at most what is left ({left})"] = action.amount <= left
    facts["by a rule of the policy"] = bool(action.clauses)
    confirmed = sum(facts.values())
    line = f"{counted(len(facts), 'fact')}, {confirmed} confirmed"
    problems = tuple(fact for fact, holds in facts.items() if not holds)
    detail = "" if problems else ", ".join(facts)
    tone = Tone.BAD if problems else Tone.GOOD
    return VerdictLine(line, tone, tuple(f"not confirmed: {fact}" for fact in problems), detail)
