"""An ONNX file of a run folder: the one that this room writes for its layers, or refused."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.export.network import Network, make_placeholder, read_network
from clearcnn.export.onnx_graph import Kept
from clearcnn.export.onnx_layout import Layout, lay_out
from clearcnn.export.onnx_model import draw_onnx
from clearcnn.export.ood import MOST_WEIGHTS, choose_features
from clearcnn.ood import DistanceWeights

_ROOM_BYTES = 4 * 2**20 + 4 * MOST_WEIGHTS


def limit_bytes(network: Network) -> int:
    """The most bytes that an ONNX file of a network has: its weights, and room for its graph."""
    return 4 * network.num_parameters + _ROOM_BYTES


def read_onnx(
    content: bytes,
    network: Network,
    class_names: Sequence[str],
    contract: InputContract,
    *,
    where: object,
    version: str,
    layer_outputs: bool = False,
) -> dict[str, NDArray[np.float32]]:
    """Read the weights of an ONNX file, if nothing else in it is anybody's choice.

    The file is written anew without its weights, and must be that, byte for byte. So it is never
    parsed, and whatever executes it, executes what this room writes for these layers.

    Args:
      content: of the file.
      network: its layers; their weights may be placeholders.
      class_names, contract, layer_outputs: as for `build_onnx`.
      where: the file, for messages.
      version: of the clearcnn that wrote it.
    Returns:
      Float32 arrays by "layer/name", such as "conv2d_1/kernel": weights, constants, and those
      of the distances where the file has them. Kernels of convolutions are (outputs, inputs,
      rows, columns), those of Dense (inputs, outputs).
    Raises:
      ExportError: it is another file.
    """
    # Before anything as large as the layers ask for is made.
    if 4 * network.num_parameters < len(content):
        arguments = (network, class_names, contract, version, layer_outputs)
        try:
            for layout, kept in _lay_out_forms(len(content), *arguments):
                if layout.fits(content):
                    return dict(_read_arrays(content, layout, kept))
        # Names that are no Unicode, and numbers that ONNX has no room for.
        except (ValueError, TypeError, OverflowError):
            pass
    raise ExportError(
        f"{where} is not as clearcnn writes it: it is not the network that bundle.json describes.",
        remedy="Restore it from a copy, or train again.",
    )


def list_weights(
    model: Any, class_names: Sequence[str], contract: InputContract
) -> dict[str, NDArray[np.float32]]:
    """List the weights that `build_onnx` writes for a Keras model; takes and names them so."""
    _, kept = draw_onnx(read_network(model), class_names, contract)
    return {_shorten(each.name): np.asarray(each.values, np.float32) for each in kept}


def _lay_out_forms(
    num_bytes: int,
    network: Network,
    class_names: Sequence[str],
    contract: InputContract,
    version: str,
    layer_outputs: bool,
) -> Iterator[tuple[Layout, list[Kept]]]:
    """Give the forms that a file of so many bytes may have: without distances, or with some."""

    def form(num_centres: int) -> tuple[Layout, list[Kept]]:
        distances = _placeholders(num_features, num_centres) if num_centres else None
        model, kept = draw_onnx(
            network,
            class_names,
            contract,
            layer_outputs=layer_outputs,
            distances=distances,
            version=version,
        )
        return lay_out(model, kept), kept

    chosen = choose_features(network, len(class_names))
    num_features = sum(layer.output_shape[-1] for layer in network.layers if layer.name in chosen)
    yield form(0)
    if layer_outputs or not chosen:
        return
    # Distances are to each class that was trained on; few runs lack any. Each takes a centre and
    # its norm, and the lengths of what holds them may differ by some bytes.
    whole = form(len(class_names))
    yield whole
    missing = (whole[0].num_bytes - num_bytes) // (4 * (num_features + 1))
    for num_missing in range(missing - 2, missing + 3):
        if 0 < num_missing < len(class_names):
            yield form(len(class_names) - num_missing)


def _placeholders(num_features: int, num_centres: int) -> DistanceWeights:
    return DistanceWeights(
        make_placeholder((num_features, num_features)),
        make_placeholder((num_features,)),
        make_placeholder((num_centres, num_features)),
    )


def _read_arrays(
    content: bytes, layout: Layout, kept: list[Kept]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for each in kept:
        name, shape = _shorten(each.name), each.values.shape
        if each.is_learned:
            start = layout.weights[each.name]
            values = np.frombuffer(content, "<f4", math.prod(shape), start).reshape(shape)
            yield name, values.astype(np.float32, copy=False)
        else:
            yield name, np.asarray(each.values, np.float32)


def _shorten(name: str) -> str:
    """Drop the number that makes a name unique in its graph."""
    return name.rpartition("_")[0]
