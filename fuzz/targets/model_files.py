"""Models as TOML."""

from clearcnn.models import read_model, write_model
from fuzz.target import Target, put

_CONV = "[[layers]]\nlayer = 'Conv2D'\nfilters = 8\nkernel_size = [3, 3]\nactivation = 'relu'\n"
_END = "[[layers]]\nlayer = \"Flatten\"\n\n[[layers]]\nlayer = 'Dense'\nunits = 10\n"


def seeds() -> list[bytes]:
    """Models with every kind of layer and value."""
    small = f"name = 'small'\n\n{_CONV}padding = 'same'\nname = 'edges'\n{_END}"
    pad = "[[layers]]\nlayer='ZeroPadding2D'\npadding=[[1,2],[3,4]]\n"
    pad += "[[layers]]\nlayer='Rescaling'\nscale=0.0625\noffset=-1e-3\n"
    pad += "[[layers]]\nlayer='MaxPooling2D'\nstrides=2\n[[layers]]\nlayer='BatchNormalization'\n"
    pad += "momentum=0.9\n[[layers]]\nlayer='SeparableConv2D'\nfilters=4\nkernel_size=3\n"
    pad += "dilation_rate=2\ndepth_multiplier=2\nuse_bias=false\n"
    inline = "layers = [{layer = 'Flatten'}, {layer = 'Dropout', rate = 0.5}]\n"
    return [text.encode() for text in (small, pad + _END, inline, "\ufeff# a model\n" + small)]


def read(content: bytes) -> None:
    """Read the file; what is read can be written, and reads back the same."""
    path = put("model.toml", content)
    spec = read_model(path)
    spec = read_model(path, (28, 28, 1))
    again = read_model(put("again.toml", write_model(spec).encode()), (28, 28, 1))
    assert again == spec


TARGET = Target(seeds, read)
