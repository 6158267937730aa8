"""Access control: checks a request's Host, Origin and token before its body is read."""

import base64
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from clearcnn.language import say
from clearcnn.web.http_errors import Refusal, send_refusal
from clearcnn.web.settings import ServeSettings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

# Health checks need no token: monitors have none, and these paths reveal nothing else.
_OPEN_PATHS = ("/v2/health/live", "/v2/health/ready")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

# Headers that proxies add for the client's address.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local_request(request: HTTPConnection) -> bool:
    """Whether a request seems to come from this computer.

    A local proxy that adds none of the usual headers cannot be told from a local program.
    """
    client = request.client
    if any(name in request.headers for name in _FORWARDED) or client is None:
        return False
    try:
        return ipaddress.ip_address(client.host).is_loopback
    except ValueError:
        return False


def require_this_computer(request: HTTPConnection) -> None:
    """Refuse a request to the studio that did not come from this computer.

    Raises:
      Refusal: 403.
    """
    if not is_local_request(request):
        raise Refusal(
            403,
            say("The studio is only available on the computer that it runs on."),
            remedy=say("Open it there, without a proxy."),
        )


class AccessControl:
    """ASGI middleware that rejects requests without access.

    - The Host header must name this computer, so that no web page can reach the server under
      another name that resolves to loopback (DNS rebinding).
    - Requests from web pages of another origin are rejected. No CORS header is ever sent, so no
      such page can read a response.
    - If the server has a token, a request must send it as `Authorization: Bearer TOKEN`, or as
      the password of Basic authentication, for which browsers show a dialog.

    Args:
      app: the application to call.
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
        """Handle one request."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            try:
                self._check_host(headers.get(b"host", b"").decode("latin-1"))
                _check_origin(headers, scope["method"])
                if self._token is not None and scope["path"] not in _OPEN_PATHS:
                    self._check_token(headers.get(b"authorization", b"").decode("latin-1"))
            except Refusal as refusal:
                unread = b"transfer-encoding" in headers or b"content-length" in headers
                await send_refusal(refusal, scope, receive, send, unread=unread)
                return
        await self.app(scope, receive, send)

    def _check_host(self, host: str) -> None:
        name = _host_name(host)
        if self._names and name not in self._names:
            raise Refusal(
                421,
                say("This server does not answer requests for the host {host!r}.", host=host[:100]),
                remedy=say("Ask for 127.0.0.1, or start the server with --allow-host NAME."),
            )

    def _check_token(self, authorization: str) -> None:
        assert self._token is not None
        # Compared in constant time, so that timing does not reveal a correct prefix.
        given = _given_token(authorization).encode()
        if not hmac.compare_digest(given, self._token.encode()):
            raise Refusal(
                401,
                say("The request has no token, or a wrong one."),
                remedy=say("Send the header Authorization: Bearer TOKEN."),
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
    # Another port of this computer is "same-site", but still another server.
    is_cross_site = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    # Following a link from another site to the page is harmless.
    is_link = (
        method in _SAFE_METHODS
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest", b"document") == b"document"
    )
    if is_foreign or (is_cross_site and not is_link):
        raise Refusal(
            403,
            say("The request comes from a web page of another origin."),
            remedy=say("Use the page that this server shows, or a program that is not a web page."),
        )


def _given_token(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # Not ASCII, base64 or UTF-8.
            return ""
    return ""
