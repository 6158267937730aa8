"""Tables that name pictures: metadata.csv, and metadata.jsonl where the first byte is odd."""

import io

from PIL import Image

from clearcnn.data.sources import load
from fuzz.target import Target, put, scratch


def seeds() -> list[bytes]:
    """Four pictures; the first byte says which kind of table follows it."""
    rows = [("1.png", "cat"), ("2.png", "dog"), ("in/3.png", "cat"), ("4.png", "dog")]
    plain = "file_name,label\n" + "".join(f"{name},{label}\n" for name, label in rows)
    full = "label,file_name,group,split\n" + "".join(
        f'{label},"{name}",g{k},{"train" if k < 2 else "test"}\n'
        for k, (name, label) in enumerate(rows)
    )
    lines = "".join(f'{{"file_name": "{name}", "label": "{label}"}}\n' for name, label in rows)
    numbers = "".join(
        f'{{"file_name": "{name}", "label": {k % 2}, "more": [null, {{}}]}}\n\n'
        for k, (name, _) in enumerate(rows)
    )
    return [b"\0" + t.encode() for t in (plain, full)] + [
        b"\1" + t.encode() for t in (lines, numbers)
    ]


def read(content: bytes) -> None:
    """Read the folder that the table lies in."""
    folder = scratch() / "metadata"
    if not folder.exists():
        for k, name in enumerate(("1.png", "2.png", "in/3.png", "4.png")):
            file = io.BytesIO()
            Image.new("L", (4, 4), 50 * k).save(file, "PNG")
            put(f"metadata/{name}", file.getvalue())
        put("secret.png", file.getvalue())
    is_json = content[:1] != b"" and content[0] % 2 == 1
    for name in ("metadata.csv", "metadata.jsonl"):
        (folder / name).unlink(missing_ok=True)
    put(f"metadata/metadata.{'jsonl' if is_json else 'csv'}", content[1:])
    data = load(folder)
    assert len(data) >= 4
    assert not any("secret" in name for name in data.names)


TARGET = Target(seeds, read)
