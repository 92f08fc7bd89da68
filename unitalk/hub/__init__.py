"""The hub over HTTP: which commit, which files, and the bytes of one file, proven whole.

This package is the only one that meets the network: `client` asks, `mirrors` knows whose turn it
is, `wire` sends, `answers` and `refusals` read what comes back, `given` looks at what the caller
says. What it holds to, because each was once somebody's damaged dataset:

- Sizes and hashes come from the listing of one commit, never from a reply's headers.
- `identity` is asked for, as a compressed reply has no ranges; what comes is checked all the same.
- Redirects are followed here, so that the token goes to the first endpoint's own origin and
  nowhere else. Signed addresses are neither kept nor shown: every try begins at an endpoint.
- Every wait has an end, every retry is counted, and the count starts again when bytes have come.
- When an endpoint asks for patience, all threads wait by one clock, or ask another endpoint.
- Whatever a thread waits for, it stops within a second when it is told to.
"""

from unitalk.hub.answers import RemoteFile
from unitalk.hub.client import Hub
from unitalk.hub.given import ENDPOINT, credentials, patience
from unitalk.hub.waiting import Patience, StoppedError
from unitalk.hub.wire import CHUNK

__all__ = [
    "CHUNK",
    "ENDPOINT",
    "Hub",
    "Patience",
    "RemoteFile",
    "StoppedError",
    "credentials",
    "patience",
]
