"""Customers, operators, approvers, crashes and clocks at random over the real code, checked after every step."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId, RequestId
from support_agents.domain.runs import Rechecked
from support_agents.domain.sections import Check, CheckResult, ComplianceSection, Sentence, Verdict
from support_agents.domain.ticket import Author, EventKind
from tests.soak.accounts import Row, at_rest, never
from tests.soak.faults import COMMITS, Fault, Planned, Site
from tests.soak.stage import TICKETS, Stage

# A second, a lease, an undo window, some retries, an hour, a night, a weekend.
JUMPS = (1, 31, 61, 400, 3_600, 50_000, 200_000)
CRASHES = (Fault.ABORT_BEFORE, Fault.ABORT_AFTER)
LABELS = (
    *COMMITS, "mail_marker", "decide", "in_doubt", "reconcile", "receive", "begin_run", "card_ready", "cancel",
    "replace", "expire", "supersede",
)  # fmt: skip
CALLS = (
    Fault.REFUSED, Fault.NO_CONNECTION, Fault.TIMES_OUT, Fault.BOOKED_500, Fault.BOOKED_TIMES_OUT, Fault.SLEEPS,
    Fault.IN_FLIGHT, *CRASHES,
)  # fmt: skip
WRONG = {
    Site.CALL: CALLS,
    Site.COMMIT: CRASHES,
    Site.FIND: (Fault.UNREACHABLE, Fault.TIMES_OUT, Fault.ABORT_BEFORE),
    Site.LOOK: (Fault.UNREACHABLE,),
}
MINORS = (0, 4_000, 9_000, 12_000)  # the last needs two people, one of them a manager
WHICH = st.integers(0, TICKETS - 1)
WHO = st.integers(0, 3)
PICK = st.integers(0, 11)  # which of those there are; nothing that is drawn depends on what has happened
THEMSELF = 3  # an operator who is the customer


class ApprovalMachine(RuleBasedStateMachine, Stage):
    """Every rule is something that somebody may do at any time."""

    @initialize(mail=st.booleans(), minor=st.sampled_from(MINORS), states=st.booleans())
    def open(self, mail: bool, minor: int, states: bool) -> None:  # noqa: FBT001 - drawn
        self.furnish(mail=mail)
        self.deliver(self.inbound(0, Author.CUSTOMER))
        self.the_relay_delivers(TICKETS)
        self.a_run_ends(minor, states)

    # -- people and customers ----------------------------------------------------------------------------

    @rule(which=WHICH, author=st.sampled_from([Author.CUSTOMER, Author.CUSTOMER, Author.OPERATOR]))
    def a_message_arrives(self, which: int, author: Author) -> None:
        self.deliver(self.inbound(which, author))

    @rule(which=WHICH, kind=st.sampled_from([EventKind.REQUESTER_CHANGED, EventKind.TICKET_CLOSED]))
    def the_ticket_changes(self, which: int, kind: EventKind) -> None:
        made = self.inbound(which, Author.CUSTOMER, other=kind is EventKind.REQUESTER_CHANGED)
        self.deliver(made.model_copy(update={"kind": kind, "message": None}))

    @rule(pick=PICK)
    def a_webhook_is_delivered_again(self, pick: int) -> None:
        sent = list(self.sent.values())
        self.deliver(sent[pick % len(sent)])

    @rule(pick=PICK, who=WHO, approves=st.integers(0, 5), strange=st.integers(0, 5))
    def somebody_decides(self, pick: int, who: int, approves: int, strange: int) -> None:
        requests = self.requests()
        if not requests:
            return
        request, other = requests[-1 - pick % len(requests)], requests[0]
        person = self.people[who]
        digest = request["digest"] if strange else other["digest"]
        verdict = DecisionVerdict.APPROVE if approves else DecisionVerdict.REJECT
        if approves and digest == request["digest"] and who != THEMSELF:
            self.outside.journal.write(what="click", digest=digest, person=str(person.operator_id))
        self.allowed(
            self.shop.queue.decide(RequestId(request["id"]), digest=digest, verdict=verdict, person=person, reason="x")
        )

    @rule(who=WHO)
    def an_approver_works_off_the_queue(self, who: int) -> None:
        for request in self.requests():
            if request["status"] == RequestStatus.PENDING:
                person = self.people[who]
                if who != THEMSELF:
                    self.outside.journal.write(what="click", digest=request["digest"], person=str(person.operator_id))
                approve = DecisionVerdict.APPROVE
                self.allowed(
                    self.shop.queue.decide(
                        RequestId(request["id"]), digest=request["digest"], verdict=approve, person=person
                    )
                )

    @rule(pick=PICK, who=WHO)
    def somebody_edits(self, pick: int, who: int) -> None:
        request = self._one(pick, [row for row in self.requests() if row["status"] == RequestStatus.PENDING])
        if request is not None:
            text = f"Edited at {next(self.minutes)}"
            passed = (Check(name="cited", result=CheckResult.PASSED),)
            compliance = ComplianceSection(verdict=Verdict.PASS, checks=passed, facts_stated=0)
            rechecked = Rechecked(text=text, sentences=(Sentence(text=text),), compliance=compliance)
            self.allowed(
                self.shop.queue.replace(
                    RequestId(request["id"]), digest=request["digest"], rechecked=rechecked, person=self.people[who]
                )
            )

    @rule(pick=PICK)
    def somebody_takes_back(self, pick: int) -> None:
        row = self._one(pick, self.executions(ExecutionStatus.SCHEDULED))
        if row is not None:
            execution = ExecutionId(row["id"])
            self.allowed(self.shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="x"))

    @rule(pick=PICK)
    def somebody_settles_what_nobody_asks_about_any_more(self, pick: int) -> None:
        doubtful = self.executions(ExecutionStatus.IN_DOUBT)
        row = self._one(pick, [row for row in doubtful if row["next_check_at"] is None])
        if row is not None:
            seen = any(effect["action"] == str(row["action_id"]) for effect in self.books().effects)
            status = ExecutionStatus.SUCCEEDED if seen else ExecutionStatus.FAILED
            settling = self.shop.executions.resolve(
                ExecutionId(row["id"]), person=self.people[2], status=status, note="looked"
            )
            self.allowed(settling)

    @rule(who=WHO)
    def somebody_signs_in_again(self, who: int) -> None:
        self.people[who] = self.run(self.sign_in_again(self.people[who]))

    @rule(paused=st.sampled_from([True, False, False]))
    def somebody_throws_the_switch(self, paused: bool) -> None:  # noqa: FBT001 - drawn
        self.run(self.switch(paused=paused))

    # -- workers, crashes and clocks ---------------------------------------------------------------------

    @rule(most=st.integers(1, 4))
    def the_relay_delivers(self, most: int) -> None:
        for due in self.run(self.claim(most)):
            self.survived(self.handle(due))

    @rule(seconds=st.sampled_from((31, 61, 400)))
    def a_while_goes_by_in_which_everybody_works(self, seconds: int) -> None:
        self.time_passes(seconds)
        for _ in range(2):
            self.the_relay_delivers(2 * TICKETS)
            self.duties()

    @rule(who=st.integers(0, 2), fault=st.sampled_from(CALLS), which=WHICH, minor=st.sampled_from(MINORS))
    def a_busy_hour(self, who: int, fault: Fault, which: int, minor: int) -> None:
        """Somebody writes, a run answers, people approve, the provider fails: chance alone seldom gets so far."""
        self.deliver(self.inbound(which, Author.CUSTOMER))
        self.the_relay_delivers(2 * TICKETS)
        while self.begun:
            self.a_run_ends(minor, states=True)
        self.an_approver_works_off_the_queue(who)
        self.outside.armed.append(Planned(0, Site.CALL, fault))
        for seconds in (61, 61, 400):
            self.a_while_goes_by_in_which_everybody_works(seconds)

    @rule(minor=st.sampled_from(MINORS), states=st.booleans())
    def a_run_ends(self, minor: int, states: bool) -> None:  # noqa: FBT001 - drawn
        if self.begun:
            self.survived(self.finish(self.begun.pop(0), minor, states=states))

    @rule()
    def a_run_is_lost(self) -> None:
        self.begun = self.begun[1:]

    @rule()
    def the_schedule_does_its_duties(self) -> None:
        self.duties()

    @rule(pick=PICK)
    def a_worker_falls_asleep_at_the_providers_door(self, pick: int) -> None:
        row = self._one(pick, self.executions(ExecutionStatus.SCHEDULED))
        if row is not None:
            self.run(self.sleep(ExecutionId(row["id"])))

    @rule(pick=PICK)
    def a_worker_wakes(self, pick: int) -> None:
        if self.asleep:
            self.run(self.wake(sorted(self.asleep)[pick % len(self.asleep)]))

    @rule(site=st.sampled_from([Site.CALL, Site.CALL, Site.COMMIT, Site.COMMIT, Site.FIND, Site.LOOK]), data=st.data())
    def something_will_go_wrong(self, site: Site, data: st.DataObject) -> None:
        label = data.draw(st.sampled_from(LABELS)) if site is Site.COMMIT else ""
        self.outside.armed.append(Planned(0, site, data.draw(st.sampled_from(WRONG[site])), label))

    @rule(seconds=st.sampled_from(JUMPS))
    def time_passes(self, seconds: int) -> None:
        self.outside.pass_time(timedelta(seconds=seconds))

    @rule(seconds=st.sampled_from((20, 400, 4_000)))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.outside.pass_time(timedelta(seconds=-seconds))

    @rule(refunded=st.sampled_from([0, 3_000]))
    def the_order_changes_elsewhere(self, refunded: int) -> None:
        self.version, self.refunded = self.version + 1, max(self.refunded, refunded)
        self.tell_order()

    # -- what must hold ----------------------------------------------------------------------------------

    @invariant()
    def nothing_unapproved_changed_doubled_or_lost(self) -> None:
        if not hasattr(self, "shop"):
            return
        self.home.steps += 1
        books = self.books()
        assert never(books).wrong == []
        refunded = sum(line["minor"] for line in books.effects if line["what"] == "refund")
        assert refunded <= self.paid.minor, "more was refunded than was paid"
        events, messages, waiting = self.inbox()
        assert events == len(self.sent), "an acknowledged webhook was lost, or taken twice"
        assert messages == sum(each.message is not None for each in self.sent.values())
        assert waiting == [], "a customer waits, and nobody is called to answer"

    def teardown(self) -> None:
        if not hasattr(self, "shop"):
            return
        try:
            self.until_rest()
            assert at_rest(self.books()).wrong == []
        finally:
            self.run(self.database.close())

    def _one(self, pick: int, rows: list[Row]) -> Row | None:
        return rows[pick % len(rows)] if rows else None
