"""Files of a source under a new name: by hard link, symbolic link, or copy."""

from __future__ import annotations

import contextlib
import errno
import operator
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unitalk.errors import LayoutError, UnitalkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from unitalk.choices import Link

# What link(2) answers where the file system has no hard links, where source and destination are on
# two of them, where a file has as many names as it may have, or where it belongs to somebody else.
_NO_HARD_LINK = {
    errno.EXDEV,
    errno.EPERM,
    errno.EACCES,
    errno.EMLINK,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
}

_MEND = "let the link lead to what it stands for"


@dataclass(slots=True)
class Placer:
    """Puts files of a source under a new name: by hard link, symbolic link, or copy.

    Attributes:
        link: "auto" is a hard link where the file system can, else a copy.
        placed: how many files were placed in each way; "sym" counts a linked folder once.
    """

    link: Link = "auto"
    placed: Counter[str] = field(default_factory=Counter)
    _above: dict[str, str] = field(default_factory=dict, repr=False)

    def file(self, source: str | Path, destination: str | Path) -> None:
        """Place one file; the destination must not exist.

        A source that is itself a symbolic link is followed, so that no chains of links arise.
        """
        if self.link == "sym":
            os.symlink(os.path.realpath(source), destination)
            self.placed["sym"] += 1
        elif self.link == "copy" or not self._hard_link(os.path.realpath(source), destination):
            shutil.copy2(source, destination)
            self.placed["copy"] += 1

    def tree(self, source: str | Path, destination: str | Path) -> None:
        """Place a folder and all that is in it; the destination must not exist.

        With symbolic links the folder itself becomes one link.

        Raises:
            LayoutError: a link in the folder leads nowhere, or back.
        """
        self._tree(os.path.realpath(source), destination, ())

    def _tree(self, real: str, destination: str | Path, above: tuple[str, ...]) -> None:
        if self.link == "sym":
            self._folder_link(real, destination)
            return
        if real in above:
            raise LayoutError(f"{above[-1]}: a link in it leads back to {real}", hint=_MEND)
        folders, names = {}, []
        with os.scandir(real) as listing:
            for entry in listing:
                # What is no link lies where it is listed: only links are looked up again.
                target = entry.path
                if entry.is_symlink():
                    target = os.path.realpath(target)
                    if not os.path.exists(target):
                        raise LayoutError(f"{entry.path}: a link that leads nowhere", hint=_MEND)
                if entry.is_dir():
                    folders[entry.name] = target
                else:
                    names.append(entry.name)
        os.mkdir(destination)
        self.into(real, destination, zip(names, names, strict=True))
        for name, inner in folders.items():
            self._tree(inner, os.path.join(destination, name), (*above, real))

    def files(self, source: str | Path, destination: str | Path, names: Mapping[str, str]) -> bool:
        """Place some files of a folder in a new one, each under a name of its own choice.

        With symbolic links and no name to change, the folder itself becomes one link.

        Args:
            source: a folder.
            destination: the folder to make; it must not exist, the one above it must.
            names: the name in the source -> the new name.

        Returns:
            Whether the folder became one link, and so shows what else is in it, too.
        """
        real = self._real(source)
        if self.link == "sym" and all(map(operator.eq, names, names.values())):
            self._folder_link(real, destination)
            return True
        os.mkdir(destination)
        self.into(real, destination, names.items())
        return False

    def into(
        self, source: str | Path, destination: str | Path, names: Iterable[tuple[str, str]]
    ) -> None:
        """Place files of a folder in another one that is there.

        Args:
            source: a folder.
            destination: a folder.
            names: the name in the source and the new name, which must be free.
        """
        real = self._real(source)
        with _opened_folder(real) as from_folder, _opened_folder(destination) as to_folder:
            # By open folders: the kernel need not walk two long paths for each of a million files,
            # and it follows symbolic links, which link(2) by path does not.
            for old, new in names:
                if self.link == "sym":
                    path = os.path.join(real, old)
                    target = os.path.realpath(path) if os.path.islink(path) else path
                    os.symlink(target, new, dir_fd=to_folder)
                    self.placed["sym"] += 1
                elif self.link == "copy" or not self._hard_link(old, new, from_folder, to_folder):
                    self.file(os.path.join(real, old), os.path.join(destination, new))

    def _real(self, folder: str | Path) -> str:
        """The path of a folder without links; what lies above many folders is looked up once."""
        above, name = os.path.split(folder)
        if name in {"", ".", ".."}:
            return os.path.realpath(folder)
        if above not in self._above:
            self._above[above] = os.path.realpath(above)
        path = os.path.join(self._above[above], name)
        return os.path.realpath(path) if os.path.islink(path) else path

    def _hard_link(
        self,
        source: str | Path,
        destination: str | Path,
        from_folder: int | None = None,
        to_folder: int | None = None,
    ) -> bool:
        """Make a hard link where that is possible.

        Raises:
            UnitalkError: it is not possible, and nothing else will do.
        """
        try:
            os.link(source, destination, src_dir_fd=from_folder, dst_dir_fd=to_folder)
        except OSError as error:
            if error.errno not in _NO_HARD_LINK:
                raise
            if self.link == "auto":
                return False
            raise UnitalkError(
                f"no hard link from {source} to {destination} is possible: {error.strerror}",
                hint="use `link='auto'`, `link='copy'` or `link='sym'`",
            ) from error
        self.placed["hard"] += 1
        return True

    def _folder_link(self, real: str, destination: str | Path) -> None:
        os.symlink(real, destination, target_is_directory=True)
        self.placed["sym"] += 1


@contextlib.contextmanager
def _opened_folder(path: str | Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)
