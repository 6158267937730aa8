"""The names of splits in a source: train, validation, test, and how people spell them."""

import re
from collections import defaultdict
from collections.abc import Iterable

from clearcnn.errors import DataError
from clearcnn.language import say

_ALIASES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SPLIT_OF = {alias: split for split, aliases in _ALIASES.items() for alias in aliases}

ACCEPTED = ", ".join(_SPLIT_OF)

# Words of folder names; `background` is Omniglot's, the Korean ones are those of AI Hub.
_WORDS = {
    **_SPLIT_OF,
    **dict.fromkeys(("trainset", "traindata", "background", "학습", "훈련"), "train"),
    **dict.fromkeys(("valset", "validset", "검증"), "validation"),
    **dict.fromkeys(("testset", "testdata", "테스트", "시험", "평가"), "test"),
}
# Words that say nothing about what is in a folder.
_FILLERS = frozenset(
    [
        *("data", "dataset", "datasets", "file", "files", "final", "folder", "image", "images"),
        *("img", "imgs", "new", "part", "photos", "pictures", "png", "jpg", "raw", "samples"),
        *("set", "split", "the", "데이터", "이미지", "세트"),
    ]
)
_UNLABELLED = frozenset(
    [
        *("pred", "predict", "prediction", "predictions", "single"),
        *("unlabeled", "unlabelled", "unsup", "unsupervised"),
    ]
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")


def parse_split_name(name: str) -> str | None:
    """Return the split that a name stands for, ignoring case; None if it is not a split's name."""
    return _SPLIT_OF.get(name.strip().casefold())


def parse_split_folders(names: Iterable[str]) -> dict[str, str]:
    """Find the folder names that stand for splits, by any usual habit.

    A name does if fillers are all that it has besides the word, as in `training_set` or
    `Final_Test`; or if another name has the same rest and another split's word, as in `seg_train`
    and `seg_test`.

    Args:
      names: of the folders beside each other.
    Returns:
      name → "train", "validation" or "test", for those that stand for one.
    """
    found: dict[str, str] = {}
    by_rest: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for name in names:
        words = _words(name)
        splits = [word for word in words if word in _WORDS]
        if len(splits) != 1:
            continue
        rest = tuple(word for word in words if word not in _WORDS and word not in _FILLERS)
        by_rest[rest][name] = _WORDS[splits[0]]
    for rest, splits_of in by_rest.items():
        if not rest or len(set(splits_of.values())) > 1:
            found |= splits_of
    return found


def is_unlabelled_name(name: str) -> bool:
    """Whether a folder name says that its images have no label, as `single_prediction` does."""
    words = [word for word in _words(name) if word not in _FILLERS]
    return bool(words) and words != ["single"] and _UNLABELLED.issuperset(words)


def is_filler(name: str) -> bool:
    """Whether a folder name says nothing about what is in the folder, as `images` does."""
    words = _words(name)
    return bool(words) and _FILLERS.issuperset(words)


def differ_in_numbers(names: Iterable[str]) -> bool:
    """Whether folder names only count the folders, as `images_part_1` and `images_part_2` do."""
    words = {tuple(_words(name)) for name in names}
    return len(words) == 1 and any(word in _FILLERS for word in next(iter(words)))


def require_split_name(name: str, place: str) -> str:
    """Return the split that a name stands for, or raise a DataError that names the place."""
    split = parse_split_name(name)
    if split is None:
        raise DataError(
            say(
                "{place}: unknown split {name!r}; expected one of {accepted}.",
                place=place,
                name=name[:40],
                accepted=ACCEPTED,
            ),
            remedy=say("Correct the cell, or remove the column."),
        )
    return split


def _words(name: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(name)]
