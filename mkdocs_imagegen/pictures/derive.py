"""The files of a picture, put into the site: from the derived store, or made anew."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from mkdocs_imagegen.pictures.derived import DerivedStore
from mkdocs_imagegen.pictures.encode import blurred, encode, plain
from mkdocs_imagegen.pictures.picture import Picture, Source
from mkdocs_imagegen.pictures.placeholder import StandIn
from mkdocs_imagegen.pictures.variants import MIMES, Plan, Variant


class Deriver:
    """Puts the files of pictures into the site.

    Args:
        store: where variants are kept between builds.
        site: the folder of the site; None to fill the store alone.
    """

    def __init__(self, store: DerivedStore, site: Path | None) -> None:
        self._store = store
        self._site = site
        self._stand_ins: set[str] = set()

    def find(self, plan: Plan) -> Picture | None:
        """The picture, its files in the site, if the store has all of them."""
        blur = self._store.read(plan.blur_key) if plan.has_blur else b""
        if blur is None:
            return None
        every = (variant for variants in plan.variants for variant in variants)
        if not all(self._link(variant, plan) for variant in every):
            return None
        return picture_of(plan, blur)

    def make(self, plan: Plan, content: bytes) -> Picture:
        """The picture, its files made of the original's bytes where the store has them not.

        Raises:
            PictureError: the bytes are no picture.
        """
        every = [variant for variants in plan.variants for variant in variants]
        missing = [variant for variant in every if not self._link(variant, plan)]
        image = plain(content)
        for variant, encoded in encode(image, missing):
            self._store.write(variant.key(plan.original.sha256), encoded)
            self._put(variant.name(plan.original), encoded)
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

    def close(self) -> None:
        """Close the derived store."""
        self._store.close()

    def _link(self, variant: Variant, plan: Plan) -> bool:
        if self._site is None:
            return self._store.read(variant.key(plan.original.sha256)) is not None
        path = self._site / variant.name(plan.original)
        path.parent.mkdir(parents=True, exist_ok=True)
        return self._store.link(variant.key(plan.original.sha256), path)

    def _put(self, name: str, content: bytes) -> None:
        if self._site is None:
            return
        path = self._site / name
        path.parent.mkdir(parents=True, exist_ok=True)
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

    def close(self) -> None:
        """Nothing is open."""


def picture_of(plan: Plan, blur: bytes) -> Picture:
    """What the page says of the picture: its files by format, and the blurred pixels."""
    sources = tuple(
        Source(
            MIMES[variants[0].encoding.format],
            tuple((variant.name(plan.original), variant.size.width) for variant in variants),
        )
        for variants in plan.variants
    )
    data = f"data:image/webp;base64,{base64.b64encode(blur).decode()}" if blur else ""
    return Picture(sources, plan.size, data)
