"""How a shop speaks, as the part `voice` of its policy file says; it states no fact and allows none."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.ticket import Channel

_USUALLY = 90
# A chat is read on a small screen.
_BY_CHANNEL = {Channel.CHAT: 45}


class Voice(BaseModel):
    """What replies have in common besides being true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    style: str = Field(default="", max_length=600, description="told to a language model, in a few sentences")
    never_say: tuple[str, ...] = Field(default=(), description="phrases; a sentence with one is flagged on the card")
    signature: Mapping[str, str] = Field(default_factory=dict, description="by language; others have the usual one")
    most_words: Mapping[Channel, Annotated[int, Field(ge=10)]] = Field(
        default_factory=dict, description="between greeting and closing, by channel; a chat usually 45, others 90"
    )
    first_words: int = Field(default=14, ge=6, le=40, description="of the sentence that answers first, for a model")

    def words_for(self, channel: str) -> int:
        """Words between greeting and closing."""
        by_channel = {**_BY_CHANNEL, **self.most_words}
        return {kind.value: words for kind, words in by_channel.items()}.get(channel, _USUALLY)
