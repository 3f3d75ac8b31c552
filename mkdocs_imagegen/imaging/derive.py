"""The files of an image, put into the site: from the derived store, or made anew."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, starmap, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mkdocs_imagegen.derived.stat_index import Glance, Stamp
from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.imaging.image import SITE_FOLDER, ImageSource, PageImage
from mkdocs_imagegen.imaging.variants import MIMES, VariantPlan

if TYPE_CHECKING:
    from mkdocs_imagegen.imaging.placeholder import Placeholder


class VariantBuilder(Protocol):
    """The role of a site's builder of image files."""

    def find(self, plan: VariantPlan) -> PageImage | None:
        """Return the image, or None if one of its files has to be built."""

    def build(self, plan: VariantPlan, content: bytes, /) -> PageImage:
        """Return the image after building its missing files from the bytes of the original.

        Raises:
            ImageError: If the bytes are not a supported image.
        """

    def add_placeholder(self, placeholder: Placeholder) -> PageImage:
        """Return the image of a placeholder after adding its file to the site."""

    def release_index(self) -> None:
        """Release the memory of the index of files; later lookups load it again."""

    def close(self) -> None:
        """Close the variant cache."""


class FileVariantBuilder:
    """Puts the files of images into the site.

    Args:
        store: where variants are kept between builds.
        site: the folder of the site; None to fill the store alone.
    """

    def __init__(self, store: DerivedStore, site: Path | None) -> None:
        self._store = store
        self._site = site
        self._has_folder = False
        self._files = _Files()
        self._stand_ins: set[str] = set()

    def find(self, plan: VariantPlan) -> PageImage | None:
        """The image, its files in the site, if the store has all of them."""
        return self._found_at_a_glance(plan) or self._found(plan)

    def _found_at_a_glance(self, plan: VariantPlan) -> PageImage | None:
        glance = self._store.glances.find(plan.key) if self._site else None
        if glance is None or bool(glance.blur) != plan.has_blur:
            return None
        files = {key: self._path(name) for key, name in plan.files.items()}
        is_there = self._store.link_at_a_glance(files, glance.stamps)
        if plan.has_blur:
            self._store.note_use(plan.blur_key)  # needed if the glance is ever lost
        return page_image(plan, glance.blur) if is_there else None

    def _found(self, plan: VariantPlan) -> PageImage | None:
        blur = self._store.read(plan.blur_key) if plan.has_blur else b""
        if blur is None:
            return None
        links = takewhile(bool, starmap(self._link, plan.files.items()))
        stamps = [each for each in links if each]
        if len(stamps) < len(plan.files):
            return None
        now = time.time()  # the clock that dates files
        if all(each.is_settled(now) for each in stamps):
            self._store.glances.add(plan.key, Glance(tuple(stamps), blur))
        return page_image(plan, blur)

    def build(self, plan: VariantPlan, content: bytes) -> PageImage:
        """Return the image after encoding the files that the store lacks; any thread may call it.

        Files that another call is encoding at the moment are waited for.

        Args:
            plan: Files of the image.
            content: Bytes of the original.

        Raises:
            ImageError: If the bytes are not a supported image.
            OSError: If a file cannot be written, here or by the call that was waited for.
        """
        # A build that encodes no file does not import the encoder.
        from mkdocs_imagegen.imaging.encode import encode_blur, encode_variants, open_srgb  # noqa: PLC0415

        image = open_srgb(content)
        files = dict(zip(chain.from_iterable(plan.variants), plan.files.items(), strict=True))
        elsewhere: list[_Work] = []
        # Size by size: calls that share files divide them instead of one waiting for the other.
        for of_one_size in zip(*plan.variants, strict=True):
            names = [files[variant][1] for variant in of_one_size]
            with self._files.claimed(names) as (claimed, in_flight):
                mine = {each: files[each] for each in of_one_size if files[each][1] in claimed}
                missing = [variant for variant, file in mine.items() if self._link(*file) is None]
                for variant, encoded in encode_variants(image, missing):
                    self._keep(*files[variant], encoded)
            elsewhere += in_flight
        blur = encode_blur(image, plan.size, plan.focus) if plan.has_blur else b""
        if blur:
            self._store.write(plan.blur_key, blur)
        for work in elsewhere:
            work.wait()
        return page_image(plan, blur)

    def add_placeholder(self, placeholder: Placeholder) -> PageImage:
        """The stand-in's image, its file in the site."""
        if placeholder.image.name not in self._stand_ins:
            self._put(placeholder.image.name, placeholder.content)
            self._stand_ins.add(placeholder.image.name)
        return placeholder.image

    def release_index(self) -> None:
        """Keep no more in memory than what pages need."""
        self._store.release_index()

    def close(self) -> None:
        """Close the derived store."""
        self._store.close()

    def _link(self, key: str, name: str) -> Stamp | None:
        if self._site is None:
            return self._store.verify(key)
        return self._store.link(key, Path(self._path(name)))

    def _path(self, name: str) -> str:
        """Of a file in the site; its folder is there."""
        if not self._has_folder:
            Path(f"{self._site}/{SITE_FOLDER}").mkdir(parents=True, exist_ok=True)
            self._has_folder = True
        return f"{self._site}/{name}"

    def _keep(self, key: str, name: str, content: bytes) -> None:
        self._store.write(key, content)
        self._put(name, content)

    def _put(self, name: str, content: bytes) -> None:
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
        """Wait until the files are complete; raises the error of the other thread."""
        self._has_ended.wait()
        if self._error is not None:
            raise self._error


class _Files:
    """Files that one build completes, each in one thread.

    A thread waits only after it has completed all that it has claimed, and a file is claimed only
    by a thread that is running: no two threads wait for each other, however few there are.
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


class DryRunVariantBuilder:
    """Says what pages would show, and writes nothing."""

    def find(self, plan: VariantPlan) -> PageImage | None:
        """The image."""
        return page_image(plan, b"")

    def build(self, plan: VariantPlan, content: bytes) -> PageImage:  # noqa: ARG002 - as a FileVariantBuilder takes them
        """The image."""
        return page_image(plan, b"")

    def add_placeholder(self, placeholder: Placeholder) -> PageImage:
        """The stand-in's image."""
        return placeholder.image

    def release_index(self) -> None:
        """Nothing is in memory."""

    def close(self) -> None:
        """Nothing is open."""


def page_image(plan: VariantPlan, blur: bytes) -> PageImage:
    """What the page says of the image: its files by format, and the blurred pixels."""
    names = iter(plan.files.values())
    sources = tuple(
        ImageSource(
            MIMES[variants[0].encoding.format],
            tuple((next(names), variant.size.width) for variant in variants),
        )
        for variants in plan.variants
    )
    data = f"data:image/webp;base64,{base64.b64encode(blur).decode()}" if blur else ""
    return PageImage(sources, plan.size, data)
