"""The files of an image, from the variant cache or encoded, in the site."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, starmap, takewhile
from pathlib import Path
from typing import Protocol

from mkdocs_imagegen.derived.stat_index import FileStat, IndexEntry
from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.imaging.decode import DecodedImage, ImageInput, decode_image
from mkdocs_imagegen.imaging.image import SITE_FOLDER, ImageSource, PageImage
from mkdocs_imagegen.imaging.variants import VariantPlan
from mkdocs_imagegen.originals.judge import Defect, Original, differences
from mkdocs_imagegen.originals.record import Record

PlanOf = Callable[[Record], VariantPlan]


class VariantBuilder(Protocol):
    """The builder of the files that pages show.

    Attributes:
        defects: Records that differ from their images, by cache key.
    """

    defects: dict[str, Defect]

    def find(self, plan: VariantPlan) -> PageImage | None:
        """Return the image, or None if one of its files has to be encoded."""

    def build(self, original: Original, image: ImageInput, plan_of: PlanOf, /) -> PageImage:
        """Return the image after encoding the files that are missing.

        Args:
            original: Original of the image; if its record differs from its image, the image counts.
            image: Bytes of the original, or its image if it is decoded already.
            plan_of: Function that returns the files of a record.

        Raises:
            ImageError: If the bytes are not an image of a supported format and size.
            OSError: If a file cannot be written.
        """

    def add_file(self, name: str, content: bytes) -> None:
        """Write a file that is no variant, by its path below the site's root, once."""

    def release_index(self) -> None:
        """Release the memory of the stat index; a later lookup loads it again."""

    def close(self) -> None:
        """Close the variant cache."""


class DryRunVariantBuilder:
    """A builder for commands that show no pages: it names one file of an image, and writes none."""

    def __init__(self) -> None:
        self.defects: dict[str, Defect] = {}

    def find(self, plan: VariantPlan) -> PageImage | None:
        """Return the image."""
        return _largest_file(plan)

    def build(self, original: Original, _image: ImageInput, plan_of: PlanOf, /) -> PageImage:
        """Return the image."""
        return _largest_file(plan_of(original.record))

    def add_file(self, name: str, content: bytes) -> None:
        """Do nothing: no file is written."""

    def release_index(self) -> None:
        """Do nothing: no index is loaded."""

    def close(self) -> None:
        """Do nothing: no cache is open."""


class FileVariantBuilder:
    """A builder that writes files to the site and keeps them in the variant cache.

    Args:
        store: Variant cache.
        site: Folder of the site; None fills the variant cache alone.

    Attributes:
        defects: Records that differ from their images, by cache key.
    """

    def __init__(self, store: DerivedStore, site: Path | None) -> None:
        self._store = store
        self._site = site
        self._has_folder = False
        self._files = _FilesInProgress()
        self._added: set[str] = set()
        self.defects: dict[str, Defect] = {}

    def find(self, plan: VariantPlan) -> PageImage | None:
        """Return the image with its files in the site if the cache has all of them."""
        return self._find_by_index(plan) or self._find_by_content(plan)

    def _find_by_index(self, plan: VariantPlan) -> PageImage | None:
        entry = self._store.stat_index.find(plan.key) if self._site else None
        if entry is None or bool(entry.blur) != plan.has_blur:
            return None
        files = {key: self._path(name) for key, name in plan.files.items()}
        is_linked = self._store.link_unread(files, entry.stats)
        if plan.has_blur:
            self._store.note_use(plan.blur_key)  # a build without the index reads it
        return _page_image(plan, entry.blur) if is_linked else None

    def _find_by_content(self, plan: VariantPlan) -> PageImage | None:
        blur = self._store.read(plan.blur_key) if plan.has_blur else b""
        if blur is None:
            return None
        links = takewhile(bool, starmap(self._link, plan.files.items()))
        stats = [each for each in links if each]
        if len(stats) < len(plan.files):
            return None
        now = time.time()  # comparable with the times of files
        if all(each.is_settled(now) for each in stats):
            self._store.stat_index.add(plan.key, IndexEntry(tuple(stats), blur))
        return _page_image(plan, blur)

    def build(self, original: Original, image: ImageInput, plan_of: PlanOf, /) -> PageImage:
        """Return the image after encoding the files that the cache lacks; any thread may call it.

        Files that another call is encoding at the moment are waited for.

        Args:
            original: Original of the image; if its record differs from its image, the image counts.
            image: Bytes of the original, or its image if it is decoded already.
            plan_of: Function that returns the files of a record.

        Raises:
            ImageError: If the bytes are not an image of a supported format and size.
            OSError: If a file cannot be written, here or by the call that was waited for.
        """
        # Imports Pillow, which takes 60 ms that a build without new files saves.
        from mkdocs_imagegen.imaging.encode import (  # noqa: PLC0415
            convert_to_srgb,
            encode_blur,
            encode_variants,
        )

        decoded = image if isinstance(image, DecodedImage) else decode_image(image)
        pixels = convert_to_srgb(decoded)
        record = original.record.with_facts(decoded.facts)
        plan = plan_of(record)
        path = original.folder / f"{record.key}.json"
        if defect := differences(path, original.record, record):
            self.defects[record.key] = defect
        files = dict(zip(chain.from_iterable(plan.variants), plan.files.items(), strict=True))
        elsewhere: list[_Work] = []
        # Size by size: calls that share files divide them instead of one waiting for the other.
        for of_one_size in zip(*plan.variants, strict=True):
            names = [files[variant][1] for variant in of_one_size]
            with self._files.claimed(names) as (claimed, in_flight):
                mine = {each: files[each] for each in of_one_size if files[each][1] in claimed}
                missing = [variant for variant, file in mine.items() if self._link(*file) is None]
                for variant, encoded in encode_variants(pixels, missing):
                    key, name = files[variant]
                    self._store.write(key, encoded)
                    self._write(name, encoded)
            elsewhere += in_flight
        blur = encode_blur(pixels, plan.size, plan.focus) if plan.has_blur else b""
        if blur:
            self._store.write(plan.blur_key, blur)
        for work in elsewhere:
            work.wait()
        return _page_image(plan, blur)

    def add_file(self, name: str, content: bytes) -> None:
        """Write a file that is no variant, by its path below the site's root, once."""
        if name not in self._added:
            self._write(name, content)
            self._added.add(name)

    def release_index(self) -> None:
        """Release the memory of the stat index; a later lookup loads it again."""
        self._store.release_index()

    def close(self) -> None:
        """Close the variant cache."""
        self._store.close()

    def _link(self, key: str, name: str) -> FileStat | None:
        if self._site is None:
            return self._store.verify(key)
        return self._store.link(key, Path(self._path(name)))

    def _path(self, name: str) -> str:
        """Return the path of a file in the site, whose folder exists."""
        if not self._has_folder:
            Path(f"{self._site}/{SITE_FOLDER}").mkdir(parents=True, exist_ok=True)
            self._has_folder = True
        return f"{self._site}/{name}"

    def _write(self, name: str, content: bytes) -> None:
        if self._site is not None:
            write_atomic(Path(self._path(name)), content, sync=False)


