"""Settings of preview images: images of whole pages, for links and cards."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    SIZE,
    TEXT,
    Parser,
    Size,
    option,
    optional,
    quote_value,
    words,
)
from mkdocs_imagegen.settings.folders import GLOBS, matches_any

POSITION: Parser[str] = words("none", "top")

_FIELD = re.compile(r"\{([^{}]*)\}")


def _default(value: object) -> str | None:
    text = " ".join(TEXT(value).split())
    for name in _FIELD.findall(text):
        if name not in ("title", "description"):
            raise OptionError(
                f"unknown field {quote_value(f'{{{name}}}')}",
                accepted="supported: {title}, {description}",
            )
    return text or None


DEFAULT: Parser[str] = Parser(
    "a prompt, optionally with {title} and {description}", _default, TEXT.schema
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSettings:
    """Settings of preview images."""

    default: str | None = option(
        None,
        optional(DEFAULT),
        "Prompt for pages without a `preview` of their own. `{title}` and `{description}` are "
        "replaced by those of the page. With `null`, only pages that set `preview` have one.",
        '"A still life about {title}."',
    )
    include: tuple[str, ...] = option(
        ("**",),
        GLOBS,
        "Pages to which `default` applies, as paths in the docs folder.",
        "[blog/**]",
    )
    exclude: tuple[str, ...] | None = option(
        None,
        optional(GLOBS),
        "Pages in `include` to which `default` does not apply.",
        "[blog/index.md]",
    )
    size: Size = option(
        Size(1200, 630),
        SIZE,
        "Size of the social card, a JPEG that is cropped from the preview around its focus.",
        "1200x600",
    )
    position: str = option(
        "none", POSITION, "Position on the page. `top` shows the preview below the heading.", "top"
    )

    def prompt_for(self, uri: str, page_fields: Mapping[str, str]) -> str | None:
        """Return the default prompt for the preview of a page; None if it gets no preview.

        Args:
            uri: Source path of the page in the docs folder.
            page_fields: Title and description of the page.
        """
        if self.default is None or not matches_any(self.include, uri):
            return None
        if matches_any(self.exclude or (), uri):
            return None
        return " ".join(_FIELD.sub(lambda match: page_fields[match[1]], self.default).split())
