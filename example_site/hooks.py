"""Parts of the manual that are generated from the code.

An MkDocs hook. In a page, a comment on a line of its own is replaced, or acts on the code block
that follows it:

- ``<!-- reference: settings -->`` and the other names of ``_REFERENCES``: a reference.
- ``<!-- example -->``: the block, and below it its result.
- ``<!-- mistake -->``: the block, and below it its message; with names of Markdown extensions
  after the word, on a site that uses only these.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent
from types import SimpleNamespace
from typing import Any

import markdown as python_markdown
from command_reference import command_headings, command_table
from markdown.treeprocessors import Treeprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import yaml_load
from option_reference import option_headings, option_table, reference
from report_reference import report_fields, report_states

from mkdocs_imagegen.cli.schema import schema_of_file
from mkdocs_imagegen.directives.directive import MAX_PROMPT
from mkdocs_imagegen.directives.extension import ImagegenExtension
from mkdocs_imagegen.directives.options import DirectiveOptions, PageOptions
from mkdocs_imagegen.directives.references import MAX_REFERENCES
from mkdocs_imagegen.emulator.faults import FAULTS, SHAPES
from mkdocs_imagegen.emulator.models import MODELS, SHUT_DOWN
from mkdocs_imagegen.gateway.models import KNOWN_MODELS, PRICE_DATE, STANDARD_SIZES
from mkdocs_imagegen.gateway.pricing import price_usd
from mkdocs_imagegen.hosts.mkdocs.plugin import ImagegenPlugin
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import MAX_PIXELS, MAX_SIDE_PX
from mkdocs_imagegen.page_layout import RATIO
from mkdocs_imagegen.pages.columns import UNKNOWN_THEME
from mkdocs_imagegen.pipeline.build import Pipeline
from mkdocs_imagegen.pipeline.context import BuildContext, BuildMode, Page, PageFacts, Run
from mkdocs_imagegen.pipeline.reference_files import MAX_MASK_BYTES, MAX_REFERENCE_BYTES
from mkdocs_imagegen.report import format_usd
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.permission import Permission

_REFERENCE = re.compile(r"^(?P<indent> *)<!-- reference: (?P<name>.+?) -->$", re.MULTILINE)
_BLOCK = r"\n(?P<block>(?P<ticks>`{3,})(?P<language>\w+).*\n(?P<body>(?:.*\n)*?)(?P=ticks))$"
_EXAMPLE = re.compile(r"^<!-- example -->" + _BLOCK, re.MULTILINE)
_MISTAKE = re.compile(r"^<!-- mistake(?P<extensions>[ .\w]*) -->" + _BLOCK, re.MULTILINE)
_FLAG = re.compile(r"(?<=[\s>])--[a-z][a-z-]*(?![^<>]*>)")
_USUAL_EXTENSIONS = ("pymdownx.superfences", "attr_list")


_SEARCH_BOOSTS = {"reference/": 0.3, "development/": 0.2, "changelog": 0.1}
"""Weights of sections in the search, below 1 so that guides come first."""

_SCHEMAS = {
    "mkdocs.schema.json": None,
    "mkdocs-material.schema.json": "https://squidfunk.github.io/mkdocs-material/schema.json",
}
"""Schemas of `mkdocs.yml`, each with the schema that it applies too."""


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the schemas of this version."""
    for name, other in _SCHEMAS.items():
        content = json.dumps(schema_of_file(other), indent=2, ensure_ascii=False)
        files.append(File.generated(config, name, content=f"{content}\n"))


def on_page_markdown(markdown: str, page: MkDocsPage, **_: object) -> str:
    """Insert references, results and messages."""
    for prefix, boost in _SEARCH_BOOSTS.items():
        if page.file.src_uri.startswith(prefix):
            page.meta.setdefault("search", {"boost": boost})
    markdown = _EXAMPLE.sub(_with_result, markdown)
    markdown = _MISTAKE.sub(_with_messages, markdown)
    return _REFERENCE.sub(_with_reference, markdown)


def on_page_content(html: str, **_: object) -> str:
    """Keep browsers from breaking a line within the option of a command."""
    return _FLAG.sub(r'<span class="flag">\g<0></span>', html)


def _with_reference(match: re.Match[str]) -> str:
    return indent("\n".join(_REFERENCES[match["name"]]()), match["indent"])


def _with_result(match: re.Match[str]) -> str:
    return f'{match["block"]}\n\n<div class="result" markdown>\n\n{match["body"]}\n</div>'


def _with_messages(match: re.Match[str]) -> str:
    extensions = match["extensions"].split() or _USUAL_EXTENSIONS
    is_page = match["language"] == "markdown"
    messages = _of_page(match["body"], extensions) if is_page else _of_settings(match["body"])
    if not messages:
        raise ValueError(f"this sample has no mistake:\n{match['body']}")
    text = "\n".join(messages)
    return f"{match['block']}\n\n``` {{ .text .message .no-copy }}\n{text}\n```"


def _of_page(sample: str, extensions: Iterable[str]) -> list[str]:
    """Return the warnings about the mistakes of one page."""
    messages = _Messages()
    page = Page("docs/page.md", "page.md", "page/", lambda: sample)
    level = log.level
    log.addHandler(messages)
    log.setLevel(logging.WARNING)  # also under `mkdocs build --quiet`
    log.propagate = False  # MkDocs would count the warnings of the sample
    try:
        with TemporaryDirectory() as folder:
            _read_sample(sample, page, Path(folder), extensions)
    finally:
        log.propagate = True
        log.setLevel(level)
        log.removeHandler(messages)
    return [f"WARNING -  {each}" for each in messages.texts]


