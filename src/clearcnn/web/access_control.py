"""Who may ask: the Host, Origin and token of a request, before its body is read."""

import base64
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from clearcnn.web.http_errors import Refusal, send_refusal
from clearcnn.web.settings import ServeSettings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

# Those who watch whether the server lives hold no token, and learn nothing else.
_OPEN_PATHS = ("/v2/health/live", "/v2/health/ready")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

# What proxies add: the name or address of the one they ask for.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def comes_from_here(request: Request) -> bool:
    """Whether a request was made on this computer, as far as it can tell.

    A proxy on this computer that adds none of the usual headers looks like a program on it.
    """
    client = request.client
    if any(name in request.headers for name in _FORWARDED) or client is None:
        return False
    try:
        return ipaddress.ip_address(client.host).is_loopback
    except ValueError:
        return False


class Guard:
    """An ASGI middleware that turns away who may not ask.

    - The Host header must name this computer, so that no page can reach it under a name of its
      own that leads to loopback (DNS rebinding).
    - A page may only ask the server that it came from: another Origin is refused. No header of
      CORS is ever sent, so no other page can read an answer.
    - With a token, a request brings it as `Authorization: Bearer TOKEN`, or as the password of
      Basic, which browsers ask people for.

    Args:
      app: to hand on to.
      settings: with `token`, `host` and `allowed_hosts`.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self.app = app
        self._token = settings.token
        names = {*settings.allowed_hosts}
        if settings.is_loopback:
            names |= {*LOOPBACK_NAMES, settings.host}
        self._names = {name.lower().strip("[]") for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            try:
                self._check_host(headers.get(b"host", b"").decode("latin-1"))
                _check_origin(headers, scope["method"])
                if self._token is not None and scope["path"] not in _OPEN_PATHS:
                    self._check_token(headers.get(b"authorization", b"").decode("latin-1"))
            except Refusal as refusal:
                unread = b"transfer-encoding" in headers or b"content-length" in headers
                await send_refusal(refusal, receive, send, unread=unread)
                return
        await self.app(scope, receive, send)

    def _check_host(self, host: str) -> None:
        name = _host_name(host)
        if self._names and name not in self._names:
            raise Refusal(
                421,
                f"The request is for the host {host[:100]!r}, which this server is not.",
                remedy="Ask for 127.0.0.1, or start the server with --allow-host NAME.",
            )

    def _check_token(self, authorization: str) -> None:
        assert self._token is not None
        # Compared as bytes, in a time that tells nothing about how much of it was right.
        given = _given_token(authorization).encode()
        if not hmac.compare_digest(given, self._token.encode()):
            raise Refusal(
                401,
                "The request brings no token, or not this server's.",
                remedy="Send the header Authorization: Bearer TOKEN.",
                headers={"WWW-Authenticate": 'Bearer realm="clearcnn", Basic realm="clearcnn"'},
            )


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _check_origin(headers: dict[bytes, bytes], method: str) -> None:
    origin = headers.get(b"origin")
    host = headers.get(b"host", b"").decode("latin-1").lower()
    is_foreign = origin is not None and origin.decode("latin-1").lower().partition("://")[2] != host
    # What stands on another port of this computer is "same-site", and no less another's.
    is_cross_site = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    # Following a link from elsewhere to a page here is no harm.
    is_link = (
        method in _SAFE_METHODS
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest", b"document") == b"document"
    )
    if is_foreign or (is_cross_site and not is_link):
        raise Refusal(
            403,
            "The request comes from a web page of another origin.",
            remedy="Use the page that this server shows, or a program that is no web page.",
        )


def _given_token(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # It is no ASCII, no base64, or no UTF-8.
            return ""
    return ""
