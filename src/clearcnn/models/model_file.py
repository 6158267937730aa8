"""Model files: TOML with a list of layers, in Keras's names."""

import json
import reprlib
import stat
import tomllib
from itertools import islice
from pathlib import Path
from typing import Any

from clearcnn.errors import LayerError, SpecError
from clearcnn.language import join, say
from clearcnn.models.layers import check_model
from clearcnn.models.shape_inference import summarize_model
from clearcnn.specs import Arguments, LayerSpec, ModelSpec
from clearcnn.spelling import suggest

_MOST_BYTES = 2**17
# tomllib keeps every prefix of a dotted key: memory is quadratic in the length of a line.
_LONGEST_LINE = 1_000
_KEYS = ("name", "layers")
_EXAMPLE = say('[[layers]] with layer = "Dense" below it')


def read_model(path: Path, input_shape: tuple[int, int, int] | None = None) -> ModelSpec:
    """Read a model file.

    Args:
      path: a TOML file with [[layers]] tables and optionally a name; the default is the file's
        name.
      input_shape: (height, width, channels) of one image, to check shapes too; None skips that
        check.
    Returns:
      The model, with its arguments as written, lists as tuples.
    Raises:
      SpecError: the file cannot be read, is not TOML, or has unknown keys.
      LayerError: a layer is invalid; the message names the file and the position.
    """
    document = _read_toml(path)
    for key in document:
        if key not in _KEYS:
            near = suggest(key, _KEYS)
            raise SpecError(
                say(
                    "{path}: key {key} is not known outside the layers: only name and "
                    "[[layers]] go there.",
                    path=path,
                    key=reprlib.repr(key),
                ),
                remedy=say("Did you mean {near}?", near=near)
                if near
                else say("Leave it out, or put it in a layer."),
            )
    tables = document.get("layers", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SpecError(
            say(
                "{path}: layers is not a list of tables: a [[layers]] table for each layer "
                "was expected.",
                path=path,
            ),
            remedy=say("Write each layer as {example}.", example=_EXAMPLE),
        )
    spec = ModelSpec(
        name=document.get("name", path.stem),
        layers=tuple(_read_layer(path, i, table) for i, table in enumerate(tables, start=1)),
    )
    try:
        check_model(spec) if input_shape is None else summarize_model(spec, input_shape)
    except SpecError as error:
        raise type(error)(join(": ", (str(path), error.problem)), remedy=error.remedy) from None
    return spec


def write_model(spec: ModelSpec) -> str:
    """Format a model as the text of a model file, which `read_model` reads.

    Args:
      spec: the model; arguments that are None are left out, since TOML has no null.
    Raises:
      SpecError, LayerError: the model is invalid.
    """
    check_model(spec)
    blocks = [f"name = {_write_value(spec.name)}\n"]
    for layer in spec.layers:
        lines = {"layer": layer.layer, **layer.arguments}
        written = (f"{k} = {_write_value(v)}\n" for k, v in lines.items() if v is not None)
        blocks.append("[[layers]]\n" + "".join(written))
    return "\n".join(blocks)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        status = path.stat()
        # A pipe would be waited for, and a device may never end.
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            raise SpecError(
                say(
                    "{path} is not a regular file of at most {most_bytes:,} bytes.",
                    path=path,
                    most_bytes=_MOST_BYTES,
                ),
                remedy=say("Give the path of a model file such as model.toml."),
            )
        text = path.read_bytes().decode("utf-8-sig")
        if max(map(len, text.split("\n"))) > _LONGEST_LINE:
            raise SpecError(
                say(
                    "{path} has a line of more than {longest_line:,} characters.",
                    path=path,
                    longest_line=_LONGEST_LINE,
                ),
                remedy=say("Write each layer as {example}.", example=_EXAMPLE),
            )
        return tomllib.loads(text)
    except SpecError:
        raise
    except OSError as error:
        raise SpecError(
            say("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error),
            remedy=say("Give the path of a model file such as model.toml."),
        ) from None
    # tomllib raises IndexError for some conflicting tables.
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        reason = say("it is nested too deeply") if isinstance(error, RecursionError) else error
        raise SpecError(
            say("{path} is not a TOML file: {reason}.", path=path, reason=reason),
            remedy=say("Write each layer as {example}.", example=_EXAMPLE),
        ) from None


def _read_layer(path: Path, position: int, table: Arguments) -> LayerSpec:
    layer = table.get("layer")
    if not isinstance(layer, str):
        told = ", ".join(key[:40] for key in islice(table, 8)) or "none"
        raise LayerError(
            say(
                '{path}: Layer {position} does not say which layer it is: layer = "…" was '
                "expected, its keys are {told}.",
                path=path,
                position=position,
                told=told,
            ),
            remedy=say('Add a line such as layer = "Dense".'),
        )
    arguments = {key: _freeze(value) for key, value in table.items() if key != "layer"}
    return LayerSpec(layer, arguments)


def _freeze(value: object) -> object:
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


def _write_value(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_write_value(item) for item in value)}]"
    # Numbers, true, false and printable text are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
