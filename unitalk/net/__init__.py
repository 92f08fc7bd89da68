"""Every hazard of the network: the Hugging Face hub, plain sites, Google Drive, many files.

`hub`, `site` and `drive` are the three kinds of server, the first two on top of `http_client`;
`transfer` carries out many files of any of them. `mirrors` chooses the endpoint, `request` sends
one request, `responses` and `status_errors` read the answer, `part_file` completes a file and
`file_check` computes its hash, `config` checks the caller's settings, `loopback` is a small real
hub on this machine. The rules, each because a dataset was once damaged without it:

- Sizes and hashes come from the listing of one commit, never from a reply's headers.
- We ask for `identity`, as a compressed reply has no ranges, and check the reply all the same.
- We follow redirects ourselves, so that the token goes to the first endpoint's own origin only.
  Signed addresses are neither kept nor shown: every try starts at an endpoint.
- Every wait has an end, every retry is counted, and the count starts again when bytes have come.
- When an endpoint asks for patience, all threads wait by one clock, or ask another endpoint.
- Every wait of a thread ends within a second of `abort`.
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
