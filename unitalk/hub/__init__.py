"""The hub over HTTP: which commit, which files, and the bytes of one file, proven whole.

This package is the only one that meets the network: `client` asks, `answers` reads what comes back,
`given` looks at what the caller says. What it holds to, because each was once somebody's
damaged dataset:

- Sizes and hashes come from the listing of one commit, never from a reply's headers.
- `identity` is asked for, as a compressed reply has no ranges; what comes is checked all the same.
- Redirects are followed here, so that the token goes to the endpoint's own origin and nowhere
  else. Signed addresses are neither kept nor shown: every try begins at the endpoint.
- Every wait has an end, every retry is counted, and the count starts again when bytes have come.
- When the hub asks for patience, all threads wait by one clock.
"""

from unitalk.hub.answers import RemoteFile
from unitalk.hub.client import CHUNK, Hub, Patience, StoppedError
from unitalk.hub.given import ENDPOINT, credentials

__all__ = [
    "CHUNK",
    "ENDPOINT",
    "Hub",
    "Patience",
    "RemoteFile",
    "StoppedError",
    "credentials",
]
