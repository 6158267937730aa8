"""A finding of `check`: names say that images belong together, and the data has no groups."""

from collections.abc import Iterator

from clearcnn.data import LabelledImages, propose_name_groups
from clearcnn.results.check import Finding
from clearcnn.specs import SplitSpec


def find_name_groups(images: LabelledImages) -> Iterator[Finding]:
    """Propose groups from the names, and say what a random split would leak without them."""
    splits = () if images.split_names is None else images.split_names
    # With these sets given, nothing is split at random.
    if images.groups is not None or {"validation", "test"} <= {*splits}:
        return
    found = propose_name_groups(images)
    if found is None:
        return
    name, group = found.example
    leak = found.estimate_leak(SplitSpec().test_fraction)
    yield Finding(
        "groups in names",
        False,
        f"Names put the images into {found.num_groups:,} groups that look alike: two images of a "
        f"group correlate by {found.alike:.2f}, two of a class but of different groups by "
        f"{found.others:.2f}. A random split would put the group of {100 * leak:.0f} % of the test "
        "images into the training set too, so the score would say little about new groups. Use "
        f"--groups-from-name '{found.pattern}' and --split group.",
        (f"{name}: group {group}",),
    )
