"""Front door: one build of the host's, and whether it has anything to do with images.

What makes images is opened, and imported, by the first page that needs it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from jinja2 import Environment, FunctionLoader

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.nav import Navigation
    from mkdocs.structure.pages import Page

    from mkdocs_imagegen.pipeline.mode import BuildMode
    from mkdocs_imagegen.settings import Settings


class Closes(Protocol):
    """What holds something open."""

    def close(self) -> None:
        """Keep what is in flight, and end."""


P = TypeVar("P", bound=Closes)


class Build(Generic[P]):
    """One build of the host's.

    Args:
        config: the host's.
        open_images: makes what looks after the images of the build.

    Attributes:
        nav: the order of pages, once the host has told it.
        pages: those that were rendered, by their sources, in that order.
        is_joined: whether all of them were.
    """

    def __init__(self, config: MkDocsConfig, open_images: Callable[[Build[P]], P]) -> None:
        self.config = config
        self.nav: Navigation | None = None
        self.pages: dict[str, Page] = {}
        self.is_joined = False
        self._open_images = open_images

    @cached_property
    def images(self) -> P:
        """What looks after its images; opened by the first call."""
        return self._open_images(self)

    @property
    def is_open(self) -> bool:
        """Whether anything in it has to do with images so far."""
        return "images" in self.__dict__

    def close(self) -> None:
        """Keep what is in flight, and end."""
        if self.is_open:
            self.images.close()


def has_leftovers(settings: Settings, mode: BuildMode) -> bool:
    """Whether earlier builds have left something in the journal that this one has to store."""
    with contextlib.suppress(OSError), os.scandir(settings.journal_path) as entries:
        return mode.makes and any(entries)
    return False


def blank_environment() -> Environment:
    """Templates that are all empty: what they would show is of no use, and costs most of a build.

    The host writes no file for a page whose template gives nothing.
    """
    return Environment(loader=FunctionLoader(lambda _: ""), autoescape=True)
