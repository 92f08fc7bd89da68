"""Checks the caller's settings: endpoint, repository, token, timeouts."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from unitalk.errors import HubError, UsageError
from unitalk.net.timeouts import Patience

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENDPOINT = "https://huggingface.co"
"""The hub that is asked when nothing else is said."""

_LONGEST_TIMEOUT = 86_400
_REPOSITORY = re.compile(r"(?!.*(--|\.\.))[\w.-]{1,96}/[\w.-]{1,96}(?<!\.git)", re.ASCII)


def credentials(env: Mapping[str, str]) -> tuple[str, str | None]:
    """The endpoint and the token that an environment names, as the hub's own client reads it.

    Raises:
        HubError: the environment forbids the network.
        UsageError: the token's file cannot be read.
    """
    if is_true(env.get("HF_HUB_OFFLINE")):
        raise HubError("HF_HUB_OFFLINE is set: no request is made", hint="unset it to download")
    endpoint = env.get("HF_ENDPOINT", "").rstrip("/") or ENDPOINT
    if is_true(env.get("HF_HUB_DISABLE_IMPLICIT_TOKEN")):
        return endpoint, None
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if token := env.get(name, "").strip():
            return endpoint, token
    home = env.get("HOME") or str(Path.home())
    cache = env.get("XDG_CACHE_HOME") or f"{home}/.cache"
    folder = env.get("HF_HOME") or f"{cache}/huggingface"
    text = Template(env.get("HF_TOKEN_PATH") or f"{folder}/token").safe_substitute(env)
    path = Path(home + text[1:] if text == "~" or text.startswith("~/") else text)
    try:
        return endpoint, path.read_text(encoding="utf-8", errors="replace").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return endpoint, None
    except OSError as error:
        raise UsageError(
            f"{path}: the token cannot be read: {error.strerror}",
            hint="set HF_TOKEN, or HF_TOKEN_PATH to a file that can be read",
        ) from error


def patience(env: Mapping[str, str]) -> Patience:
    """How long an environment lets a request wait for bytes, as the hub's own client reads it.

    Of `HF_HUB_DOWNLOAD_TIMEOUT` and `HF_HUB_ETAG_TIMEOUT`, whole seconds, the larger counts: here
    one limit is for listings and files.

    Raises:
        UsageError: one of them is no whole number above zero.
    """
    seconds = []
    for name in ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"):
        text = env.get(name, "").strip()
        if text and not (text.isascii() and text.isdigit() and 0 < int(text) <= _LONGEST_TIMEOUT):
            raise UsageError(
                f"{name} is {text!r}", hint=f"set it to seconds, from 1 to {_LONGEST_TIMEOUT:,}"
            )
        if text:
            seconds.append(int(text))
    if not seconds:
        return Patience()
    read = float(max(seconds))
    # What may take so long for one more byte is not too slow before that.
    return Patience(read=read, slow=max(read, Patience().slow))


def is_true(text: str | None) -> bool:
    """Read an environment variable that switches something on, as the hub's own client does."""
    return (text or "").upper() in {"1", "ON", "YES", "TRUE"}


def check_endpoints(endpoints: str | Sequence[str]) -> tuple[str, ...]:
    """Return one address or several, in order, each once and without a closing slash.

    Raises:
        UsageError: there is none, or one is not an address.
    """
    given = (endpoints,) if isinstance(endpoints, str) else endpoints
    for endpoint in given or ("",):
        try:
            pieces = urlsplit(endpoint)
            good = pieces.scheme in {"http", "https"} and pieces.hostname and pieces.port != 0
        except ValueError:
            good = False
        if not good:
            raise UsageError(
                f"{endpoint!r} is not an endpoint", hint=f"give an address like {ENDPOINT}"
            )
    return tuple(dict.fromkeys(endpoint.rstrip("/") for endpoint in given))


def check_repository(repository: str) -> str:
    """Return a repository's name unchanged.

    Raises:
        UsageError: the hub allows no such name.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(f"{repository!r} is no repository", hint="give <owner>/<name>")
    return repository


def check_token(token: str | None) -> str | None:
    """Return a token unchanged.

    Raises:
        UsageError: it cannot be sent in a header.
    """
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(
            "the token holds blanks, control characters or what is not ASCII",
            hint="copy it again; it is one word that begins with hf_",
        )
    return token
