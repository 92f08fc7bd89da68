"""Where to ask: the endpoints in order, what is known of each, and whose turn it is.

The first is home, the others are mirrors of it; all are held to what was pinned, so any of them
will do. An endpoint that fails is left for the next at once; only when all have failed does
anybody wait. Load is not spread: the order is the user's, and the first that answers is asked.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from unitalk.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unitalk.net.responses import PassingError, RefusedError
    from unitalk.net.timeouts import Patience

_AGAIN = "run the command again to continue where it stopped"


@dataclass(slots=True, kw_only=True, eq=False)
class Mirror:
    """One endpoint, and what this run knows of it.

    Attributes:
        endpoint: its address, without a closing slash.
        place: in the order of preference, from 0.
        repository: whose files it has; empty where it has no such thing.
        not_before: by the clock, when it wants to be asked again; for all threads.
        doubted_until: until then, others are asked first.
        streak: how many failures in a row it had, in all threads.
        answered: whether it ever did.
        refuses: why nothing can be had from it.
        lacks: why nothing can be had of a commit, by commit.
    """

    endpoint: str
    place: int
    repository: str
    not_before: float = float("-inf")
    doubted_until: float = float("-inf")
    streak: int = 0
    answered: bool = False
    refuses: HubError | None = None
    lacks: dict[str, HubError] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """The repository's page, for people."""
        return f"{self.endpoint}/datasets/{self.repository}"

    def revision_url(self, revision: str) -> str:
        """Where it says which commit a revision is."""
        return f"{self._api()}/revision/{quote(revision, safe='')}"

    def tree_url(self, commit: str) -> str:
        """Where it lists the files of a commit."""
        return f"{self._api()}/tree/{quote(commit, safe='')}?recursive=true&expand=false"

    def file_url(self, commit: str, path: str) -> str:
        """Where it has a file, or says who has."""
        return f"{self.page}/resolve/{quote(commit, safe='')}/{quote(path)}"

    def plain_url(self, path: str) -> str:
        """Where it has a file, when it is no hub and all below its address are files."""
        return f"{self.endpoint}/{quote(path)}"

    def here(self, url: str) -> str:
        """An address of the mirrored hub, such as a link to a next page, at this endpoint."""
        home, there = urlsplit(self.endpoint), urlsplit(url)
        path = there.path
        if not path.startswith(f"{home.path}/"):
            path = home.path + path
        return urlunsplit((home.scheme, home.netloc, path, there.query, ""))

    def known_refusal(self, commit: str | None) -> HubError | None:
        """Why it need not be asked for what is of a commit."""
        return self.refuses or (None if commit is None else self.lacks.get(commit))

    def _api(self) -> str:
        return f"{self.endpoint}/api/datasets/{self.repository}"


