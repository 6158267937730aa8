"""A safe reader of the weights in `model.keras`, a zip archive of Keras."""

import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.archives import open_archive
from clearcnn.errors import BundleError
from clearcnn.language import say

WEIGHTS = "model.weights.h5"

_MEMBERS = {"metadata.json", "config.json", WEIGHTS}
_MOST_CONFIG_BYTES = 4 * 2**20
# Adam stores two more numbers for each weight; HDF5 adds some bytes for each array.
_MOST_COPIES = 4
_ROOM_BYTES = 2**20
_ROOM_BYTES_FOR_A_LAYER = 2**14


@dataclass(frozen=True)
class LayerShapes:
    """The shapes of one layer's weights.

    Attributes:
      kind: Keras's class name.
      shapes: by Keras's names, in its order.
    """

    kind: str
    shapes: Mapping[str, tuple[int, ...]]


def limit_network_bytes(layers: Sequence[LayerShapes]) -> int:
    """Compute an upper bound on the size of a `.keras` file of these layers."""
    return _limit_weights(layers) + 2 * _MOST_CONFIG_BYTES


def read_network_weights(
    content: bytes, layers: Sequence[LayerShapes], where: object
) -> list[list[NDArray[np.float32]]]:
    """Read the weights of a Keras model.

    The archive must be uncompressed, as Keras writes it. Each weight must be a float32 array of its
    layer's shape, stored in the file. The configuration is not read, and only hard links of HDF5
    are followed.

    Args:
      content: the bytes of a `.keras` file.
      layers: all layers of the model.
      where: the file, for messages.
    Returns:
      The weights of each layer, in Keras's order.
    Raises:
      BundleError: the file is not what Keras writes for a model of these layers.
    """
    # Imported here, since it takes a while to load.
    import h5py

    stored = _read_archive(content, layers, where)
    try:
        with h5py.File(io.BytesIO(stored), "r") as file:
            return [
                [
                    _read_array(file, f"layers/{place}/vars/{number}", shape)
                    for number, shape in enumerate(layer.shapes.values())
                ]
                for layer, place in zip(layers, _name_places(layers), strict=True)
            ]
    except _InvalidWeightsError as problem:
        raise _damaged(where, str(problem)) from None
    except Exception as error:  # HDF5 raises almost any exception on damaged files.
        raise _damaged(where, say("its {weights} cannot be read", weights=WEIGHTS)) from error


class _InvalidWeightsError(Exception):
    """An array is not as Keras writes it; the message is a clause."""


def _read_archive(content: bytes, layers: Sequence[LayerShapes], where: object) -> bytes:
    try:
        with open_archive(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members, layers, where)
            return archive.read(WEIGHTS)
    except BundleError:
        raise
    except Exception as error:  # zipfile raises almost any exception on damaged files.
        raise _damaged(where, say("it is not a zip archive")) from error


def _check_members(
    members: Sequence[zipfile.ZipInfo], layers: Sequence[LayerShapes], where: object
) -> None:
    names = sorted(member.filename for member in members)
    if names != sorted(_MEMBERS):
        shown = ", ".join(repr(name[:100]) for name in names[:4]) or "nothing"
        raise _damaged(
            where,
            say(
                "it contains {found}; expected {members}",
                found=shown,
                members=", ".join(sorted(_MEMBERS)),
            ),
        )
    parameters = _count_parameters(layers)
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise _damaged(
                where,
                say(
                    "its {filename} is compressed, unlike in Keras's files",
                    filename=member.filename,
                ),
            )
        least, most = 0, _MOST_CONFIG_BYTES
        if member.filename == WEIGHTS:
            least, most = 4 * parameters, _limit_weights(layers)
        if not least <= member.file_size <= most:
            raise _damaged(
                where,
                say(
                    "its {filename} has {file_size:,} bytes; expected {least:,} to {most:,} "
                    "for {parameters:,} parameters",
                    filename=member.filename,
                    file_size=member.file_size,
                    least=least,
                    most=most,
                    parameters=parameters,
                ),
            )


def _name_places(layers: Sequence[LayerShapes]) -> list[str]:
    """Compute the layers' names in Keras's files: "conv2d", "conv2d_1", …; not their own names."""
    places, counts = [], dict[str, int]()
    for layer in layers:
        name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", layer.kind)
        name = re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
        number = counts[name] = counts.get(name, -1) + 1
        places.append(f"{name}_{number}" if number else name)
    return places


def _read_array(file: Any, place: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    import h5py

    item = file
    for part in place.split("/"):
        # A soft or external link may lead to another array or file.
        if not isinstance(item, h5py.Group) or part not in item:
            raise _InvalidWeightsError(
                say("it lacks weights of its layers: {place} is missing", place=place)
            )
        if not isinstance(item.get(part, getlink=True), h5py.HardLink):
            raise _InvalidWeightsError(say("its {place} is a link", place=place))
        item = item[part]
    is_whole = (
        isinstance(item, h5py.Dataset)
        and not (item.external or item.is_virtual or item.chunks)
        and item.dtype == np.dtype("<f4")
    )
    if not is_whole or item.shape != shape:
        raise _InvalidWeightsError(
            say(
                "it lacks weights of its layers: {place} is not a plain float32 array of the "
                "shape {shape}",
                place=place,
                shape=shape,
            )
        )
    values: NDArray[np.float32] = item[()]
    return values


def _limit_weights(layers: Sequence[LayerShapes]) -> int:
    room = _ROOM_BYTES + _ROOM_BYTES_FOR_A_LAYER * len(layers)
    return 4 * _count_parameters(layers) * _MOST_COPIES + room


def _count_parameters(layers: Sequence[LayerShapes]) -> int:
    return sum(math.prod(shape) for layer in layers for shape in layer.shapes.values())


def _damaged(where: object, what: str) -> BundleError:
    return BundleError(
        say("{where} is damaged: {what}.", where=where, what=what),
        remedy=say("Restore it from a backup, or train again."),
    )