class _Work:
    """Files that one thread is completing."""

    # A future would do, but importing it costs a build that encodes no file.

    def __init__(self) -> None:
        self._has_ended = threading.Event()
        self._error: BaseException | None = None

    def end(self, error: BaseException | None = None) -> None:
        """Release every thread that waits, with an error if the files are not complete."""
        self._error = error
        self._has_ended.set()

    def wait(self) -> None:
        """Wait until the files are complete; raise the error of the other thread."""
        self._has_ended.wait()
        if self._error is not None:
            raise self._error


class _FilesInProgress:
    """Files that one build completes, each in one thread.

    A thread waits only after it has completed all files that it has claimed, and only a running
    thread claims a file. So no two threads wait for each other, however few there are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_flight: dict[str, _Work] = {}
        self._completed: set[str] = set()

    @contextlib.contextmanager
    def claimed(self, names: Sequence[str]) -> Iterator[tuple[set[str], set[_Work]]]:
        """Claim files for the time of the context, which has to complete them.

        An exception in the context reaches every thread that waits for one of the files; a later
        claim tries again.

        Args:
            names: Paths of files below the site.

        Yields:
            The names that are claimed, neither completed nor claimed elsewhere, and the work of
            the threads that have claimed the others.
        """
        work = _Work()
        with self._lock:
            in_flight = {self._in_flight[name] for name in names if name in self._in_flight}
            claimed = set(names) - self._in_flight.keys() - self._completed
            self._in_flight |= dict.fromkeys(claimed, work)
        try:
            yield claimed, in_flight
        except BaseException as error:
            self._release(claimed)
            work.end(error)
            raise
        self._release(claimed, claimed)
        work.end()

    def _release(self, names: set[str], completed: Iterable[str] = ()) -> None:
        with self._lock:
            self._completed.update(completed)
            for name in names:
                del self._in_flight[name]


def _page_image(plan: VariantPlan, blur: bytes) -> PageImage:
    names = iter(plan.files.values())
    sources = tuple(
        ImageSource(
            f"image/{variants[0].encoding.format}",
            tuple((next(names), variant.size.width) for variant in variants),
        )
        for variants in plan.variants
    )
    data = f"data:image/webp;base64,{base64.b64encode(blur).decode()}" if blur else ""
    return PageImage(sources, plan.size, data)


def _largest_file(plan: VariantPlan) -> PageImage:
    """Return the image with its largest file alone: a command has all images in memory."""
    variant, (*_, name) = plan.variants[-1][-1], plan.files.values()
    source = ImageSource(f"image/{variant.encoding.format}", ((name, variant.size.width),))
    return PageImage((source,), plan.size)
