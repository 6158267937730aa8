"""The studio: a class folder, its jobs and its attempts; what the page's endpoints call."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

from clearcnn import bundle, models
from clearcnn.errors import SpecError, StudioError
from clearcnn.language import ENGLISH, say, say_count
from clearcnn.specs import TrainSpec
from clearcnn.types import JsonObject
from clearcnn.workflows.studio.attempts import Attempt, Attempts
from clearcnn.workflows.studio.class_folder import ClassFolder
from clearcnn.workflows.studio.class_listing import PictureClass
from clearcnn.workflows.studio.estimate import Estimate, estimate_training, read_forecast
from clearcnn.workflows.studio.jobs import Jobs, RunningJob
from clearcnn.workflows.studio.neighbours import NeighbourFinder
from clearcnn.workflows.studio.picture_names import GROUPS, find_burst

FEWEST_SCENES = 3
"""Of each class, if there are bursts: one each for training, validation and test."""
FEWEST_PICTURES = 5
"""Of each class without bursts, so that a stratified split has one for each set."""
MOST_EPOCHS = 1_000


class Studio:
    """A class folder that is collected, checked and trained on.

    Close it to end its process and let other processes open the folder.

    Args:
      root: the class folder; made if it does not exist.
    Raises:
      StudioError: as `ClassFolder`.
    """

    def __init__(self, root: Path) -> None:
        self.folder = ClassFolder(root)
        self.attempts = Attempts(self.folder.root, self.folder.root.parent / "runs")
        self.jobs = Jobs()
        self._neighbours = NeighbourFinder(self.folder)

    def close(self) -> None:
        """End the process and release the folder."""
        self.jobs.close()
        self.folder.close()

    def look(self) -> RunningJob:
        """Begin to check the folder.

        Raises:
          StudioError: another job is running, or there are no pictures.
        """
        if not any(each.pictures for each in self.folder.scan()):
            raise StudioError(
                say("There are no pictures to check."),
                remedy=say("Collect some first."),
                code="no_pictures",
            )
        return self.jobs.begin({"kind": "look", "folder": str(self.folder.root)})

    def train(
        self,
        *,
        recipe: str,
        epochs: int | None,
        seed: int,
        budget: float | None = None,
        language: str = "en",
    ) -> RunningJob:
        """Begin a training.

        Args:
          recipe, epochs, seed, budget, language: as for `train`.
        Raises:
          SpecError: one of them is out of range.
          StudioError: another job is running, or there are too few classes, pictures or scenes.
        """
        models.find_recipe(recipe)
        if epochs is not None and not 1 <= epochs <= MOST_EPOCHS:
            raise SpecError(
                say(
                    "epochs={epochs} is out of range: 1 to {most_epochs} in the studio.",
                    epochs=epochs,
                    most_epochs=MOST_EPOCHS,
                ),
                remedy=say("Use clearcnn train for longer trainings."),
                code="epochs_range",
                values={"epochs": epochs, "most": MOST_EPOCHS},
            )
        TrainSpec(seed=seed)
        classes = self.folder.scan()
        check_enough(classes)
        by_group = has_bursts(classes)
        name = f"{bundle.shorten_name(self.folder.root.name)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        out = bundle.find_free_place(self.attempts.runs / name)
        command = ["clearcnn", "train", _name_source(self.folder.root), "--recipe", recipe]
        command += ["--seed", str(seed), *(["--epochs", str(epochs)] if epochs else [])]
        command += ["--budget", f"{budget:g}s"] if budget else []
        command += ["--lang", language] if language != ENGLISH.code else []
        command += ["--split", "group", "--groups-from-name", GROUPS] if by_group else []
        return self.jobs.begin(
            {
                "kind": "train",
                "folder": str(self.folder.root),
                "out": str(out),
                "by_group": by_group,
                "recipe": recipe,
                "epochs": epochs,
                "seed": seed,
                "budget": budget,
                "language": language,
                "command": shlex.join(command),
            }
        )

    def measure(self, recipe: str, seed: int) -> RunningJob:
        """Begin to measure how long a training takes; it gives way to any other job.

        Raises:
          SpecError: there is no such recipe.
          StudioError: as for `train`.
        """
        models.find_recipe(recipe)
        classes = self.folder.scan()
        check_enough(classes)
        return self.jobs.begin(
            {
                "kind": "pace",
                "folder": str(self.folder.root),
                "by_group": has_bursts(classes),
                "recipe": recipe,
                "seed": seed,
            }
        )

    def estimate(self, recipe: str, epochs: int | None) -> Estimate | None:
        """Estimate the time of a training, as `estimate_training`."""
        num_images = sum(len(each.pictures) for each in self.folder.scan())
        job, forecast = self.jobs.measurement, None
        if job is not None and job.job["recipe"] == recipe:
            forecast = read_forecast(job)
        return estimate_training(num_images, self.attempts.list_all(), forecast, recipe, epochs)

    @property
    def is_measuring(self) -> bool:
        """Whether it is measured how long a training takes."""
        job = self.jobs.measurement
        return job is not None and not job.is_over

    def find_neighbours(self, run: str, picture: str) -> JsonObject:
        """Find the pictures that a run's model finds most like one, as `NeighbourFinder.find`.

        Raises:
          StudioError: there is no such run or picture.
        """
        return self._neighbours.find(self.find_attempt(run), picture)

    def find_attempt(self, run: str) -> Attempt:
        """Return an attempt by the name of its run folder.

        Raises:
          StudioError: there is none.
        """
        attempt = self.attempts.find(run)
        if attempt is None:
            raise StudioError(
                say("There is no run {run!r} of this folder.", run=run[:100]),
                remedy=say("It was moved or removed; choose another."),
                code="no_run",
                values={"run": run[:100]},
            )
        return attempt

    def list_commands(self, attempt: Attempt) -> dict[str, str]:
        """Return the commands that do on the command line what the page's buttons do."""
        run = shlex.quote(_shown(attempt.run.folder))
        place = shlex.quote(_name_source(self.folder.root))
        return {
            "serve": f"clearcnn serve {run}",
            "predict": f"clearcnn predict {run} new/",
            "explain": f"clearcnn explain {run} PICTURE",
            "export": f"clearcnn export {run} --to onnx",
            "evaluate": f"clearcnn evaluate {place}",
        }


