"""The settings of a server: frozen, and validated once."""

import ipaddress
import os
from dataclasses import dataclass, field

from clearcnn.errors import SpecError
from clearcnn.language import say

FEWEST_TOKEN_LETTERS = 16

_MIB = 2**20
_LARGEST_PICTURES = 4  # More than there are camera JPEGs that fit into a body.


def _choose_threads() -> int:
    # At least two: one stays free while the other decodes large images.
    return min(4, max(2, os.cpu_count() or 1))


@dataclass(frozen=True)
class ServeSettings:
    """Where a server listens, who has access, and its limits.

    Attributes:
      host: the address to listen on.
      port: 0 takes a free one.
      token: required in every request; None: no token, on loopback only.
      allowed_hosts: names that a request's Host header may have besides those of loopback. If
        empty, a server beyond loopback accepts any, as it requires a token.
      max_body_bytes: the largest body of a request, decompressed.
      max_json_bytes: the largest JSON of a request; parsing it blocks all other requests.
      max_pixels: the most pixels of one image before it is resized; all images of a request may
        have four times as many together.
      max_images: the most images in one request to /predict.
      body_seconds: within which a request's body must arrive.
      queue: how many requests may wait for a thread; further ones get 503.
      threads: how many requests are worked on at once.
      drain_seconds: after SIGTERM, how long the server reports that it is not ready but still
        serves.
      playground: whether the page may train changed models, in a separate process. None: only
        from this computer. Then the server must listen on loopback and allow no other host, and
        requests through a proxy are rejected.
    Raises:
      SpecError: a number is out of range, or the token is too short or missing.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    max_body_bytes: int = 16 * _MIB
    max_json_bytes: int = 4 * _MIB
    max_pixels: int = 25_000_000
    max_images: int = 64
    body_seconds: float = 30.0
    queue: int = 128
    threads: int = field(default_factory=_choose_threads)
    drain_seconds: float = 5.0
    playground: bool | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SpecError(
                say("The port is {port}; 0 to 65535 was expected.", port=self.port),
                remedy=say("Give another --port."),
            )
        for name in ("max_body_bytes", "max_json_bytes", "max_pixels", "max_images", "threads"):
            if getattr(self, name) < 1:
                raise _too_small(name, getattr(self, name), say("at least 1"))
        if self.queue < 0:
            raise _too_small("queue", self.queue, say("at least 0"))
        if not 0 < self.body_seconds <= 3600:
            raise _too_small("body_seconds", self.body_seconds, say("above 0 and at most 3600"))
        if not 0 <= self.drain_seconds <= 3600:
            raise _too_small(
                "drain_seconds", self.drain_seconds, say("at least 0 and at most 3600")
            )
        self._check_token()

    @property
    def max_request_pixels(self) -> int:
        """The most pixels of all images in one request."""
        return _LARGEST_PICTURES * self.max_pixels

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this computer can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def has_playground(self) -> bool:
        """Whether the page has a playground for anyone."""
        if self.playground is None:
            return self.is_loopback and not self.allowed_hosts
        return self.playground

    def _check_token(self) -> None:
        if self.token is None:
            if not self.is_loopback:
                raise SpecError(
                    say(
                        "Listening on {host} gives other computers access, and there is no token.",
                        host=self.host,
                    ),
                    remedy=say("Set CLEARCNN_TOKEN or give --token-file, or listen on 127.0.0.1."),
                )
            return
        visible = self.token.isascii() and self.token.isprintable() and " " not in self.token
        if len(self.token) < FEWEST_TOKEN_LETTERS or not visible:
            raise SpecError(
                say(
                    "The token has {number} characters; at least {fewest} "
                    "ASCII characters without spaces were expected.",
                    number=len(self.token),
                    fewest=FEWEST_TOKEN_LETTERS,
                ),
                remedy=say("Make one, for example with: openssl rand -hex 32"),
            )


def _too_small(name: str, value: float, expected: str) -> SpecError:
    return SpecError(
        say(
            "{name} is {value:g}; {expected} was expected.",
            name=name,
            value=value,
            expected=expected,
        ),
        remedy=say("Give another --{option}.", option=name.replace("_", "-")),
    )
