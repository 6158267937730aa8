"""2,000 photos of 96×96 pixels, made of small traffic signs: an easy set of a usual size.

`python -m benchmarks.enlarged_signs` writes them as an archive for `clearcnn train`, and prints its
path.
"""

import io
import zipfile
from collections import defaultdict
from pathlib import Path, PurePosixPath

from benchmarks import workloads

_SIGNS = "gtsrb.zip"
_CLASSES, _IMAGES, _SIDE, _QUALITY = 20, 100, 96, 90


def has_signs() -> bool:
    """Whether the traffic signs are in the folder beside the repository."""
    return (workloads.PICTURES / _SIGNS).is_file()


def enlarge_signs() -> Path:
    """Write the archive, if it is not there, and return its path.

    The first 100 images by name of each of the 20 largest classes, of test and training tracks
    alike, as JPEGs of quality 90. Neighbours are pictures of one sign; a random split is easy.

    Raises:
      FileNotFoundError: the traffic signs are not beside the repository.
    """
    from PIL import Image

    path = workloads.FOLDER / "signs-96.zip"
    if path.is_file():
        return path
    workloads.FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    by_class: dict[str, list[str]] = defaultdict(list)
    with zipfile.ZipFile(workloads.PICTURES / _SIGNS) as signs:
        for name in signs.namelist():
            if name.endswith(".ppm"):
                by_class[PurePosixPath(name).parent.name].append(name)
        with zipfile.ZipFile(unfinished, "w") as archive:
            # A stable order: of two classes of the same size, the one that comes first.
            for kind in sorted(by_class, key=lambda kind: -len(by_class[kind]))[:_CLASSES]:
                for number, name in enumerate(sorted(by_class[kind])[:_IMAGES]):
                    small = Image.open(io.BytesIO(signs.read(name))).convert("RGB")
                    content = io.BytesIO()
                    large = small.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
                    large.save(content, "JPEG", quality=_QUALITY)
                    archive.writestr(f"{kind}/{number}.jpg", content.getvalue())
    unfinished.replace(path)
    return path


if __name__ == "__main__":
    print(enlarge_signs())
