"""What a request that is not answered gets: a status, and `{"error": …}` in full sentences."""

import asyncio
import json
from collections.abc import Mapping

from starlette.types import Receive, Send

from clearcnn.errors import ClearCNNError

Header = tuple[bytes, bytes]

_LINGER_SECONDS = 10.0


class Refusal(ClearCNNError):  # noqa: N818
    """A request is refused.

    Args:
      status: of HTTP, 400 to 503.
      problem, remedy: as in every error.
      headers: to send besides.
    """

    def __init__(
        self, status: int, problem: str, *, remedy: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.status = status
        self.headers = dict(headers or {})


def too_busy(what: str) -> Refusal:
    """503: more is asked than the server takes at once."""
    return Refusal(
        503,
        f"The server is busy: {what}.",
        remedy="Send the request again in a second.",
        headers={"Retry-After": "1"},
    )


def too_many_images(count: int, most: int) -> Refusal:
    """413: a model would take too long for them, or their answers too much memory."""
    return Refusal(
        413,
        f"The request holds {count:,} images; at most {most:,} are taken at once by this model.",
        remedy="Send them in several requests.",
    )


def error_body(error: ClearCNNError | str) -> bytes:
    """The body of a refusal, UTF-8 JSON."""
    return json.dumps({"error": str(error)}, ensure_ascii=False).encode()


async def send_refusal(refusal: Refusal, receive: Receive, send: Send, *, unread: bool) -> None:
    """Answer, and close the connection if the request was not read to its end.

    A client that is still sending would not see the answer if the connection was closed at
    once: what it sends is thrown away for a while.

    Args:
      refusal: what to say.
      receive, send: of ASGI.
      unread: whether a body may still be coming.
    """
    body = error_body(refusal)
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
        await _throw_away(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _throw_away(receive: Receive) -> None:
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
