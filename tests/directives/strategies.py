"""Hypothesis strategies for directives."""

from __future__ import annotations

from hypothesis import strategies as st

from mkdocs_imagegen.directives.directive import Directive, SourceExcerpt
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.request import ImageRequest

_TEXT = st.text(max_size=30) | st.text("\"'<>&;amp= ", max_size=10)
_NAMES = st.sampled_from(["title", "id", "class", "loading", "data-x"])
_SIZES = st.builds(Size, st.integers(1, 8192), st.integers(1, 8192))
_REQUESTS = st.builds(ImageRequest, model=_TEXT, prompt=_TEXT, size=_SIZES)
DIRECTIVES = st.builds(
    Directive,
    request=_REQUESTS,
    dark=st.none() | _REQUESTS,
    exact_options=st.frozensets(st.sampled_from(["model", "quality"])),
    alt=_TEXT,
    caption=_TEXT,
    note=_TEXT,
    layout=st.builds(Layout, _SIZES),
    width_px=st.none() | st.integers(1, 8192),
    sizes=_TEXT,
    attributes=st.dictionaries(_NAMES, _TEXT).map(lambda pairs: tuple(pairs.items())),
    source=st.builds(SourceExcerpt, st.just("fence"), _TEXT, _TEXT),
)
