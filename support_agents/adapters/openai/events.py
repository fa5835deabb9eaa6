"""Reads a stream of server-sent events as JSON with little work for each; the call itself stays the SDK's."""

import json
from collections.abc import AsyncIterator

import openai
from pydantic_core import from_json

_FIELD, _DONE = b"data:", b"[DONE]"


class JsonEvents(openai.AsyncStream[list[object]]):
    """The SDK's stream, read line by line: every server of this wire puts an event's JSON into one `data:` line.

    Names of events and comments are passed over, and what has no end of line when the answer ends was cut. An error
    told inside of the stream is an `openai.APIError`; faults of the connection come as the HTTP client raises them.
    """

    async def __stream__(self) -> AsyncIterator[list[object]]:
        """Yield the events that have come together, until the end mark; a fault comes after those before it.

        The rest is only read, so that the connection can be used again.
        """
        held, ended = b"", False
        async for piece in self.response.aiter_bytes():
            *lines, held = (held + piece).split(b"\n")
            events: list[object] = []
            try:
                for line in lines:
                    if ended or not line.startswith(_FIELD):
                        continue
                    said = line[len(_FIELD) :].strip()
                    ended = said.startswith(_DONE)
                    if not ended:
                        events.append(self._read(said))
            finally:
                if events:
                    yield events

    def _read(self, said: bytes) -> object:
        event: object
        try:
            event = from_json(said)  # five times as quick as the standard library
        except ValueError:
            event = json.loads(said.decode())  # what that one reads and this one does not, or the fault in its words
        if isinstance(event, dict) and event.get("error"):
            raise openai.APIError("an error was told in the stream", self.response.request, body=event["error"])
        return event