class Mirrors:
    """All endpoints; for many threads.

    Args:
        endpoints: in order of preference.
        repository: whose files they have; empty where there is no such thing.
        patience: how long to wait.
        sleep: waits so many seconds, or until there is nothing to wait for.
        check_stop: raises when nobody should wait any longer.
        warn: told once of an endpoint, by its address, when it is passed over.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        repository: str,
        *,
        patience: Patience,
        sleep: Callable[[float], object],
        check_stop: Callable[[], None],
        warn: Callable[[str, str], object],
    ) -> None:
        self.all = tuple(
            Mirror(endpoint=endpoint, place=place, repository=repository)
            for place, endpoint in enumerate(endpoints)
        )
        self.patience = patience
        self.sleep = sleep
        self.check_stop = check_stop
        self._warn = warn
        self._lock = threading.Lock()

    def postpone(self, mirror: Mirror, seconds: float) -> None:
        """Let no thread ask an endpoint before so many seconds have passed."""
        until = self.patience.clock() + min(seconds, self.patience.longest)
        with self._lock:
            mirror.not_before = max(mirror.not_before, until)

    def doubt(self, mirror: Mirror, reason: str) -> None:
        """Prefer others for a while, the longer the more failures there were in a row."""
        with self._lock:
            mirror.streak += 1
            seconds = self.patience.backoff * 2.0 ** min(mirror.streak - 1, 30)
            until = self.patience.clock() + min(seconds, self.patience.longest)
            mirror.doubted_until = max(mirror.doubted_until, until)
        if mirror.streak >= self.patience.tries:
            self.pass_over(mirror, reason)

    def trust(self, mirror: Mirror) -> None:
        """It gave what was asked for, proven or read to its end."""
        with self._lock:
            mirror.streak = 0
            mirror.doubted_until = float("-inf")

    def refuse(self, mirror: Mirror, refused: RefusedError, commit: str | None) -> None:
        """Remember for the rest of the run what need not be asked again."""
        if refused.lasting:
            mirror.refuses = refused.error
        elif refused.lacks_commit and commit is not None:
            mirror.lacks[commit] = refused.error
        self.pass_over(mirror, refused.error.message)

    def pass_over(self, mirror: Mirror, reason: str) -> None:
        """Say that an endpoint is of no use, where there are others."""
        if len(self.all) > 1:
            self._warn(mirror.endpoint, f"{named(mirror, reason)}; others are asked instead")


def named(mirror: Mirror, reason: str) -> str:
    """A reason that begins with the endpoint that it is about."""
    return reason if reason.startswith(mirror.endpoint) else f"{mirror.endpoint}: {reason}"


class Turns:
    """Whose turn it is, for one question or one file; for one thread.

    Args:
        mirrors: all there are.
        what: is asked for; for people.
        commit: of which it is, where that is known.
        say: told when a failure is followed by another try.
    """

    def __init__(
        self,
        mirrors: Mirrors,
        what: str,
        *,
        commit: str | None = None,
        say: Callable[[str], object] | None = None,
    ) -> None:
        self._mirrors = mirrors
        self._what = what
        self._commit = commit
        self._say = say or (lambda _: None)
        known = {mirror: mirror.known_refusal(commit) for mirror in mirrors.all}
        # What nobody is known to have may have come to one of them since.
        forget = all(known.values())
        self._ended: dict[Mirror, tuple[HubError, str]] = {
            mirror: (error, error.message)
            for mirror, error in known.items()
            if error is not None and not forget
        }
        self._failures = dict.fromkeys(mirrors.all, 0)
        self._altered = dict.fromkeys(mirrors.all, 0)
        self._ready = dict.fromkeys(mirrors.all, float("-inf"))

    def next(self) -> Mirror:
        """Wait until an endpoint may be asked, and return the best one.

        Those that gave wrong bytes come last, then those with more failures, then those that are
        in doubt; among equals the order of preference decides.

        Raises:
            HubError: none is left.
            StoppedError: `stop` is set.
        """
        clock = self._mirrors.patience.clock
        while True:
            self._mirrors.check_stop()
            left = [mirror for mirror in self._failures if mirror not in self._ended]
            if not left:
                raise self._nobody()
            least = min(self._altered[mirror] for mirror in left)
            now = clock()
            waits = {
                mirror: max(mirror.not_before, self._ready[mirror]) - now
                for mirror in left
                if self._altered[mirror] == least
            }
            ready = [mirror for mirror, wait in waits.items() if wait < 1e-6]  # noqa: PLR2004
            if ready:
                return min(ready, key=lambda m: (self._failures[m], m.doubted_until > now, m.place))
            soonest = min(waits, key=lambda m: waits[m])
            wait = waits[soonest]
            if soonest.not_before > self._ready[soonest]:
                # All threads wait for this one; not all in the same instant.
                wait += random.random() * self._mirrors.patience.backoff / 4  # noqa: S311
            self._mirrors.sleep(wait)

    def may_ask(self, endpoint: str) -> bool:
        """Whether an endpoint may still have its turn."""
        return any(m.endpoint == endpoint and m not in self._ended for m in self._failures)

    def advanced(self) -> None:
        """Count failures anew: more has come than ever before."""
        self._failures = dict.fromkeys(self._failures, 0)

    def failed(self, mirror: Mirror, trouble: PassingError) -> None:
        """Take note of a failure that may pass."""
        self._failures[mirror] += 1
        count, patience = self._failures[mirror], self._mirrors.patience
        never = trouble.unreachable and not mirror.answered
        tries = min(patience.tries, patience.unreached) if never else patience.tries
        delay = patience.backoff * 2 ** (count - 1)
        if trouble.shared:
            self._mirrors.postpone(mirror, delay if trouble.wait is None else trouble.wait)
        else:
            spread = 0.5 + random.random() / 2  # noqa: S311 - spreads waits, guards no secret
            self._ready[mirror] = patience.clock() + min(delay, patience.longest) * spread
            self._mirrors.doubt(mirror, trouble.reason)
        if count >= tries:
            text = f"given up after {count} failures in a row, the last: {trouble.reason}"
            self._end(mirror, HubError(f"{self._what}: {text}", hint=_AGAIN), text)
        if len(self._ended) < len(self._mirrors.all):
            again = "trying again" if mirror not in self._ended else "trying elsewhere"
            self._say(f"{trouble.reason}; {again}")

    def refused(self, mirror: Mirror, refused: RefusedError) -> None:
        """Take note of a failure that will not pass: the others are asked."""
        self._mirrors.refuse(mirror, refused, self._commit)
        self._end(mirror, refused.error, refused.error.message)
        if len(self._ended) < len(self._mirrors.all):
            self._say(f"{named(mirror, refused.error.message)}; trying elsewhere")

    def altered(self, mirror: Mirror, error: HubError) -> None:
        """Take note of bytes with a wrong hash: the others are asked first."""
        self._mirrors.doubt(mirror, error.message)
        self._mirrors.pass_over(mirror, error.message)
        self._altered[mirror] += 1
        if self._altered[mirror] > self._mirrors.patience.refetches:
            self._end(mirror, error, error.message)

    def _end(self, mirror: Mirror, error: HubError, text: str) -> None:
        """Ask an endpoint no more, for this question or file.

        Args:
            mirror: which.
            error: what it means when there is no other.
            text: the same, beside what others say.
        """
        self._ended[mirror] = error, text

    def _nobody(self) -> HubError:
        """Every endpoint has failed: what each said, as what the first of them means by it."""
        ended = {mirror: self._ended[mirror] for mirror in self._mirrors.all}
        first, _ = ended[self._mirrors.all[0]]
        if len(ended) == 1:
            return first
        said = "; ".join(named(mirror, text) for mirror, (_, text) in ended.items())
        return type(first)(f"{self._what}: no endpoint gives it: {said}", hint=first.hint)
