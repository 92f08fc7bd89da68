"""Turns an unsuccessful status into an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.errors import AccessError, HubError, NotFoundError
from unitalk.net import responses
from unitalk.net.responses import PassingError, RefusedError

if TYPE_CHECKING:
    import requests

NOT_A_HUB = "check the endpoint and the proxy; a login page or a mirror's fault looks like this"


def refusal(
    response: requests.Response, body: bytes, *, url: str, endpoint: str, page: str
) -> PassingError | RefusedError:
    """Tell what may pass from what will not.

    Args:
        response: its status was not expected.
        body: its body, or nothing.
        url: what was asked; `response` may come from where that redirects to.
        endpoint: the endpoint that `url` belongs to.
        page: the repository's page, for people.
    """
    what = _described(response, body, url=url, endpoint=endpoint)
    passing = may_pass(response, what)
    if passing is not None:
        return passing
    code = responses.one_line(response.headers.get("X-Error-Code", ""))
    # A storage host refuses addresses that have expired; the endpoint then gives a new one.
    if _is_elsewhere(response, endpoint) and not code:
        return PassingError(what)
    said = responses.error_text(response, body)
    had_token = "Authorization" in response.request.headers
    return _denial(response.status_code, code, said, what=what, page=page, had_token=had_token)


def site_refusal(
    response: requests.Response, body: bytes, *, url: str, endpoint: str
) -> PassingError | RefusedError:
    """The same for plain files, where a refusal says nothing about other files."""
    what = _described(response, body, url=url, endpoint=endpoint)
    meanings: dict[int, tuple[type[HubError], str]] = {
        responses.NOT_FOUND: (NotFoundError, "check the address and the name; it is not there"),
        responses.GONE: (NotFoundError, "it was there, and was removed"),
        responses.UNAUTHORIZED: (AccessError, "the server wants a password; fetch it by hand"),
        responses.FORBIDDEN: (
            AccessError,
            "no permission, or no such file: storage such as S3 answers both alike",
        ),
    }
    kind, hint = meanings.get(response.status_code, (HubError, NOT_A_HUB))
    return may_pass(response, what) or RefusedError(kind(what, hint=hint))


def _described(response: requests.Response, body: bytes, *, url: str, endpoint: str) -> str:
    """The host, the status and the explanation of a refusal, in one line."""
    code = responses.one_line(response.headers.get("X-Error-Code", ""))
    said = responses.error_text(response, body)
    what = f"{url}: "
    if _is_elsewhere(response, endpoint):
        what += f"{responses.host(response.url)} "
    what += f"answered {response.status_code}"
    what += "".join(f", {piece}" for piece in (code, said) if piece)
    return what + responses.request_id(response)


def may_pass(response: requests.Response, what: str) -> PassingError | None:
    """The error of a status that may be another one the next time; None for all others."""
    status = response.status_code
    if status not in responses.PASSING and status < responses.SERVER_FAULT:
        return None
    wait = responses.retry_after(response)
    shared = status == responses.TOO_MANY or wait is not None
    return PassingError(what, shared=shared, wait=wait)


def _is_elsewhere(response: requests.Response, endpoint: str) -> bool:
    return responses.origin(response.url) != responses.origin(endpoint)


def _denial(
    status: int, code: str, said: str, *, what: str, page: str, had_token: bool
) -> RefusedError:
    unknown = code == "RepoNotFound" or (status == responses.UNAUTHORIZED and not had_token)
    meanings: tuple[tuple[bool, type[HubError], str], ...] = (
        (code == "GatedRepo", AccessError, f"accept the terms at {page}, then set HF_TOKEN"),
        ("Invalid credentials" in said, AccessError, "the token is wrong: set a new HF_TOKEN"),
        ("resource is disabled" in said, AccessError, "the hub has closed this repository"),
        (code == "RevisionNotFound", NotFoundError, "give a branch, tag or commit it has"),
        (code == "EntryNotFound", NotFoundError, "the commit has no such file"),
        (unknown, NotFoundError, "check the name; a private one needs a token: set HF_TOKEN"),
        (
            status in {responses.UNAUTHORIZED, responses.FORBIDDEN},
            AccessError,
            "the token does not allow this: set another HF_TOKEN",
        ),
        (status == responses.NOT_FOUND, NotFoundError, "check repository, revision and endpoint"),
        (True, HubError, NOT_A_HUB),
    )
    kind, hint = next((kind, hint) for applies, kind, hint in meanings if applies)
    return RefusedError(
        kind(what, hint=hint),
        lasting=kind is AccessError or unknown,
        lacks_commit=code == "RevisionNotFound",
    )
