"""Bodies of `POST /predict`: multipart forms and raw pictures, behind their Content-Type."""

from starlette.requests import Request

from clearcnn.web import predict
from fuzz.target import Target

_PART = b'--b\r\nContent-Disposition: form-data; name="files"; filename="1.png"\r\n'


def seeds() -> list[bytes]:
    """A content type, a line break, and a body."""
    one = _PART + b"Content-Type: image/png\r\n\r\npicture\r\n"
    star = one.replace(b'filename="1.png"', b"filename*=UTF-8''%ED%95%9C.png")
    field = b'--b\r\nContent-Disposition: form-data; name="top"\r\n\r\n3\r\n'
    forms = (one, one + star, one + field)
    return [b"image/png\npicture"] + [
        b"multipart/form-data; boundary=b\n" + each + b"--b--\r\n" for each in forms
    ]


def read(content: bytes) -> None:
    """Read the pictures of a request."""
    header, _, body = content.partition(b"\n")
    request = Request({"type": "http", "headers": [(b"content-type", header)]})
    content_type = request.headers["content-type"]
    kind = predict._media_type(request)
    found = predict._read_pictures(kind, content_type, body, max_images=4)
    assert 1 <= len(found) <= 4
    assert all(isinstance(name, str) and isinstance(part, bytes) for name, part in found)


TARGET = Target(seeds, read)
