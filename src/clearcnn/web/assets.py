"""The page's own files: found once, served from memory, nothing else of the disk within reach."""

import gzip
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

from clearcnn.web.responses import KeptBytes

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "img-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
      path: on the disk; a name ending in .gz holds the compressed content.
    """

    path: Path

    @property
    def media_type(self) -> str:
        """By the name without .gz."""
        return _TYPES[Path(self.path.name.removesuffix(".gz")).suffix]

    @cached_property
    def compressed(self) -> bytes:
        """The content in gzip."""
        content = self.path.read_bytes()
        packed = content if self.path.suffix == ".gz" else gzip.compress(content, mtime=0)
        return KeptBytes(packed)

    @cached_property
    def plain(self) -> bytes:
        """The content as the few want it who take no gzip."""
        return KeptBytes(gzip.decompress(self.compressed))

    @cached_property
    def tag(self) -> str:
        """What the browser asks by whether its copy is still good."""
        return f'"{sha256(self.compressed).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """Answer a request: 304 if the browser has it already; compressed if it can be."""
        headers = {
            "ETag": self.tag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if request.headers.get("if-none-match") == self.tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = self.compressed
            headers["Content-Encoding"] = "gzip"
        else:
            content = self.plain
        return Response(content, media_type=self.media_type, headers=headers)


def find_assets() -> dict[str, Asset]:
    """Find every file of the page, by its path in the folder, without .gz."""
    return {
        path.relative_to(_FOLDER).as_posix().removesuffix(".gz"): Asset(path)
        for path in sorted(_FOLDER.rglob("*"))
        if path.is_file()
    }
