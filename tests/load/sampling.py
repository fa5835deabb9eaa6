"""Looks at something now and then, in a thread of its own, while something else goes on."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Self


@dataclass(kw_only=True)
class Sampler(ABC):
    """Calls `look` each `every` seconds from its beginning as a context to its end."""

    every: float
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread = field(default_factory=threading.Thread, repr=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, name=type(self).__name__.lower())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(self.every):
            self.look()

    @abstractmethod
    def look(self) -> None:
        """Take one sample, in the sampler's thread."""
