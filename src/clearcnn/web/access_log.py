"""One line of JSON for each request, and an id by which to find it."""

import itertools
import json
import logging
import re
import sys
import time
import uuid
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearcnn.web.http_errors import Refusal, send_refusal
from clearcnn.web.metrics import Metrics

LOGGER = "clearcnn.serve"
CLIENT_GONE = 499
"""The status logged where a client went away before it was answered."""

_LONGEST_PATH = 200
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ROUTELESS = "unknown"


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, event, and the fields it was given."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the line."""
        time_of = datetime.fromtimestamp(record.created, UTC)
        values = {
            "time": time_of.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return json.dumps(values, default=str)


def start_journal() -> None:
    """Write our log and uvicorn's as JSON lines on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name, level in ((LOGGER, logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def log(event: str, *, level: int = logging.INFO, exc_info: Any = None, **fields: Any) -> None:
    """Write a line to the journal."""
    logging.getLogger(LOGGER).log(level, event, exc_info=exc_info, extra={"fields": fields})


class Journal:
    """An ASGI middleware that gives each request an id, counts it and writes a line about it.

    The id is the request's own X-Request-ID where it has a decent one.

    Args:
      app: to hand on to.
      metrics: to count in.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics
        # Random once: asking the system each time took as long as the model.
        self._prefix, self._number = uuid.uuid4().hex[:20], itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = time.perf_counter()
        request_id = self._choose_id(dict(scope["headers"]).get(b"x-request-id", b""))
        status = CLIENT_GONE

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        self._metrics.open_requests.inc()
        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            log("error", level=logging.ERROR, exc_info=True, request_id=request_id)
            if status == CLIENT_GONE:
                await send_refusal(_our_fault(request_id), receive, send_with_id, unread=False)
        finally:
            self._metrics.open_requests.dec()
            seconds = time.perf_counter() - begin
            route = getattr(scope.get("route"), "path", _ROUTELESS)
            self._metrics.count(scope["method"], route, status, seconds)
            _write_line(scope, request_id, status, seconds)

    def _choose_id(self, given: bytes) -> str:
        if _ID.fullmatch(given):
            return given.decode()
        return f"{self._prefix}{next(self._number):012x}"


def _write_line(scope: MutableMapping[str, Any], request_id: str, status: int, took: float) -> None:
    client = scope.get("client")
    log(
        "request",
        request_id=request_id,
        client=client[0] if client else None,
        method=scope["method"][:20],
        path=scope["path"][:_LONGEST_PATH],
        status=status,
        seconds=round(took, 6),
        **scope.get("clearcnn.fields", {}),
    )


def _our_fault(request_id: str) -> Refusal:
    return Refusal(
        500,
        "The server failed at this request; the fault is its own.",
        remedy=f"Look for {request_id} in its log.",
    )
