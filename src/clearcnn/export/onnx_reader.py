"""A safe reader of the ONNX files of run folders: it accepts only files that clearcnn wrote."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.export.batch_normalization import fold_batch_normalization
from clearcnn.export.network import KerasModel, Network, make_placeholder, read_network
from clearcnn.export.onnx_graph import Initializer
from clearcnn.export.onnx_layout import Layout, compute_layout
from clearcnn.export.onnx_model import build_graph
from clearcnn.export.ood import MOST_WEIGHTS, choose_features
from clearcnn.language import say
from clearcnn.ood import DistanceWeights

_ROOM_BYTES = 4 * 2**20 + 4 * MOST_WEIGHTS


def limit_bytes(network: Network) -> int:
    """Compute an upper bound on the size of a network's ONNX file: its weights, and its graph."""
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
    """Read the weights of an ONNX file that is identical to an export of these layers.

    The network is exported again without its weights, and the file must have these bytes. So the
    file is never parsed, and executing it means executing an export of these layers.

    Args:
      content: of the file.
      network: its layers; their weights may be placeholders.
      class_names, contract, layer_outputs: as for `build_onnx`.
      where: the file, for messages.
      version: the version of clearcnn that wrote it.
    Returns:
      Float32 arrays by "layer/name", such as "conv2d_1/kernel": weights, constants, and those
      of the distances where the file has them. Kernels of convolutions are (outputs, inputs,
      rows, columns), those of Dense (inputs, outputs).
    Raises:
      ExportError: the file differs in anything except the weights.
    """
    if not layer_outputs:
        network = fold_batch_normalization(network)
    # Checked before anything of the layers' size is allocated.
    if 4 * network.num_parameters < len(content):
        arguments = (network, class_names, contract, version, layer_outputs)
        try:
            for layout, kept in _possible_layouts(len(content), *arguments):
                if layout.fits(content):
                    return dict(_read_arrays(content, layout, kept))
        # Invalid Unicode in names, and numbers too large for ONNX.
        except (ValueError, TypeError, OverflowError):
            pass
    raise ExportError(
        say("{where} is damaged: it is not the network that bundle.json describes.", where=where),
        remedy=say("Restore it from a backup, or train again."),
    )


def list_weights(
    model: KerasModel, class_names: Sequence[str], contract: InputContract
) -> dict[str, NDArray[np.float32]]:
    """List the weights that `build_onnx` writes with `layer_outputs`, under the same names."""
    _, kept = build_graph(read_network(model), class_names, contract, layer_outputs=True)
    return {_shorten(each.name): np.asarray(each.values, np.float32) for each in kept}


def _possible_layouts(
    num_bytes: int,
    network: Network,
    class_names: Sequence[str],
    contract: InputContract,
    version: str,
    layer_outputs: bool,
) -> Iterator[tuple[Layout, list[Initializer]]]:
    """Yield the layouts that a file of this size may have: without distances, or with some."""

    def form(num_centres: int) -> tuple[Layout, list[Initializer]]:
        distances = _placeholders(num_features, num_centres) if num_centres else None
        model, kept = build_graph(
            network,
            class_names,
            contract,
            layer_outputs=layer_outputs,
            distances=distances,
            version=version,
        )
        return compute_layout(model, kept), kept

    chosen = choose_features(network, len(class_names))
    num_features = sum(layer.output_shape[-1] for layer in network.layers if layer.name in chosen)
    yield form(0)
    if layer_outputs or not chosen:
        return
    # There is a distance to each class with training images, and few runs have a class without any.
    # Each takes a centre and its norm; the length fields around them may differ by some bytes.
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
    content: bytes, layout: Layout, kept: list[Initializer]
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
    """Remove the number that makes a name unique in its graph."""
    return name.rpartition("_")[0]