def has_bursts(classes: tuple[PictureClass, ...]) -> bool:
    """Whether two pictures are of one burst."""
    bursts = [find_burst(name) for each in classes for name in each.pictures]
    known = [burst for burst in bursts if burst is not None]
    return len(set(known)) < len(known)


def check_enough(classes: tuple[PictureClass, ...]) -> None:
    """Check that there is enough to train and to test.

    Raises:
      StudioError: there are fewer than two classes, or a class has too few pictures or scenes.
    """
    if len(classes) < 2:
        raise StudioError(
            say_count(
                "Training needs two classes; there is {number}.",
                "Training needs two classes; there are {number}.",
                len(classes),
            ),
            remedy=say("Make another class, and collect pictures for it."),
            code="few_classes",
        )
    needs_scenes = has_bursts(classes)
    for each in classes:
        count = len(each.pictures)
        if count < FEWEST_PICTURES:
            raise StudioError(
                say_count(
                    "The class {name!r} has {number} picture; training and testing need "
                    "{fewest_pictures}.",
                    "The class {name!r} has {number} pictures; training and testing need "
                    "{fewest_pictures}.",
                    count,
                    name=each.name,
                    fewest_pictures=FEWEST_PICTURES,
                ),
                remedy=say("Collect more, or remove the class."),
                code="few_pictures",
                values={"name": each.name, "count": count, "fewest": FEWEST_PICTURES},
            )
        if needs_scenes and each.num_scenes < FEWEST_SCENES:
            raise StudioError(
                say_count(
                    "The pictures of {name!r} show {number} scene; training, validation and "
                    "test need {fewest_scenes}. Pictures of one scene are nearly the same, and "
                    "a test on them would give too high a score.",
                    "The pictures of {name!r} show {number} scenes; training, validation and "
                    "test need {fewest_scenes}. Pictures of one scene are nearly the same, and "
                    "a test on them would give too high a score.",
                    each.num_scenes,
                    name=each.name,
                    fewest_scenes=FEWEST_SCENES,
                ),
                remedy=say(
                    "Take another burst: at another place, in another light, from another side."
                ),
                code="few_scenes",
                values={"name": each.name, "count": each.num_scenes, "fewest": FEWEST_SCENES},
            )


def _shown(path: Path) -> str:
    """Return a path as it would be typed here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _name_source(folder: Path) -> str:
    """Return a folder as a source on the command line, where some words are none."""
    shown = _shown(folder)
    is_word = shown == "digits" or shown.startswith("-") or ":" in shown[2:]
    return f"folder:{shown}" if is_word else shown
