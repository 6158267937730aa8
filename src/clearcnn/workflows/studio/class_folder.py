"""A class folder that the studio changes: every change is atomic, and can be undone.

The folder is an ordinary one for `clearcnn train`: a folder for each class, with picture files.
Beside them, `.studio/`, which training ignores, has the undo journal and removed pictures. Removed
pictures stay there, so that undoing works after the studio was closed.
"""

import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from clearcnn import atomic_write, data
from clearcnn.data.safe_files import is_inside, reject_folder_link
from clearcnn.errors import ClearCNNError, DataError, StudioError
from clearcnn.language import say
from clearcnn.workflows.studio.check_folder import check_folder
from clearcnn.workflows.studio.class_listing import (
    Listing,
    PictureClass,
    list_folder,
    list_names,
)
from clearcnn.workflows.studio.folder_errors import (
    tell_missing,
    telling_missing,
    telling_trouble,
)
from clearcnn.workflows.studio.journal import Change, Journal
from clearcnn.workflows.studio.picture_names import (
    check_class_name,
    find_free,
    name_picture,
)

OWN = ".studio"
_REMOVED = f"{OWN}/removed"


class ClassFolder:
    """A class folder, open for changes by this process alone.

    Pictures are named "CLASS/FILE", as training names them. All methods may be called from any
    thread.

    Args:
      root: the folder; made if it does not exist.
    Raises:
      StudioError: it cannot be made or read, is not a plain class folder, or is open elsewhere.
      DataError: its `.studio` is a link, which could lead anywhere.
    """

    def __init__(self, root: Path) -> None:
        self.root = root = root.absolute()
        self._lock = threading.RLock()
        self._seen: Listing | None = None
        self._num_changes = 0
        with ExitStack() as stack:
            try:
                if root.is_dir():
                    check_folder(root)
                for own in (OWN, _REMOVED):
                    reject_folder_link(root / own)
                (root / _REMOVED).mkdir(parents=True, exist_ok=True)
                descriptor = os.open(root / OWN, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                is_ours = atomic_write.try_lock(descriptor)
            except ClearCNNError:
                raise
            except OSError as error:
                raise StudioError(
                    say(
                        "The class folder {root} cannot be opened: {reason}.",
                        root=root,
                        reason=error.strerror or error,
                    ),
                    remedy=say("Name a folder in which you may write."),
                ) from error
            if is_ours is False:
                raise StudioError(
                    say("Another studio has {root} open.", root=root),
                    remedy=say("Use its page, or stop it first."),
                )
            with telling_trouble():
                draft = atomic_write.open_draft(root / OWN, "incoming")
                self._draft = stack.enter_context(draft)
                self._journal = Journal(root / OWN / "journal.jsonl")
            stack.callback(self._journal.close)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Let other processes open the folder."""
        self._stack.close()

    def scan(self) -> tuple[PictureClass, ...]:
        """List the classes and their pictures, in natural order, as they are on the disk now."""
        return self._scan().classes

    def version(self) -> str:
        """Return a text that changes whenever the content of the folder does."""
        with self._lock, telling_missing(self.root):
            return f"{hash(self._measure()) & (2**64 - 1):x}"

    def path_of(self, picture: str) -> Path:
        """Return the path of a picture.

        Raises:
          StudioError: there is no such picture.
        """
        return self._find([picture])[0]

    def list_known(self, pictures: Sequence[str]) -> dict[str, Path]:
        """Return the paths of those pictures that exist."""
        known = self._scan().pictures
        return {picture: self.root / picture for picture in pictures if picture in known}

    def _find(self, pictures: Sequence[str]) -> list[Path]:
        """Return the paths of pictures; the folder is listed once for all."""
        known = self._scan().pictures
        for picture in pictures:
            if picture not in known:
                raise tell_missing(picture)
        return [self.root / picture for picture in pictures]

    def add(
        self,
        class_name: str,
        content: bytes,
        given_name: str,
        burst: str | None = None,
        batch: str = "",
    ) -> str:
        """Keep a picture.

        Args:
          class_name: of an existing class.
          content: a whole image file in a format that training reads.
          given_name: the file's name.
          burst: of a frame of a burst, its identifier.
          batch: as in `Change`.
        Returns:
          The picture. It is on the disk then: killing the process does not lose it.
        Raises:
          StudioError: the file cannot be read as an image, there is no such class, or the disk is
            full.
        """
        stem, suffix = name_picture(given_name, burst)
        _check_image(content, given_name)
        with self._changing():
            self._require_class(class_name)
            draft = self._draft / uuid.uuid4().hex
            try:
                draft.write_bytes(content)
                place = self._publish(draft, self.root / class_name, stem, suffix, burst)
            finally:
                draft.unlink(missing_ok=True)
            picture = f"{class_name}/{place.name}"
            try:
                self._journal.append(Change("add", batch, (("", picture),)))
            except OSError:
                place.unlink(missing_ok=True)
                raise
        return picture

    def move(self, pictures: Sequence[str], class_name: str, batch: str = "") -> list[str]:
        """Move pictures into another class.

        Returns:
          The pictures' new names.
        Raises:
          StudioError: a picture or the class does not exist, or the disk is full.
        """
        with self._changing():
            self._require_class(class_name)
            # Whatever lies there, pictures or not; some systems tell no capitals apart.
            taken = {each.name.casefold() for each in (self.root / class_name).iterdir()}
            renames = []
            given = list(dict.fromkeys(pictures))
            for picture, path in zip(given, self._find(given), strict=True):
                if path.parent.name == class_name:
                    continue
                name = find_free(path.name, taken)
                taken.add(name.casefold())
                renames.append((picture, f"{class_name}/{name}"))
            self._rename("move", batch, renames)
            return [to for _, to in renames]

    def remove(self, pictures: Sequence[str], batch: str = "") -> None:
        """Remove pictures; they are kept for `undo`.

        Raises:
          StudioError: a picture does not exist, or the disk is full.
        """
        with self._changing():
            given = list(dict.fromkeys(pictures))
            renames = [
                (picture, f"{_REMOVED}/{uuid.uuid4().hex}{path.suffix}")
                for picture, path in zip(given, self._find(given), strict=True)
            ]
            self._rename("remove", batch, renames)

    def add_class(self, name: str, batch: str = "") -> str:
        """Make a class, and return its name as it is on the disk.

        Raises:
          StudioError: the name is not valid or taken, or the disk is full.
        """
        with self._changing():
            name = check_class_name(name, {each.name.casefold() for each in self.scan()})
            (self.root / name).mkdir()
            try:
                self._journal.append(Change("new_class", batch, (("", name),)))
            except OSError:
                (self.root / name).rmdir()
                raise
            return name

    def rename_class(self, old: str, new: str) -> str:
        """Rename a class, and return its new name as it is on the disk.

        Raises:
          StudioError: there is no such class, the new name is not valid or taken, or the disk is
            full.
        """
        with self._changing():
            self._require_class(old)
            others = {each.name.casefold() for each in self.scan() if each.name != old}
            new = check_class_name(new, others)
            if new != old:
                self._rename("rename_class", "", [(old, new)])
            return new

    def remove_class(self, name: str) -> None:
        """Remove a class with its pictures, which are kept for `undo`.

        Raises:
          StudioError: there is no such class, or the disk is full.
        """
        with self._changing():
            self._require_class(name)
            self._rename("remove_class", "", [(name, f"{_REMOVED}/{uuid.uuid4().hex}")])

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return not self._journal.is_empty

    def undo(self) -> tuple[str, int] | None:
        """Undo the last change, or the last changes if they are of one batch.

        Returns:
          (the kind of the change, how many pictures or classes it reversed); None if there is
          nothing to undo.
        Raises:
          StudioError: the disk is full.
        """
        with self._changing():
            batch = self._journal.last_batch()
            count = 0
            for change in batch:
                for source, target in reversed(change.renames):
                    count += self._reverse(source, target)
                self._journal.drop_last()
            return (batch[0].kind, count) if batch else None

    def _reverse(self, source: str, target: str) -> bool:
        """Reverse one rename; not if it did not take place, or its place is taken by now.

        The journal may come from elsewhere, so nothing is moved through a link out of the folder.
        """
        here = self.root / target
        if not os.path.lexists(here) or not is_inside(here.parent, self.root):
            return False
        if source:
            there = self.root / source
            if os.path.lexists(there) or not there.parent.is_dir():
                return False
            if not is_inside(there.parent, self.root):
                return False
            here.rename(there)
        elif here.is_dir():
            if any(here.iterdir()):
                return False
            here.rmdir()
        else:
            here.rename(self.root / _REMOVED / f"{uuid.uuid4().hex}{here.suffix}")
        return True

    def _rename(self, kind: str, batch: str, renames: Sequence[tuple[str, str]]) -> None:
        if not renames:
            return
        self._journal.append(Change(kind, batch, tuple(renames)))
        for source, target in renames:
            (self.root / source).rename(self.root / target)

    def _publish(
        self, draft: Path, folder: Path, stem: str, suffix: str, burst: str | None
    ) -> Path:
        for number in range(1, 1_000_000):
            if burst is not None:
                name = f"{stem}{number:03}{suffix}"
            else:
                name = f"{stem}{suffix}" if number == 1 else f"{stem} ({number}){suffix}"
            place = folder / name
            if os.path.lexists(place):
                continue
            with suppress(FileExistsError):
                atomic_write.publish(draft, place)
                return place
        raise StudioError(
            say("{folder} has too many files named {stem}.", folder=folder, stem=stem),
            remedy=say("Rename the file."),
        )

    def _require_class(self, name: str) -> None:
        # Without listing pictures, of which there may be thousands.
        if name not in list_names(self.root):
            raise StudioError(
                say("There is no class {name!r} any more.", name=name[:100]),
                remedy=say(
                    "It was renamed or removed, maybe in another tab; choose another class."
                ),
                code="no_class",
                values={"name": name[:100]},
            )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock, telling_trouble():
            try:
                yield
            finally:
                self._num_changes += 1

    def _measure(self) -> object:
        """Return what changes with the content: a time for each folder, and our own changes."""
        names = list_names(self.root)
        times = []
        for name in sorted(names):
            with suppress(FileNotFoundError):  # Deleted by another program meanwhile.
                times.append((name, (self.root / name).stat().st_mtime_ns))
        return (self._num_changes, tuple(times))

    def _scan(self) -> Listing:
        """List the folder, unless it is as it was."""
        with self._lock, telling_missing(self.root):
            version = self._measure()
            if self._seen is None or self._seen.version != version:
                self._seen = list_folder(self.root, version)
            return self._seen


def _check_image(content: bytes, name: str) -> None:
    """Decode a file, so that a broken one is refused where it comes from."""
    try:
        data.prepare_image(
            content,
            name[:100],
            size=(8, 8),
            color_mode="rgb",
            dtype="uint8",
            value_range=(0, 255),
        )
    except DataError as error:
        raise StudioError(
            error.problem,
            remedy=say("Open it in another program and save it as PNG or JPEG."),
            code="unreadable",
            values={"name": name[:100]},
        ) from error
