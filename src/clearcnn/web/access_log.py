"""The log: a line of JSON for each request, with a request id, or a few lines for people."""

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

from clearcnn.text import printable
from clearcnn.web.http_errors import Refusal, send_refusal
from clearcnn.web.metrics import Metrics

LOGGER = "clearcnn.serve"
CLIENT_GONE = 499
"""The status logged if a client disconnected before the response."""

_LONGEST_PATH = 200
_SERVER_ERROR = 500
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ROUTELESS = "unknown"


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time, level, event and extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
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


class TextFormatter(logging.Formatter):
    """Formats a record for people: the time, the event, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and below it the traceback if there is one."""
        moment = datetime.fromtimestamp(record.created).astimezone()
        fields = getattr(record, "fields", {})
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        shown = " · ".join(f"{name} {printable(str(value))}" for name, value in fields.items())
        line = f"{moment:%H:%M:%S}  {level}{printable(record.getMessage())}"
        lines = [f"{line}  {shown}" if shown else line]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return "\n".join(lines)


def _is_for_people(record: logging.LogRecord) -> bool:
    """Leave out requests that succeeded, and what has been printed already."""
    if record.getMessage() == "request":
        return bool(getattr(record, "fields", {}).get("status", 0) >= _SERVER_ERROR)
    return record.getMessage() != "listening"


def start_logging(*, as_json: bool = True) -> None:
    """Send clearcnn's and uvicorn's logs to stderr.

    Args:
      as_json: one line of JSON for each request and event; otherwise text for people, without the
        requests that the server could handle.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    if not as_json:
        handler.addFilter(_is_for_people)
    for name, level in ((LOGGER, logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def log(event: str, *, level: int = logging.INFO, exc_info: Any = None, **fields: Any) -> None:
    """Write a line to the log."""
    logging.getLogger(LOGGER).log(level, event, exc_info=exc_info, extra={"fields": fields})


class AccessLog:
    """ASGI middleware that gives each request an id, counts it and logs it.

    The id is the request's X-Request-ID if that is valid.

    Args:
      app: the application to call.
      metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics
        # Only the prefix is random: drawing each id took as long as an inference.
        self._prefix, self._number = uuid.uuid4().hex[:20], itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
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
                error = _internal_error(request_id)
                await send_refusal(error, scope, receive, send_with_id, unread=False)
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


def _internal_error(request_id: str) -> Refusal:
    return Refusal(
        500,
        "The server failed while handling this request.",
        remedy=f"Look for {request_id} in its log.",
    )
