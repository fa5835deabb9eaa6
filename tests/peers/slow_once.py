"""A model provider that is slow until it has been asked a question once, so that the first draft for it is cut."""

from tests.peers.model_provider import ModelProvider
from tests.peers.model_script import grounded_reply
from tests.peers.model_weather import INSTANT, Distribution, Weather
from tests.peers.model_wire import Asked

# Of five seconds some whole sentences come, however busy the machine; the whole reply never does.
SLOW = Distribution((0.0, 0.0), (6.0, 0.0), stalls=0.0, faults=0.0)


def slow_once(question: str) -> ModelProvider:
    """Return one, not yet served; a server's rehearsal asks something else and leaves it slow."""
    provider = ModelProvider(Weather(SLOW))

    def says(asked: Asked) -> str:
        if question in asked.user:
            provider.weather.distribution = INSTANT  # the present answer's pace is drawn already
        return grounded_reply(asked)

    provider.says = says
    return provider