def _read_sample(sample: str, page: Page, folder: Path, extensions: Iterable[str]) -> None:
    context = BuildContext(
        settings=Settings(enabled=False, root=folder),
        mode=BuildMode(),
        permission=Permission("no"),
        run=Run(),
        open_gateway=_no_gateway,
        theme=UNKNOWN_THEME,
        site=folder / "site",
        docs=folder,
    )
    pipeline = Pipeline(context)
    text, front_matter = get_data(sample)
    pipeline.read_front_matter(page, front_matter)
    extension = ImagegenExtension(lambda: pipeline.registry)
    markdown = python_markdown.Markdown(extensions=[*extensions, extension])
    markdown.treeprocessors.register(_OnPage(page.uri), "relpath", 0)
    facts = PageFacts(page, "", "", is_listed=True, is_written=True)
    pipeline.read_page(page, markdown.convert(text), lambda: facts)
    pipeline.join()
    pipeline.close()


class _Messages(logging.Handler):
    """A handler that keeps the warnings of one sample."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        self.texts.append(record.getMessage())


class _OnPage(Treeprocessor):
    """Processor that names the rendered page, as MkDocs' own processor does."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self.file = SimpleNamespace(src_uri=uri)


def _no_gateway(_: object) -> Any:  # noqa: ANN401 - never returns
    raise RuntimeError("a sample generates no image")


def _of_settings(sample: str) -> list[str]:
    """Return the configuration error, as MkDocs words it."""
    options = yaml_load(sample)["plugins"][0]["imagegen"]
    errors, _ = ImagegenPlugin().load_config(options)
    lines = "\n".join(f"Plugin 'imagegen' option '{name}': {error}" for name, error in errors)
    return [f"ERROR   -  Config value 'plugins': {lines}"] if errors else []


def _directive_options() -> Iterator[str]:
    yield from option_table(reference(DirectiveOptions))
    yield from option_headings(reference(DirectiveOptions), "image")


def _page_options() -> Iterator[str]:
    yield from option_table(reference(PageOptions), "page-")
    yield from option_headings(reference(PageOptions), "page", "page-")


def _settings() -> Iterator[str]:
    yield from option_table(reference(Settings))
    yield from option_headings(reference(Settings), "site")


def _prices() -> Iterator[str]:
    yield from ("| Model | Quality | Square image | Other sizes |", "|---|---|---|---|")
    for model in (each for each in KNOWN_MODELS if each not in SHUT_DOWN):
        for quality, square, other in _prices_of(model):
            yield f"| `{model}` | `{quality}` | {square} | {other} |"
    yield from ("", f"{_PRICE_UNIT} {_PRICE_OF_TOKENS}")


def _default_prices() -> Iterator[str]:
    model = KNOWN_MODELS[Settings().model].replacements[0]
    yield from ("| Quality | 1024x1024 | 1536x1024, 1024x1536 |", "|---|---|---|")
    for quality, square, other in _prices_of(model):
        default = " (default)" if quality == Settings().quality else ""
        yield f"| `{quality}`{default} | {square} | {other} |"
    unit = "US dollars per image, computed from its tokens."
    yield from ("", f"Model: `{model}`. {unit}")


def _prices_of(model: str) -> Iterator[tuple[str, str, str]]:
    """Yield the prices of a square image and of another standard size by quality."""
    for quality in KNOWN_MODELS[model].qualities:
        requests = (ImageRequest(model, "", size, quality) for size in STANDARD_SIZES[:2])
        square, other = map(price_usd, requests)
        if square is not None and other is not None:
            yield quality, format_usd(square), format_usd(other)


_PRICE_UNIT = f"US dollars per image, list prices of {PRICE_DATE}."
_PRICE_OF_TOKENS = (
    "From `gpt-image-2.5` on, OpenAI lists a price per token only; these prices are computed from "
    "the tokens of an image. For `gpt-image-2.6` at `low` and `medium`, users report different "
    "numbers of tokens; the price is the highest of these."
)


def _shutdowns() -> Iterator[str]:
    yield from ("| Model | Shutdown date |", "|---|---|")
    for model, offered in MODELS.items():
        if offered.shutdown is not None:
            date = datetime.fromtimestamp(offered.shutdown, timezone.utc).date()
            yield f"| `{model}` | {date} |"


def _limits() -> Iterator[str]:
    limits = {
        "Side of an image": f"{MAX_SIDE_PX:,} pixels",
        "Area of an image": f"{MAX_PIXELS:,} pixels",
        "Aspect ratio": RATIO.accepts.removeprefix("WIDTH:HEIGHT from ").partition(",")[0],
        "Final prompt": f"{MAX_PROMPT:,} characters",
        "Reference images of one image": f"{MAX_REFERENCES}",
        "File of a reference image": f"{MAX_REFERENCE_BYTES // 2**20} MB",
        "File of a mask": f"{MAX_MASK_BYTES // 2**20} MB",
    }
    yield from ("| Limit | Value |", "|---|---|")
    yield from (f"| {name} | {value} |" for name, value in limits.items())


def _faults() -> Iterator[str]:
    for shape, about in SHAPES.items():
        yield from ("", f"{about[0].upper()}{about[1:]}:", "")
        yield from ("| Fault | Description | Charged |", "|---|---|---|")
        for name, fault in FAULTS.items():
            if fault.shape == shape:
                yield f"| `{name}` | {fault.about} | {'yes' if fault.is_charged else 'no'} |"


_REFERENCES: dict[str, Callable[[], Iterator[str]]] = {
    "settings": _settings,
    "directive options": _directive_options,
    "page options": _page_options,
    "prices": _prices,
    "prices by default": _default_prices,
    "shutdown dates": _shutdowns,
    "limits": _limits,
    "faults": _faults,
    "commands": command_table,
    "command reference": command_headings,
    "report fields": report_fields,
    "report states": report_states,
}
