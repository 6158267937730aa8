"""Find a run folder by its path, by a unique beginning of its name, or as the latest."""

from pathlib import Path

from clearcnn import bundle
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.text import printable

LATEST = "latest"
RUNS = Path("runs")
_MOST_LISTED = 10


def find_run(named: Path | str) -> Path:
    """Find the run folder that a user names.

    Args:
      named: a path; or, below `runs/` or the folder in the path, the beginning of one name; or
        "latest" for the newest run below `runs/`.
    Returns:
      The path as given if it exists; otherwise that of the run.
    Raises:
      BundleError: there is none, or several begin like that; the message lists what there is.
    """
    path = Path(named).expanduser()
    if path.exists():
        return path
    folder = path.parent if path.parent != Path() else RUNS
    runs = list_runs(folder)
    if path.name == LATEST and runs:
        return runs[0]
    found = [run for run in runs if run.name.startswith(path.name)]
    if len(found) == 1:
        return found[0]
    raise BundleError(
        say(
            "{named} is not a run folder, and {num_found} in {folder} begin with that.",
            named=named,
            num_found=_count(len(found)),
            folder=folder,
        ),
        remedy=_list(found or runs, folder),
    )


def list_runs(folder: Path) -> list[Path]:
    """List the run folders in a folder, the newest first."""
    try:
        places = [each for each in folder.iterdir() if (each / bundle.MANIFEST_NAME).is_file()]
        # Equal times, as after a copy, are ordered by name.
        return sorted(places, key=lambda run: (run.stat().st_mtime_ns, run.name), reverse=True)
    except OSError:
        return []


def _count(number: int) -> str:
    return say("no runs") if number == 0 else say("{number:,} runs", number=number)


def _list(runs: list[Path], folder: Path) -> str:
    if not runs:
        return say(
            "Train a model first, or give the path of a run folder; {folder} has none.",
            folder=folder,
        )
    names = [printable(str(run)) for run in runs[:_MOST_LISTED]]
    more = (
        say(" and {num_runs:,} more", num_runs=len(runs) - len(names))
        if len(runs) > len(names)
        else ""
    )
    return say(
        'Give one of these, or "{latest}" for the newest: {names}{more}.',
        latest=LATEST,
        names=", ".join(names),
        more=more,
    )
