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
            "{named} is not a run folder, and {number} in {folder} begin with that.",
            named=named,
            number=_count(len(found)),
            folder=folder,
        ),
        remedy=_list(found or runs, folder),
    )


def find_run_to_resume(named: Path) -> Path:
    """Find the run to resume that a user names, finished or stopped.

    Args:
      named: a path; or the beginning of one name below `runs/`; or "latest" for the newest there.
    Returns:
      A path in a folder as it was given, since that run may have stopped before its first
      checkpoint, and another name that begins alike is another run. So is a name that exists, or
      with which none begins.
    Raises:
      BundleError: several begin like that; the message lists them.
    """
    is_name = bool(named.name) and named.parent == Path() and named.name != ".."
    if not is_name or named.exists() or named.with_name(named.name + bundle.UNFINISHED).exists():
        return named
    runs = [*list_runs(RUNS), *_list_stopped(RUNS)]
    if named.name == LATEST and runs:
        return max(runs, key=lambda run: (run.stat().st_mtime_ns, run.name))
    found = [run for run in runs if run.name.startswith(named.name)]
    if len(found) > 1:
        raise BundleError(
            say(
                "{named} may mean {number:,} runs in {runs}.",
                named=named,
                number=len(found),
                runs=RUNS,
            ),
            remedy=_list(found, RUNS),
        )
    return found[0] if found else named


def _list_stopped(folder: Path) -> list[Path]:
    """List the folders of stopped runs in a folder, except those whose run is complete."""
    try:
        places = [each for each in folder.iterdir() if each.name.endswith(bundle.UNFINISHED)]
    except OSError:
        return []
    return [
        each
        for each in places
        if bundle.may_be_unfinished(each)
        and not bundle.is_finished_as(
            each, each.with_name(each.name.removesuffix(bundle.UNFINISHED))
        )
    ]


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
