"""A finding of `check`: names say that images belong together, and the data has no groups."""

from collections.abc import Iterator

from clearcnn.data import LabelledImages, propose_name_groups
from clearcnn.language import say
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
        say(
            "Names put the images into {num_groups:,} groups that look alike: two images of a "
            "group correlate by {alike:.2f}, two of a class but of different groups by "
            "{others:.2f}. A random split would put the group of {leak:.0f} % of the test "
            "images into the training set too, so the score would say little about new "
            "groups. Use --groups-from-name '{pattern}' and --split group.",
            num_groups=found.num_groups,
            alike=found.alike,
            others=found.others,
            leak=100 * leak,
            pattern=found.pattern,
        ),
        (say("{name}: group {group}", name=name, group=group),),
    )
