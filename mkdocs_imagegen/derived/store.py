"""The cache of what can be made again: sizes of images, placeholders, small facts.

It may be lost at any time, and it may have come from elsewhere, as in a CI cache. So nothing in
it is trusted, nothing in it is ever executed, and whatever is wrong with it is a miss: a build
goes on without it. Every value carries a seal, a hash of its key and its bytes, so that damage is
noticed; a seal does not prove who wrote it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mkdocs_imagegen.derived.errors import MAX_VALUE_BYTES, BusyError, UnfitError
from mkdocs_imagegen.derived.sealed import Value, read_value, seal_of
from mkdocs_imagegen.derived.setting_aside import identity, set_aside
from mkdocs_imagegen.derived.stat_index import Glances, Stamp
from mkdocs_imagegen.files import write_atomic

if TYPE_CHECKING:
    from mkdocs_imagegen.derived.strict_cache import Entry, StrictCache

_KEY = re.compile("[0-9a-f]{64}")
_GLANCES = hashlib.sha256(b"glances").hexdigest()
_MAX_MOVES = 3
"""How often other builds may exchange the folder while this one opens it."""
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_T = TypeVar("_T")


class DerivedStore:
    """A disposable cache of bytes by key, for one build; several threads and builds may use it.

    Opened at its first use, and made by the first write. After ``close``, and where it cannot be
    opened, every read is a miss and every write does nothing.

    Args:
        folder: where it is; everything in this folder belongs to it.
        warn: called with a text, once, when the cache is left out or was set aside.
        remark: called instead, once, when it is left out because another program holds it.
        size_limit_bytes: how much may stay when it is closed.
        clock: the time in seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        warn: Callable[[str], None],
        *,
        remark: Callable[[str], None] | None = None,
        size_limit_bytes: int = 2_000_000_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._warn = warn
        self._remark = remark
        self._size_limit_bytes = size_limit_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._cache: StrictCache | None = None
        self._seen: tuple[int, int] | None = None
        self._was_there = False
        self._is_over = False
        self._was_set_aside = False
        self._is_full = False
        self._has_written = False
        self._used = bytearray()  # keys, one after the other: a site has tens of thousands

    def read(self, key: str) -> bytes | None:
        """The value of a key, verified; None if there is none.

        Raises:
            ValueError: the key is not 64 hex digits.
        """
        value = self._find(key)
        return value.content if value else None

    def link(self, key: str, path: Path) -> Stamp | None:
        """Put the value, verified, into a file; None if there is none.

        The file is a hard link into the cache where there is no file yet and the file system
        allows it: who changes it in place loses the value in the cache, and nothing else.

        Args:
            key: 64 hex digits.
            path: the file, replaced if it is there; its folder must be.

        Raises:
            ValueError: the key is not 64 hex digits.
            OSError: the file cannot be written.
        """
        value = self._find(key)
        if value is None:
            return None
        try:
            os.link(value.path, path)
        except OSError:
            write_atomic(path, value.content, sync=False)
        return value.stamp

    def verify(self, key: str) -> Stamp | None:
        """What the file of a value looks like, which is verified; None if there is none.

        Raises:
            ValueError: the key is not 64 hex digits.
        """
        value = self._find(key)
        return value.stamp if value else None

    def link_at_a_glance(self, files: Mapping[str, str], stamps: Sequence[Stamp]) -> bool:
        """Link values into files without reading them; whether all are there and look unchanged.

        Where it cannot, some of the files may be there already.

        Args:
            files: the paths of the files by the keys of their values; their folders must be.
            stamps: what the values looked like when they were verified, in the same order.
        """
        cache = self._cache  # another thread may find it broken, and close it
        if len(files) != len(stamps) or cache is None:
            return False
        for stamp, path in zip(stamps, files.values(), strict=True):
            if not cache.link(stamp, path):
                return False
        self.note_use(*files)
        return True

    def note_use(self, *keys: str) -> None:
        """Take in that values are wanted, though none may be read, by keys of 64 hex digits."""
        self._used += bytes.fromhex("".join(keys))

    @cached_property
    def glances(self) -> Glances:
        """What earlier builds have verified; what is added is kept, if that can be done."""
        return Glances(self.read(_GLANCES) or b"")

    def release_index(self) -> None:
        """Let go of what only serves to find images; to find more, it is read again."""
        if "glances" in self.__dict__ and not self.glances.is_changed:
            del self.glances

    def write(self, key: str, content: bytes) -> None:
        """Keep a value, in place of the one that is there; up to 64 MB, more is not kept.

        Raises:
            ValueError: the key is not 64 hex digits.
            TypeError: the content is no bytes.
        """
        _check_key(key)
        if not isinstance(content, bytes):
            raise TypeError(f"bytes are kept, not {type(content).__name__}")
        if len(content) > MAX_VALUE_BYTES or self._is_full:
            return
        seal = seal_of(key, content)
        self._do(lambda cache: self._keep(cache, key, content, seal), can_generate=True)

    def close(self) -> None:
        """Note what was used, delete what is too much, and close."""
        if self._process != os.getpid():
            return
        with self._lock:
            if self._cache is not None:
                # What fails here was only tidying, which the next build does.
                with contextlib.suppress(Exception):
                    self._tidy(self._cache)
            self._end()

    def _find(self, key: str) -> Value | None:
        _check_key(key)
        before: Entry | None = None
        while True:
            entry = self._do(lambda cache: cache.look_up(key), can_generate=False)
            if entry is None or entry == before:
                return None
            value = read_value(key, entry.path, entry.seal)
            if value is not None:
                self.note_use(key)
                return value
            before = entry  # if it was replaced just then, there is another one now

    def _keep(self, cache: StrictCache, key: str, content: bytes, seal: str) -> None:
        try:
            cache.keep(key, content, seal)
        except UnfitError:
            raise
        except Exception as error:  # noqa: BLE001 - what is there can still be read
            self._is_full = True
            self._tell_of(error, "nothing more is put into it")
            return
        self.note_use(key)
        self._has_written = True

    def _tidy(self, cache: StrictCache) -> None:
        used = (self._used[at : at + 32].hex() for at in range(0, len(self._used), 32))
        cache.settle(used, self._clock(), self._size_limit_bytes)
        if self._has_written:
            cache.sweep()
        if "glances" in self.__dict__ and self.glances.is_changed:  # last: now there may be room
            content = self.glances.to_json()
            cache.keep(_GLANCES, content, seal_of(_GLANCES, content))

    def _do(self, act: Callable[[StrictCache], _T], *, can_generate: bool) -> _T | None:
        """What ``act`` gives; None without a cache."""
        if self._process != os.getpid():  # a connection does not survive a fork
            return None
        with self._lock:
            try:
                return self._persist(act, can_generate=can_generate)
            except Exception as error:  # noqa: BLE001 - no fault of a cache may end a build
                self._give_up(error)
        return None

    def _persist(self, act: Callable[[StrictCache], _T], *, can_generate: bool) -> _T | None:
        """The same, again as long as the folder turns out to be another one than it was."""
        for _ in range(_MAX_MOVES):
            try:
                return self._try(act, can_generate=can_generate)
            except UnfitError as error:
                self._set_aside(error)
            except Exception:
                self._close_cache()
                if identity(self._real_folder()) == self._seen:
                    raise
        return self._try(act, can_generate=can_generate)

    def _try(self, act: Callable[[StrictCache], _T], *, can_generate: bool) -> _T | None:
        if self._cache is None and not self._is_over:
            self._open(can_generate=can_generate)
        # Not by its truth: an empty cache counts as false.
        return act(self._cache) if self._cache is not None else None

    def _open(self, *, can_generate: bool) -> None:
        self._was_there = os.path.lexists(self.folder / "cache.db")
        if not self._was_there and not can_generate:
            return
        folder = self._real_folder()
        self._seen = identity(folder)

        # Takes a while to import, and a build without images needs none of it.
        from mkdocs_imagegen.derived.strict_cache import open_cache  # noqa: PLC0415

        self._cache = open_cache(folder)
        self._seen = identity(folder)

    def _set_aside(self, error: UnfitError) -> None:
        """Move the folder out of the way, unless another build does it.

        Raises:
            UnfitError: a new one is no better.
            OSError: it cannot be moved.
        """
        self._close_cache()
        if self._was_set_aside:
            raise error
        aside = set_aside(self._real_folder(), self._seen)
        if aside is not None:
            self._was_set_aside = True
            effect = f"it is not as it was left ({error}); moved to {aside.name}, and begun anew"
            self._warn(self._worded(effect))

    def _real_folder(self) -> Path:
        return Path(os.path.realpath(self.folder))

    def _give_up(self, error: Exception) -> None:
        self._end()
        is_read_only = isinstance(error, OSError) and error.errno in _READ_ONLY
        if is_read_only and not self._was_there:
            return  # there is nothing in it to miss
        self._tell_of(error, "this build does without it")

    def _tell_of(self, error: Exception, effect: str) -> None:
        # A cache that is only busy is nobody's fault, and must not fail a strict build.
        tell = self._remark if isinstance(error, BusyError) else self._warn
        if tell is not None:
            tell(self._worded(f"{effect}: {_reason(error)}"))

    def _worded(self, text: str) -> str:
        return f"{self.folder}: the cache of derived images: {text}. No original is affected"

    def _end(self) -> None:
        self._is_over = True
        self._close_cache()

    def _close_cache(self) -> None:
        cache, self._cache = self._cache, None
        if cache is not None:
            with contextlib.suppress(Exception):
                cache.close()


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"no key of 64 hex digits: {key!r}")


def _reason(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) else None
    return words or str(error) or type(error).__name__
