"""The check that a reply is as long as its channel bears; it cuts nothing, a person decides what to leave out."""

from collections.abc import Sequence

from support_agents.agents.checks.rule import DraftRule
from support_agents.agents.checks.support import Support
from support_agents.domain.sections import Sentence, Severity
from support_agents.domain.ticket import Channel
from support_agents.wording.letters import body_words


def _too_long(kept: Sequence[Sentence], support: Support) -> str:
    """More words between greeting and closing than the channel is kept to; approved macros have their own length."""
    if all(_is_approved(sentence, support) for sentence in kept):
        return ""
    given = support.drafting
    words, most = body_words(kept, given), given.voice.words_for(given.channel)
    return f"the reply has {words} words; {_name(given.channel)} is kept to {most}" if words > most else ""


def _is_approved(sentence: Sentence, support: Support) -> bool:
    """Whether the sentence is a macro's, or one of ours that may stand beside it."""
    names_open = support.phrases is not None and support.phrases.is_open(sentence.text)
    return sentence.courtesy or names_open or support.is_macro(sentence)


def _name(channel: str) -> str:
    return {Channel.CHAT.value: "chat", Channel.EMAIL.value: "e-mail"}.get(channel, "this channel")


CHANNEL_LENGTH = DraftRule("channel_length", Severity.FLAG, _too_long)
