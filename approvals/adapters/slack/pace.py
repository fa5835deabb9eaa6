"""How fast Slack may be asked: a bucket per method and per channel, and the pauses Slack asks for; it never waits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rate:
    """So many calls at once, and so many a second in the long run."""

    burst: float
    per_second: float


# Slack's tiers are per method, workspace and minute; a message a second a channel with short bursts above it.
TIER_2, TIER_3, TIER_4 = Rate(5, 20 / 60), Rate(10, 50 / 60), Rate(20, 100 / 60)
METHODS: Mapping[str, Rate] = {
    "auth.test": Rate(20, 5),
    "chat.postMessage": Rate(20, 5),
    "chat.update": TIER_3,
    "chat.postEphemeral": TIER_4,
    "conversations.open": TIER_3,
    "conversations.info": TIER_3,
    "views.open": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "users.info": TIER_4,
}
CHANNEL = Rate(4, 1)
_OTHERS = TIER_2
_MOST_CHANNELS = 10_000
_CRUMB = 1e-9


@dataclass
class _Bucket:
    rate: Rate
    left: float
    at: float
    closed_until: float = 0.0
    next_slot: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a call may be made; 0 = now. The bucket is filled up, nothing is taken."""
        self.left = min(self.rate.burst, self.left + (now - self.at) * self.rate.per_second)
        self.at = now
        missing = (1 - self.left) / self.rate.per_second if self.left < 1 - _CRUMB else 0.0
        return max(missing, self.closed_until - now, 0.0)

    def slot(self, now: float, wait: float) -> float:
        """Seconds for one who cannot go now: each gets a later moment, so that all do not come back at once."""
        slot = max(self.next_slot, now + wait)
        self.next_slot = slot + 1 / self.rate.per_second
        return slot - now


@dataclass
class Pace:
    """The buckets of one token; `monotonic` is a clock in seconds that never goes back."""

    monotonic: Callable[[], float]
    methods: Mapping[str, Rate] = field(default_factory=lambda: METHODS)
    channel: Rate = CHANNEL
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def take(self, method: str, channel: str = "") -> float:
        """Take a call from the method's and the channel's bucket; or take none and return the seconds to wait."""
        seconds, buckets = self._wait(method, channel)
        if not seconds:
            for bucket in buckets:
                bucket.left -= 1
        return seconds

    def pause(self, method: str, channel: str = "") -> float:
        """Take nothing; return the seconds to wait, to each who asks a later moment."""
        return self._wait(method, channel)[0]

    def _wait(self, method: str, channel: str) -> tuple[float, Sequence[_Bucket]]:
        now = self.monotonic()
        buckets = [self._bucket("method", method, now), *([self._bucket("channel", channel, now)] if channel else [])]
        waits = [bucket.wait(now) for bucket in buckets]
        if not any(waits):
            return 0.0, buckets
        tightest = max(zip(waits, buckets, strict=True), key=lambda each: each[0])
        return tightest[1].slot(now, tightest[0]), buckets

    def close(self, method: str, channel: str, seconds: float) -> None:
        """Slack said to wait: nothing goes to this channel, or by this method where there is none, until then."""
        now = self.monotonic()
        bucket = self._bucket("channel", channel, now) if channel else self._bucket("method", method, now)
        bucket.closed_until = max(bucket.closed_until, now + seconds)

    def _bucket(self, kind: str, name: str, now: float) -> _Bucket:
        found = self._buckets.get((kind, name))
        if found is None:
            if len(self._buckets) >= _MOST_CHANNELS:
                self._buckets.clear()
            rate = self.channel if kind == "channel" else self.methods.get(name, _OTHERS)
            found = self._buckets[kind, name] = _Bucket(rate, rate.burst, now)
        return found
