"""A person's own text as sentences, each with the evidence of the run that bears it; it changes none of the words."""

from support_agents.agents.drafting import best_quote
from support_agents.domain.knowledge import Citation
from support_agents.domain.sections import CheckResult, ComplianceSection, DraftingGiven, Sentence, Verdict
from support_agents.screening.terms import terms
from support_agents.wording.facts import fact_texts
from support_agents.wording.letters import is_courtesy
from support_agents.wording.segments import split_sentences
from support_agents.wording.values import unconfirmed, values_in

# Share of a sentence's content words that a quote must contain before it counts as its source.
_BORNE_OUT = 0.5
# What no person's decision makes right; any other failed check of an edit is shown to whoever approves it.
_FORBIDDEN = frozenset({"no_internal", "no_other_person"})


def grounded(text: str, given: DraftingGiven) -> tuple[Sentence, ...]:
    """Cut `text` into sentences and find for each the passage sentence and the facts that it states."""
    return tuple(_grounded(segment.text, given) for segment in split_sentences(text))


def judged(compliance: ComplianceSection) -> ComplianceSection:
    """Turn a machine's verdict on an edit into one for a person: blocked only by what nobody may send."""
    failed = {check.name for check in compliance.checks if check.result is CheckResult.FAILED}
    verdict = Verdict.BLOCKED if failed & _FORBIDDEN else Verdict.FLAGGED if failed else Verdict.PASS
    return compliance.model_copy(update={"verdict": verdict, "dropped": ()})


def _grounded(text: str, given: DraftingGiven) -> Sentence:
    if is_courtesy(text, given):
        return Sentence(text=text, courtesy=True)
    return Sentence(text=text, citations=_citations(text, given), facts=_facts(text, given))


def _citations(text: str, given: DraftingGiven) -> tuple[Citation, ...]:
    wanted = frozenset(terms(text))
    quotes = [best_quote(text, found.passage.text) for found in given.passages]
    shares = [_share(wanted, quote) for quote in quotes]
    if not shares or max(shares) < _BORNE_OUT:
        return ()
    at = shares.index(max(shares))
    passage = given.passages[at].passage
    return (Citation(passage_id=passage.id, article_id=passage.article_id, title=passage.title, quote=quotes[at]),)


def _share(wanted: frozenset[str], quote: str) -> float:
    return len(wanted & frozenset(terms(quote))) / max(1, len(wanted))


def _facts(text: str, given: DraftingGiven) -> tuple[str, ...]:
    """Name the verified facts whose value stands in the sentence."""
    stated = values_in(text)
    texts = {name: fact for name, fact in fact_texts(given, given.language).items() if fact}
    return tuple(
        name
        for name, fact in texts.items()
        if fact.casefold() in text.casefold() or (values_in(fact) and not unconfirmed(values_in(fact), stated))
    )
