"""Responses to rejected requests: a status, and `{"error": …}` in full sentences."""

import asyncio
import json
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from clearcnn.errors import ClearCNNError
from clearcnn.language import say
from clearcnn.web.page_language import tell_refusal

Header = tuple[bytes, bytes]

_LINGER_SECONDS = 10.0


class Refusal(ClearCNNError):  # noqa: N818
    """A request is rejected.

    Args:
      status: the HTTP status, 400 to 503.
      problem, remedy: as in every error.
      headers: additional response headers.
    """

    def __init__(
        self, status: int, problem: str, *, remedy: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.status = status
        self.headers = dict(headers or {})


def too_busy(what: str) -> Refusal:
    """Return a 503: the server is overloaded."""
    return Refusal(
        503,
        say("The server is busy: {what}.", what=what),
        remedy=say("Send the request again in a second."),
        headers={"Retry-After": "1"},
    )


def too_many_images(count: int, most: int) -> Refusal:
    """Return a 413: the images would take too much time or memory."""
    return Refusal(
        413,
        say(
            "The request holds {count:,} images; at most {most:,} are taken at once by this model.",
            count=count,
            most=most,
        ),
        remedy=say("Send them in several requests."),
    )


def error_body(error: ClearCNNError | str) -> bytes:
    """Return the body of an error response, UTF-8 JSON."""
    return json.dumps({"error": str(error)}, ensure_ascii=False).encode()


async def send_refusal(
    refusal: Refusal, scope: Scope, receive: Receive, send: Send, *, unread: bool
) -> None:
    """Send an error response, and close the connection if the request was not read to its end.

    A client that is still sending would not see the response if the connection were closed at
    once, so what it sends is read and discarded for a while.

    Args:
      refusal: the error.
      scope, receive, send: of ASGI.
      unread: whether a body may still be coming.
    """
    body = error_body(tell_refusal(HTTPConnection(scope), refusal))
    headers: list[Header] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in refusal.headers.items()),
    ]
    if unread:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": unread})
    if unread:
        await _discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
