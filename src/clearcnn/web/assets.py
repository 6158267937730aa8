"""The page's static files, listed once and served from memory; no other file can be reached."""

import gzip
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

from clearcnn.web.responses import SharedBytes

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

PERMISSIONS_POLICY = "camera=(self), microphone=(), geolocation=(), display-capture=()"


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
      path: where it is; a name ending in .gz means that the content is compressed.
    """

    path: Path

    @property
    def media_type(self) -> str:
        """The media type, from the name without .gz."""
        return _TYPES[Path(self.path.name.removesuffix(".gz")).suffix]

    @cached_property
    def compressed(self) -> bytes:
        """The content, compressed with gzip."""
        content = self.path.read_bytes()
        packed = content if self.path.suffix == ".gz" else gzip.compress(content, mtime=0)
        return SharedBytes(packed)

    @cached_property
    def plain(self) -> bytes:
        """The uncompressed content, for clients that do not accept gzip."""
        return SharedBytes(gzip.decompress(self.compressed))

    @cached_property
    def tag(self) -> str:
        """The ETag, by which a browser checks whether its cached file is current."""
        return f'"{sha256(self.compressed).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """Respond to a request: 304 if the browser has the file; compressed if it accepts gzip."""
        headers = {
            "ETag": self.tag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Permissions-Policy": PERMISSIONS_POLICY,
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
    """Find every static file, by its path in the folder without .gz."""
    return {
        path.relative_to(_FOLDER).as_posix().removesuffix(".gz"): Asset(path)
        for path in sorted(_FOLDER.rglob("*"))
        if path.is_file()
    }
