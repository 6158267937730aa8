"""Requests of 16 MiB, the most that the server takes, made to cost as much as they can."""

import zlib

import numpy as np

from clearcnn.web.request_body import _inflate
from clearcnn.web.tensors import read_request
from fuzz.targets import forms
from fuzz.worst.case import Case

_MOST = 16 * 2**20
_TENSOR = b'{"inputs":[{"name":"images","datatype":"UINT8","shape":[4096,8,8,1],"data":'
_PART = b'--b\r\nContent-Disposition: form-data; name="f"; filename="1"\r\n\r\n\r\n'


def infer(body: bytes) -> Case:
    """An inference request."""
    options = {
        "shape": (8, 8, 1),
        "dtype": np.dtype(np.uint8),
        "max_json_bytes": 4 * 2**20,
        "most_images": 4096,
    }
    return Case(lambda: body, lambda body: read_request(body, None, **options))


def form(body: bytes) -> Case:
    """A multipart form."""
    return Case(lambda: b"multipart/form-data; boundary=b\n" + body, forms.read)


def unpack(body: bytes) -> None:
    """Unpack a deflated body."""
    _inflate(body, 15, _MOST)


CASES = {
    "JSON, a million empty lists": infer(_TENSOR + b"[" + b"[]," * 1_390_000 + b"[]]}]}"),
    "JSON, a million empty objects": infer(_TENSOR + b"[" + b"{}," * 1_390_000 + b"{}]}]}"),
    "JSON, nested 4 million times": infer(_TENSOR + b"[" * 4_000_000),
    "JSON, a number of 4 million digits": infer(_TENSOR + b"[" + b"9" * 4_000_000 + b"]}]}"),
    "JSON, 16 MiB": infer(b" " * _MOST),
    "deflate, a gigabyte": Case(lambda: zlib.compress(bytes(2**30), 1), unpack),
    "form, 240,000 files": form(_PART * (_MOST // len(_PART))),
    "form, a header of 16 MiB": form(b"--b\r\nA: " + b"a" * (_MOST - 20)),
    "form, eight million line breaks": form(b"\r\n" * (_MOST // 2)),
    "form, a million begun boundaries": form(_PART + b"\r\n--" * (_MOST // 4 - 40)),
}
