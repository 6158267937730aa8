"""Tables of labels with any column names and separators, beside their pictures."""

import io

from PIL import Image

from clearcnn.data.sources import load
from fuzz.target import Target, put, scratch

NAMES = ("train/1.png", "train/2.png", "train/3.png", "train/4.png", "test/1.png")


def seeds() -> list[bytes]:
    """Ids, paths, one-hot columns, splits, no column names; every separator."""
    labels = ("cat", "dog", "cat", "dog")
    rows = list(zip((name.removesuffix(".png") for name in NAMES[:4]), labels, strict=True))
    one_hot = "filename, cat, dog\n" + "".join(
        f"{k}.png, {1 - k % 2}, {k % 2}\n" for k in range(1, 5)
    )
    tables = [
        "id,breed\n" + "".join(f"{k},{label}\n" for k, (_, label) in enumerate(rows, 1)),
        "Path;Width;ClassId\n"
        + "".join(f"{name}.png;4;0{label == 'cat':d}\n" for name, label in rows),
        "".join(f"{name}.png\t{label}\t4\t4\n" for name, label in rows),
        "".join(f"C:\\me\\{name.replace('/', chr(92))}.png {label}\n" for name, label in rows),
        "name,kind,Usage\n"
        + "".join(
            f"{n},{x},{['Training', 'PublicTest'][k // 2]}\n" for k, (n, x) in enumerate(rows)
        ),
        one_hot,
    ]
    return [table.encode() for table in tables]


def read(content: bytes) -> None:
    """Read the table, and the folder that it lies in."""
    if not (scratch() / "labels" / "train").exists():
        for k, name in enumerate(NAMES):
            file = io.BytesIO()
            Image.new("L", (4, 4), 50 * k).save(file, "PNG")
            put(f"labels/{name}", file.getvalue())
        put("secret.png", file.getvalue())
    table = put("labels/labels.csv", content)
    data = load(f"table:{table}", skip_unreadable=True)
    assert len(data) >= 4
    assert {*data.names} <= {*NAMES}
    assert load(f"table:{table.parent}", skip_unreadable=True).names == data.names


TARGET = Target(seeds, read)
