"""Which of a recipe's random changes of images to keep, as the user asks."""

import dataclasses
from collections.abc import Sequence

from clearcnn.errors import SpecError
from clearcnn.language import say
from clearcnn.specs import Arguments, AugmentationSpec
from clearcnn.spelling import suggest

_FIELDS = {
    "shift": "shift_pixels",
    "rotation": "rotation_radians",
    "zoom": "zoom_fraction",
    "shear": "shear_fraction",
    "contrast": "contrast_fraction",
    "brightness": "brightness_shift",
}
CHANGES = (*_FIELDS, "flip")
NONE = "none"


def check_augmentation(names: Sequence[str], flip: bool | None) -> None:
    """Validate the names of changes.

    Raises:
      SpecError: a name is unknown, "none" is not alone, or `flip` contradicts the names.
    """
    for name in names:
        if name not in (*CHANGES, NONE):
            near = suggest(name, (*CHANGES, NONE))
            raise SpecError(
                say(
                    "augment has {name!r}; expected some of {changes}, or none.",
                    name=name,
                    changes=", ".join(CHANGES),
                ),
                remedy=say("Did you mean {near}?", near=near)
                if near
                else say("Choose from these."),
            )
    if NONE in names and len(names) > 1:
        raise SpecError(
            say(
                "augment has none together with {names}.",
                names=", ".join(n for n in names if n != NONE),
            ),
            remedy=say("Give none alone, or leave it out."),
        )
    if flip is not None and flip is not ("flip" in names):
        word = say("has no") if flip else "has"
        raise SpecError(
            say("augment {word} flip, but flip={flip} was given.", word=word, flip=flip),
            remedy=say("Leave out one of the two options."),
        )


def choose_augmentation(
    spec: AugmentationSpec | None, names: Sequence[str] | None, flip: bool | None
) -> AugmentationSpec | None:
    """Keep the changes that the user asks for, in the recipe's amounts.

    Args:
      spec: the recipe's.
      names: some of CHANGES, or only "none"; None keeps all.
      flip: whether to mirror half of the images; None leaves it to `names` and the recipe.
    Raises:
      SpecError: as `check_augmentation`; or a change is asked for that the recipe does not have.
    """
    if names is not None:
        check_augmentation(names, flip)
        wanted = [name for name in names if name in _FIELDS]
        lacking = [name for name in wanted if not getattr(spec, _FIELDS[name], 0)]
        if lacking:
            raise SpecError(
                say(
                    "augment has {names}, which this recipe does not use for these images.",
                    names=", ".join(lacking),
                ),
                remedy=say("Leave it out; flip can always be given."),
            )
        others: Arguments = {f: 0.0 for name, f in _FIELDS.items() if name not in wanted}
        spec = None if spec is None else dataclasses.replace(spec, **others)
        flip = "flip" in names
    if flip is None:
        return spec
    spec = dataclasses.replace(spec or AugmentationSpec(), horizontal_flip=flip)
    return None if spec == AugmentationSpec(fill_value=spec.fill_value) else spec
