"""What whole folders of a site say for their images."""

from __future__ import annotations

from collections.abc import Mapping

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import (
    SIZE,
    TEXT,
    OptionsError,
    Parser,
    Size,
    nested,
    object_schema,
    one_line,
    option,
    option_names,
    words,
)
from mkdocs_imagegen.settings.globs import GLOBS


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """What a pattern below `folders:` may say for the pages that it fits."""

    model: str | None = option(None, one_line("a model's id"), "The model, for these pages.")
    size: Size | None = option(None, SIZE, "The size, for these pages.")
    quality: str | None = option(None, one_line("a quality"), "The quality, for these pages.")
    background: str | None = option(
        None, words("auto", "opaque", "transparent"), "The background, for these pages."
    )
    style: str | None = option(
        None, TEXT, "The house style, for these pages; `none` for no house style."
    )
    preset: str | None = option(
        None, one_line("a name from `presets:`"), "The preset, for these pages; `none` for none."
    )


def _folders(value: object) -> Mapping[str, FolderOptions] | None:
    if not isinstance(value, Mapping):
        return None
    folders: dict[str, FolderOptions] = {}
    errors: list[tuple[str, OptionError]] = []
    for glob, said in value.items():
        try:
            folders[GLOBS(glob)[0]] = _OPTIONS(said)
        except OptionsError as error:
            errors += [(f"{glob}.{name}", each) for name, each in error.errors]
        except OptionError as error:
            errors.append((str(glob), error))
    if errors:
        raise OptionsError(errors)
    return folders


_OPTIONS: Parser[FolderOptions] = Parser(
    f"a mapping of {', '.join(option_names(FolderOptions))}", nested(FolderOptions).convert
)
FOLDERS: Parser[Mapping[str, FolderOptions]] = Parser(
    "page paths below the docs folder, in which * stands for anything, like guide/**, each with "
    f"{_OPTIONS.accepts}",
    _folders,
    {"type": "object", "additionalProperties": object_schema(FolderOptions)},
)
