"""The images of whole pages: for links to them, and for lists of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import SIZE, TEXT, Parser, Size, option, optional, quote_value, words
from mkdocs_imagegen.settings.globs import GLOBS, matches_any

POSITION: Parser[str] = words("none", "top")

_FIELDS = ("title", "description")
_FIELD = re.compile(r"\{([^{}]*)\}")


def _default(value: object) -> str | None:
    text = " ".join(TEXT(value).split())
    for name in _FIELD.findall(text):
        if name not in _FIELDS:
            raise OptionError(
                f"there is nothing to put in for {quote_value(f'{{{name}}}')}",
                accepted="known: {title}, {description}",
            )
    return text or None


DEFAULT: Parser[str] = Parser(
    "a prompt, in which {title} and {description} are put in", _default, TEXT.schema
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSettings:
    """The images of whole pages: for links to them, and for lists of them."""

    default: str | None = option(
        None,
        optional(DEFAULT),
        "A prompt for the previews of pages that name none. `{title}` and `{description}` are "
        "taken from each page. Without it only pages that ask for a preview have one.",
    )
    include: tuple[str, ...] = option(
        ("**",), GLOBS, "The pages that `default` is for, as paths below the docs folder."
    )
    exclude: tuple[str, ...] | None = option(
        None, optional(GLOBS), "Pages among them that `default` is not for."
    )
    size: Size = option(
        Size(1200, 630),
        SIZE,
        "The size of the JPEG that social networks show, cut out of the image around its focus.",
    )
    position: str = option(
        "none", POSITION, "`top` shows a page's preview below its heading as well."
    )

    def prompt_for(self, uri: str, said: Mapping[str, str]) -> str | None:
        """The prompt of a page's preview where the page names none; None for no preview.

        Args:
            uri: the page's source below the docs folder.
            said: the page's title and description.
        """
        if self.default is None or not matches_any(self.include, uri):
            return None
        if matches_any(self.exclude or (), uri):
            return None
        return " ".join(_FIELD.sub(lambda match: said[match[1]], self.default).split())
