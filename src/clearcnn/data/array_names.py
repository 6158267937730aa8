"""What the name of an array or a file says: images, labels or groups, and of which split.

The words are those of Keras, MedMNIST, scikit-learn, SVHN, USPS, PatchCamelyon, KMNIST and the many
sets that people store themselves: `X_train`, `trainX`, `train/data`, `test_labels`, `gnd`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from clearcnn.data.split_names import parse_split_name

Role = Literal["images", "labels", "groups", "names"]

_ROLES: dict[str, Role] = {
    **dict.fromkeys(
        ("x", "image", "images", "img", "imgs", "data", "fea", "features", "pixels", "patterns"),
        "images",
    ),
    **dict.fromkeys(("y", "label", "labels", "lbl", "lbls", "target", "targets", "gnd"), "labels"),
    **dict.fromkeys(("group", "groups"), "groups"),
    **dict.fromkeys(("classes", "names", "mapping"), "names"),
}
_FILLERS = frozenset(
    [
        "set",
        "data",
        "dataset",
        "imdb",
        "meta",
        "all",
        "raw",
        "full",
        "split",
        "ds",
        "orig",
        "uint8",
        "list",
        "batch",
    ]
)
_GLUED = re.compile(r"(x|y)(train|training|test|val|valid|validation|dev)", re.IGNORECASE)
_GLUED_BACK = re.compile(r"(train|training|test|val|valid|validation|dev)(x|y)", re.IGNORECASE)
_CHUNK = re.compile(r"[^\W_]+")
# A size such as 32x32 is no array x.
_SIZE = re.compile(r"\d+[xX]\d+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")


@dataclass(frozen=True)
class ArrayName:
    """What a name says.

    Attributes:
      role: None if it is said by no word.
      split: "train", "validation" or "test"; None if it is said by no word.
      rest: the other words, in lower case: those that pairs of files have in common.
    """

    role: Role | None
    split: str | None
    rest: tuple[str, ...]


def parse_array_name(name: str) -> ArrayName:
    """Read the words of an array's or a file's name, in any case and with any separators."""
    words = [word for chunk in _CHUNK.findall(_SIZE.sub(" ", name)) for word in _read_chunk(chunk)]
    splits = [split for word in words if (split := parse_split_name(word))]
    roles = [role for word in words if (role := _ROLES.get(word))]
    # In train_data_labels, the last of these words says what it is; so it does in label_names.
    role = roles[-1] if roles else None
    rest = tuple(
        word
        for word in words
        if word not in _ROLES and word not in _FILLERS and not parse_split_name(word)
    )
    return ArrayName(role, splits[0] if splits else None, rest)


def _read_chunk(chunk: str) -> list[str]:
    """Split trainX or XTrain1 into words; a chunk without known words, such as k49, is one."""
    words = [word for each in _WORD.findall(chunk) for word in _unglue(each)]
    is_known = any(word in _ROLES or parse_split_name(word) for word in words)
    return words if is_known else [chunk.lower()]


def _unglue(word: str) -> list[str]:
    match = _GLUED.fullmatch(word) or _GLUED_BACK.fullmatch(word)
    return [part.lower() for part in match.groups()] if match else [word.lower()]
