"""Finds the things that a message asks for, each with its place and intent; it never answers any."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from support_agents.domain.intent import UNKNOWN, Ask, IntentScore
from support_agents.intents.clauses import Clause, Does, clauses

MOST_ASKS = 5
LONG_MESSAGE = 70  # words; beyond, a message's embedding says more of its story than of its ask
OWN_SHARE = 0.7  # of a clause's own probabilities; the rest is the whole message's, for what `it` refers to


@dataclass(frozen=True)
class Span:
    """A stretch of the message that asks for one thing; `refers` if it may only point back (`how do I do that?`)."""

    text: str
    start: int
    end: int
    refers: bool = False


@dataclass(frozen=True)
class Reading:
    """What a message asks for and in which words: `matter` is its text without greetings, thanks and names."""

    matter: str
    spans: tuple[Span, ...]

    @property
    def to_embed(self) -> tuple[str, ...]:
        """Texts that need an embedding besides the message's own: none for a short message with one ask."""
        if len(self.spans) > 1:
            return tuple(span.text for span in self.spans)
        long = len(self.matter.split()) > LONG_MESSAGE
        return (self.spans[0].text,) if self.spans and long else ()

    @property
    def only_ask(self) -> tuple[str, ...]:
        """The one ask where it is but a part of the matter: worth a look of its own if the whole is unclear."""
        alone = len(self.spans) == 1 and self.spans[0].text != self.matter
        return (self.spans[0].text,) if alone else ()


def read(text: str, language: str) -> Reading:
    """Return the asks of a message in order, none for a greeting or thanks alone, and its matter."""
    found = clauses(text, language)
    matter = "\n".join(clause.text for clause in found if clause.does is not Does.COURTESY) or text
    return Reading(matter, tuple(_span(text, group) for group in _chosen(found)[:MOST_ASKS]))


def blended(own: Iterable[IntentScore], whole: Iterable[IntentScore]) -> tuple[IntentScore, ...]:
    """Mix the probabilities of an unclear clause with the message's; still a distribution, best first."""
    rest = {score.name: score.probability for score in whole}
    mixed = [
        IntentScore(
            name=score.name,
            probability=min(1.0, OWN_SHARE * score.probability + (1 - OWN_SHARE) * rest.get(score.name, 0.0)),
        )
        for score in own
    ]
    return tuple(sorted(mixed, key=lambda score: -score.probability))


def answered(scores: Sequence[IntentScore], threshold: float) -> IntentScore:
    """Return the best score, or `unknown` with what is left beside the best known one."""
    best = scores[0]
    if best.name == UNKNOWN or best.probability >= threshold:
        return best
    return IntentScore(name=UNKNOWN, probability=1 - best.probability)


def joined(text: str, found: Sequence[tuple[Span, IntentScore]]) -> tuple[Ask, ...]:
    """Turn scored spans into asks; neighbours with the same intent become one."""
    asks: list[Ask] = []
    for span, score in found:
        last = asks[-1] if asks else None
        pointing_back = span.refers and score.name == UNKNOWN
        if last and (last.intent.name == score.name or pointing_back):
            best = last.intent if pointing_back else max(last.intent, score, key=lambda one: one.probability)
            asks[-1] = Ask(text=text[last.start : span.end], start=last.start, end=span.end, intent=best)
        else:
            asks.append(Ask(text=span.text, start=span.start, end=span.end, intent=score))
    return tuple(asks)


def _chosen(found: Sequence[Clause]) -> list[list[Clause]]:
    """Group clauses into asks: each explicit ask, statements that no ask belongs to, general pleas as a last resort."""
    asks = [clause for clause in found if clause.does is Does.ASK]
    statements = [clause for clause in found if clause.does is Does.STATEMENT]
    if not asks:
        listed = [[clause] for clause in statements if clause.listed or clause.further]
        rest = [clause for clause in statements if not (clause.listed or clause.further)]
        general = [[clause] for clause in found if clause.does is Does.GENERAL][:1]
        return _ordered([*listed, *([rest] if rest else [])]) or general
    groups = [[clause] for clause in asks]
    if all(clause.further for clause in asks):
        before = [clause for clause in statements if clause.start < asks[0].start]
        groups += [before] if before else []
    groups += [[clause] for clause in statements if clause.further or clause.listed]
    return _ordered(groups)


def _ordered(groups: list[list[Clause]]) -> list[list[Clause]]:
    """Order groups by place and drop one that begins inside another."""
    ordered = sorted(groups, key=lambda group: group[0].start)
    return [group for at, group in enumerate(ordered) if at == 0 or group[0].start >= ordered[at - 1][-1].end]


def _span(text: str, group: Sequence[Clause]) -> Span:
    start, end = group[0].start, group[-1].end
    return Span(text[start:end], start, end, refers=all(clause.refers for clause in group))
