"""The folders that belong to an originals folder, and the notes about who uses which folder.

``cache_dir/folders.json`` lists the originals folders that builds have used, relative to the cache
folder. So an original is found after `originals_dir` has changed. ``work/users.json`` in an
originals folder lists the configuration files that use it, relative to that folder. So `prune`
knows whose pages to read. Both are lists of paths with slashes.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.files import read_plain_file, write_atomic, write_first
from mkdocs_imagegen.settings import DEFAULT_CACHE_DIR, DEFAULT_ORIGINALS_DIR, Settings

_MAX_NOTES_BYTES = 1_000_000
_FOLDERS = "folders.json"
_USERS = "users.json"
_MIKE = "mike-mkdocs"
"""Start of the name of mike's temporary configuration file, next to the site's own."""


def earlier_folders(settings: Settings) -> tuple[Path, ...]:
    """Return the other folders that may have originals of the site, if they exist.

    These are the folders that were noted, and the defaults of this version and of earlier ones.
    """
    root, own = settings.root.absolute(), settings.originals_path
    caches = _caches(settings)
    known = [path for cache in caches for path in _read_paths(cache / _FOLDERS, cache)]
    known += [root / DEFAULT_ORIGINALS_DIR, *(cache / "originals" for cache in caches)]
    # `Path.is_dir` raises an error for a name that is too long.
    is_folder = os.path.isdir
    return tuple(path for path in dict.fromkeys(known) if path != own and is_folder(path))


def earlier_journals(settings: Settings) -> list[Path]:
    """Return the folders of journals that earlier versions kept in the cache folder."""
    return [path for cache in _caches(settings) for path in sorted(cache.glob("journal*"))]


def users_of(folder: Path) -> list[Path]:
    """Return the configuration files that are noted as users of an originals folder.

    Raises:
        StoreError: If the notes cannot be read, and so the users are unknown.
    """
    path = folder / "work" / _USERS
    found = _read_paths(path, folder)
    if not found and os.path.lexists(path):
        hint = "delete it, then build each site that uses the originals folder"
        raise StoreError(f"the list of sites in {path} cannot be read", hint=hint)
    return found


def note_use(settings: Settings) -> None:
    """Note that the site uses its originals folder; a note that cannot be written is left out."""
    folder, cache = settings.originals_path, settings.cache_path
    if not folder.is_dir():
        return
    _add_path(cache / _FOLDERS, cache, folder)
    user = settings.config_file or settings.root / settings.config_name
    users = folder / "work" / _USERS
    is_damaged = os.path.lexists(users) and not _read_paths(users, folder)
    # A damaged list stays, so that `prune` does not remove the images of its sites.
    if not user.name.startswith(_MIKE) and not is_damaged:
        _add_path(users, folder, user.absolute())


def create_folder(folder: Path) -> bool:
    """Create an originals folder, and return True if it has no originals yet.

    Line ends of the files must not be changed by git, and working files must not be committed.

    Raises:
        OSError: If it cannot be created.
    """
    create_work_folder(folder / "work")
    if not (folder / ".gitattributes").exists():
        write_first(folder / ".gitattributes", b"* -text\n")
    return not any(folder.glob(f"??/{'?' * 64}.json"))  # attempts have a longer name


def create_work_folder(work: Path) -> None:
    """Create a folder of working files that git ignores.

    Raises:
        OSError: If it cannot be created.
    """
    if not (work / ".gitignore").exists():
        write_first(work / ".gitignore", b"*\n")


def _caches(settings: Settings) -> list[Path]:
    default = settings.root.absolute() / DEFAULT_CACHE_DIR
    return list(dict.fromkeys([settings.cache_path, default]))


def _read_paths(path: Path, base: Path) -> list[Path]:
    try:
        names = json.loads(read_plain_file(path, _MAX_NOTES_BYTES))
        is_valid = "\0" not in "".join(names)
        return [Path(os.path.normpath(base / name)) for name in names if is_valid]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _add_path(path: Path, base: Path, noted: Path) -> None:
    known = _read_paths(path, base)
    if noted in known:
        return
    with contextlib.suppress(OSError):
        if path.parent.name == "work":
            create_work_folder(path.parent)
        names = sorted(_relative(each, base) for each in (*known, noted))
        write_atomic(path, (json.dumps(names, indent=2) + "\n").encode())


def _relative(path: Path, base: Path) -> str:
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()
