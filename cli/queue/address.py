"""The address of a server: where it is, and apart from that its password and its tokens."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import httpx

from ..errors import CommandError

_EXAMPLE = "give one like http://127.0.0.1:8188"
# Shorter ones are parts of ordinary words.
_SHORTEST_SECRET = 4


@dataclass(frozen=True)
class Address:
    """A server's address. `repr` shows `url` alone: the rest may be secret."""

    url: str
    """Scheme, host, port and path, without a slash at the end."""
    user: tuple[str, str] | None = field(repr=False)
    """Name and password, as they were before they were percent-encoded."""
    query: tuple[tuple[str, str], ...] = field(repr=False)
    """Names and values that go with every request."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that `--server` gives. Raises CommandError, which does not repeat a password."""
        whole = text.strip()
        whole = whole if "://" in whole else f"http://{whole}"
        try:
            parts = urlsplit(whole)
            port = f":{parts.port}" if parts.port is not None else ""
            host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
            url = f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
            httpx.URL(url)
        except (ValueError, httpx.InvalidURL) as error:
            raise _no_address(text) from error
        if parts.scheme not in ("http", "https") or not host or re.search(r"\s", url):
            raise _no_address(text)
        if "@" in f"{parts.path}{parts.query}{parts.fragment}":
            # Such as http://user:pass/word@host, which means a server called "user".
            raise CommandError(
                "--server: there is an @ behind the host of an address (not shown, it may hold a password); "
                "write / ? # and @ in a password or a token as %2F %3F %23 and %40."
            )
        user = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
        return cls(url, user, tuple(parse_qsl(parts.query, keep_blank_values=True)))

    @property
    def name(self) -> str:
        """Host, port and path: how bars and messages call the server."""
        return self.url.partition("://")[2]

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine: a proxy of the environment is not for that."""
        return urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")

    @property
    def is_encrypted(self) -> bool:
        """Whether it is reached over https."""
        return self.url.startswith("https:")

    @property
    def authorization(self) -> dict[str, str]:
        """The header that logs in; empty without a user."""
        return {} if self.user is None else {"Authorization": f"Basic {self._token}"}

    def socket_url(self, client_id: str) -> str:
        """The address of the WebSocket, with the secret part of the query."""
        query = urlencode([*self.query, ("clientId", client_id)])
        return f"ws{self.url.removeprefix('http')}/ws?{query}"

    def without_secrets(self, text: str) -> str:
        """`text`, which the server may have written, with … in the places of password and tokens."""
        user, password = self.user or ("", "")
        # A name without a password is a token as well.
        known = [password or user, *(value for _, value in self.query)]
        secrets = {form for secret in known for form in (secret, quote(secret, safe=""), quote(secret))}
        if self.user is not None:
            secrets.add(self._token)
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "…")
        return text

    @property
    def _token(self) -> str:
        return base64.b64encode(":".join(self.user or ("", "")).encode(errors="replace")).decode()


def _no_address(text: str) -> CommandError:
    if re.search("[@?#]", text):
        return CommandError(
            f"--server: an address (not shown, it may hold a password) is no address; {_EXAMPLE}."
        )
    return CommandError(f"--server {text[:100]} is no address; {_EXAMPLE}.")
