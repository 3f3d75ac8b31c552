"""The files of a picture, put into the site: from the derived store, or made anew."""

from __future__ import annotations

import base64
import os
import time
from itertools import chain, starmap, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.pictures.derived import DerivedStore
from mkdocs_imagegen.pictures.glance import Glance, Stamp
from mkdocs_imagegen.pictures.picture import SITE_FOLDER, Picture, Source
from mkdocs_imagegen.pictures.variants import MIMES, Plan

if TYPE_CHECKING:
    from mkdocs_imagegen.pictures.placeholder import StandIn


class Deriver:
    """Puts the files of pictures into the site.

    Args:
        store: where variants are kept between builds.
        site: the folder of the site; None to fill the store alone.
    """

    def __init__(self, store: DerivedStore, site: Path | None) -> None:
        self._store = store
        self._site = site
        self._has_folder = False
        self._stand_ins: set[str] = set()

    def find(self, plan: Plan) -> Picture | None:
        """The picture, its files in the site, if the store has all of them."""
        return self._found_at_a_glance(plan) or self._found(plan)

    def _found_at_a_glance(self, plan: Plan) -> Picture | None:
        glance = self._store.glances.find(plan.key) if self._site else None
        if glance is None or bool(glance.blur) != plan.has_blur:
            return None
        files = {key: self._path(name) for key, name in plan.files.items()}
        is_there = self._store.link_at_a_glance(files, glance.stamps)
        if plan.has_blur:
            self._store.note_use(plan.blur_key)  # needed if the glance is ever lost
        return picture_of(plan, glance.blur) if is_there else None

    def _found(self, plan: Plan) -> Picture | None:
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
        return picture_of(plan, blur)

    def make(self, plan: Plan, content: bytes) -> Picture:
        """The picture, its files made of the original's bytes where the store has them not.

        Raises:
            PictureError: the bytes are no picture.
        """
        # A build in which all is there encodes nothing.
        from mkdocs_imagegen.pictures.encode import blurred, encode, plain  # noqa: PLC0415

        every = chain.from_iterable(plan.variants)
        files = dict(zip(every, plan.files.items(), strict=True))
        missing = [variant for variant, file in files.items() if self._link(*file) is None]
        image = plain(content)
        for variant, encoded in encode(image, missing):
            key, name = files[variant]
            self._store.write(key, encoded)
            self._put(name, encoded)
        blur = blurred(image, plan.size, plan.focus) if plan.has_blur else b""
        if blur:
            self._store.write(plan.blur_key, blur)
        return picture_of(plan, blur)

    def stand_in(self, stand_in: StandIn) -> Picture:
        """The stand-in's picture, its file in the site."""
        if stand_in.picture.name not in self._stand_ins:
            self._put(stand_in.picture.name, stand_in.content)
            self._stand_ins.add(stand_in.picture.name)
        return stand_in.picture

    def rest(self) -> None:
        """Keep no more in memory than what pages need."""
        self._store.rest()

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

    def _put(self, name: str, content: bytes) -> None:
        if self._site is None:
            return
        path = Path(self._path(name))
        # Never into a file that is there: it may be a link to what the store keeps.
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_bytes(content)
        os.replace(temporary, path)  # noqa: PTH105 - atomic on every system


class Describer:
    """Says what pages would show, and writes nothing."""

    def find(self, plan: Plan) -> Picture | None:
        """The picture."""
        return picture_of(plan, b"")

    def make(self, plan: Plan, content: bytes) -> Picture:  # noqa: ARG002 - as a Deriver takes them
        """The picture."""
        return picture_of(plan, b"")

    def stand_in(self, stand_in: StandIn) -> Picture:
        """The stand-in's picture."""
        return stand_in.picture

    def rest(self) -> None:
        """Nothing is in memory."""

    def close(self) -> None:
        """Nothing is open."""


def picture_of(plan: Plan, blur: bytes) -> Picture:
    """What the page says of the picture: its files by format, and the blurred pixels."""
    names = iter(plan.files.values())
    sources = tuple(
        Source(
            MIMES[variants[0].encoding.format],
            tuple((next(names), variant.size.width) for variant in variants),
        )
        for variants in plan.variants
    )
    data = f"data:image/webp;base64,{base64.b64encode(blur).decode()}" if blur else ""
    return Picture(sources, plan.size, data)
