"""Every hazard of the network: the Hugging Face hub, plain sites, Google Drive.

`hub`, `site` and `drive` are the three kinds of server, on top of `http_client`. `mirrors` chooses
the endpoint, `request` sends one request, `responses` and `status_errors` read the answer,
`file_check` compares a file with its listing, `config` checks the caller's settings, `loopback` is
a small real hub on this machine. The rules, each because a dataset was once damaged without it:

- Sizes and hashes come from the listing of one commit, never from a reply's headers.
- `identity` is asked for, as a compressed reply has no ranges; what comes is checked all the same.
- Redirects are followed here, so that the token goes to the first endpoint's own origin and
  nowhere else. Signed addresses are neither kept nor shown: every try begins at an endpoint.
- Every wait has an end, every retry is counted, and the count starts again when bytes have come.
- When an endpoint asks for patience, all threads wait by one clock, or ask another endpoint.
- Whatever a thread waits for, it stops within a second when it is told to.
"""

from unitalk.net.config import ENDPOINT, credentials, patience
from unitalk.net.hub import Hub
from unitalk.net.request import CHUNK
from unitalk.net.responses import RemoteFile
from unitalk.net.timeouts import Patience, StoppedError

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
