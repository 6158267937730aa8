"""Parquet files as Hugging Face writes them."""

import io
import json

from PIL import Image

from clearcnn.data.sources import load
from fuzz.target import Target, put


def seeds() -> list[bytes]:
    """Four pictures with class names, class indices, groups, and several compressions."""
    import pyarrow
    from pyarrow import parquet

    cells = []
    for k in range(4):
        file = io.BytesIO()
        Image.new("L", (4, 4), 50 * k).save(file, "PNG")
        cells.append({"bytes": file.getvalue(), "path": f"{k}.png"})
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    info = json.dumps({"info": {"features": features}})
    files = []
    for labels in ([0, 1, 0, 1], ["cat", "dog", "cat", "dog"]):
        table = pyarrow.table({"image": cells, "label": labels, "group": ["a", "b", "c", "d"]})
        if labels[0] == 0:
            table = table.replace_schema_metadata({"huggingface": info})
        for compression in ("none", "snappy", "gzip", "zstd"):
            file = io.BytesIO()
            parquet.write_table(table, file, compression=compression, row_group_size=3)
            files.append(file.getvalue())
    return files


def read(content: bytes) -> None:
    """Read the file as a source."""
    data = load(f"parquet:{put('a.parquet', content)}")
    assert len(data) >= 4


TARGET = Target(seeds, read)
