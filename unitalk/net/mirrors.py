"""Chooses the endpoint to ask: in the user's order, the next one when one fails.

All endpoints are held to the same pinned commit and hashes, so any of them will do. Only when all
have failed does a thread wait, longer after each round. An endpoint that asks for patience
(`Retry-After`) is left alone by all threads until then.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk import stopping
from unitalk.errors import HubError
from unitalk.net.timeouts import check_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unitalk.net.responses import PassingError, RefusedError
    from unitalk.net.timeouts import Patience

_NEVER = float("-inf")
_MOMENT = 1e-6  # seconds; rounding errors of sums are smaller


@dataclass(slots=True, eq=False)
class Mirror:
    """One endpoint, and what this run knows of it.

    Attributes:
        endpoint: its address, without a closing slash.
        place: its place in the user's order, from 0.
        not_before: no thread asks it before this time.
        answered: whether it ever answered.
        silent: whether the last request to it got no answer at all; then others are asked first.
        refusal: why it will give nothing in this run.
    """

    endpoint: str
    place: int
    not_before: float = _NEVER
    answered: bool = False
    silent: bool = False
    refusal: HubError | None = None

    def named(self, reason: str) -> str:
        """A reason that begins with the endpoint's address."""
        return reason if reason.startswith(self.endpoint) else f"{self.endpoint}: {reason}"


class Mirrors:
    """All endpoints in the user's order, and how to wait for them; for many threads.

    Args:
        endpoints: the addresses.
        patience: how long to wait.
        stop: ends every wait.
        warnings: filled with why an endpoint was passed over, by its address.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        patience: Patience,
        stop: threading.Event,
        warnings: dict[str, str],
    ) -> None:
        self.all = tuple(Mirror(endpoint, place) for place, endpoint in enumerate(endpoints))
        self.patience = patience
        self.stop = stop
        self._warnings = warnings
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        """Wait so long, or until there is a stop."""
        if self.patience.sleep is not None:
            self.patience.sleep(seconds)
        else:
            stopping.pause(self.stop, seconds)

    def postpone(self, mirror: Mirror, seconds: float) -> None:
        """Let no thread ask an endpoint for so many seconds."""
        until = self.patience.clock() + min(seconds, self.patience.longest)
        with self._lock:
            mirror.not_before = max(mirror.not_before, until)

    def pass_over(self, mirror: Mirror, reason: str) -> None:
        """Warn that an endpoint is passed over, if there are others."""
        if len(self.all) > 1:
            text = f"{mirror.named(reason)}; others are asked instead"
            self._warnings.setdefault(mirror.endpoint, text)


class Turns:
    """The endpoints in turn, for one question or one file, in one thread.

    Args:
        mirrors: all endpoints.
        what: the question or the file, for messages.
        pinned: it is about a commit that other endpoints have named.
        say: called with a sentence when a failure is followed by another try.
    """

    def __init__(
        self,
        mirrors: Mirrors,
        what: str,
        *,
        pinned: bool = False,
        say: Callable[[str], object] | None = None,
    ) -> None:
        self._mirrors = mirrors
        self._what = what
        self._pinned = pinned
        self._say = say or (lambda _: None)
        self._failures = dict.fromkeys(mirrors.all, 0)
        self._altered = dict.fromkeys(mirrors.all, 0)
        self._ready = dict.fromkeys(mirrors.all, _NEVER)
        ended = {m: (m.refusal, m.refusal.message) for m in mirrors.all if m.refusal is not None}
        # If all of them refused, one may have changed its mind since.
        self._ended = ended if len(ended) < len(mirrors.all) else {}

    def next(self) -> Mirror:
        """Wait until an endpoint may be asked; return the one that failed least.

        Raises:
            HubError: every endpoint has failed for good.
            StoppedError: `stop` is set.
        """
        patience = self._mirrors.patience
        while True:
            check_stop(self._mirrors.stop)
            left = [mirror for mirror in self._mirrors.all if mirror not in self._ended]
            if not left:
                raise self._nobody()
            now = patience.clock()
            waits = {m: max(m.not_before, self._ready[m]) - now for m in left}
            ready = [mirror for mirror in left if waits[mirror] < _MOMENT]
            if ready:
                return min(ready, key=lambda m: (self._failures[m], m.silent, m.place))
            # Spread a little, so that many threads do not ask in the same instant.
            jitter = random.random() * patience.backoff / 4  # noqa: S311 - guards no secret
            self._mirrors.sleep(min(waits.values()) + jitter)

    def advanced(self) -> None:
        """Restart the count of failures: more bytes have come than ever before."""
        self._failures = dict.fromkeys(self._failures, 0)

    def failed(self, mirror: Mirror, trouble: PassingError) -> None:
        """Record a failure that may pass."""
        patience = self._mirrors.patience
        self._failures[mirror] += 1
        count = self._failures[mirror]
        delay = min(patience.backoff * 2 ** (count - 1), patience.longest)
        if trouble.shared:
            self._mirrors.postpone(mirror, delay if trouble.wait is None else trouble.wait)
        else:
            self._ready[mirror] = patience.clock() + delay
        never = trouble.unreachable and not mirror.answered
        if count >= (min(patience.tries, patience.unreached) if never else patience.tries):
            text = f"given up after {count} failures in a row, the last: {trouble.reason}"
            hint = "check the network, then run the same command again to continue"
            self._end(mirror, HubError(f"{self._what}: {text}", hint=hint), text)
        again = "trying again" if mirror not in self._ended else "trying elsewhere"
        self._tell(f"{trouble.reason}; {again}")

    def refused(self, mirror: Mirror, refused: RefusedError) -> None:
        """Record a failure that will not pass."""
        if refused.lasting or (refused.lacks_commit and self._pinned):
            mirror.refusal = refused.error
        self._end(mirror, refused.error, refused.error.message)
        self._tell(f"{mirror.named(refused.error.message)}; trying elsewhere")

    def altered(self, mirror: Mirror, error: HubError) -> None:
        """Record bytes with a wrong hash."""
        self._failures[mirror] += 1
        self._altered[mirror] += 1
        self._mirrors.pass_over(mirror, error.message)
        if self._altered[mirror] > self._mirrors.patience.refetches:
            self._end(mirror, error, error.message)

    def _tell(self, text: str) -> None:
        if len(self._ended) < len(self._mirrors.all):
            self._say(text)

    def _end(self, mirror: Mirror, error: HubError, text: str) -> None:
        self._ended[mirror] = error, text
        self._mirrors.pass_over(mirror, text)

    def _nobody(self) -> HubError:
        """An error with every endpoint's answer, of the kind that the first one gave."""
        ended = {mirror: self._ended[mirror] for mirror in self._mirrors.all}
        first, _ = ended[self._mirrors.all[0]]
        if len(ended) == 1:
            return first
        said = "; ".join(mirror.named(text) for mirror, (_, text) in ended.items())
        return type(first)(f"{self._what}: no endpoint gives it: {said}", hint=first.hint)
