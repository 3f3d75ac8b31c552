"""Typed settings from a plain mapping: one default for each, in one place.

The text beside each option is also the manual: the reference page is made from it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import (
    BOOLEAN,
    SIZE,
    SKETCH_MODEL,
    TEXT,
    OptionsError,
    Parser,
    Size,
    nested,
    number,
    one_line,
    option,
    optional,
    read_options,
    whole_number,
    words,
)
from mkdocs_imagegen.settings.budget import BudgetSettings
from mkdocs_imagegen.settings.draft import DraftSettings
from mkdocs_imagegen.settings.folders import FOLDERS, FolderOptions
from mkdocs_imagegen.settings.gateway import GATEWAY_URL, MODELS, SKETCH_URL, GatewaySettings
from mkdocs_imagegen.settings.previews import PreviewSettings
from mkdocs_imagegen.settings.prompts import PROMPTS, PROMPTS_OR_FILE, read_prompt_file
from mkdocs_imagegen.settings.variants import FormatQualities, VariantSettings

__all__ = [
    "GATEWAY_URL",
    "PROMPTS",
    "SKETCH_URL",
    "BudgetSettings",
    "DraftSettings",
    "FolderOptions",
    "FormatQualities",
    "GatewaySettings",
    "PreviewSettings",
    "Settings",
    "VariantSettings",
    "read_settings",
]


def _presets(value: object) -> Mapping[str, object] | None:
    if not isinstance(value, Mapping):
        return None
    return {str(name): options for name, options in value.items()}


PRESETS: Parser[Mapping[str, object]] = Parser(
    "a mapping of names to mappings of an image's options",
    _presets,
    {"type": "object", "additionalProperties": {"$ref": "#/$defs/preset"}},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a site can set in ``mkdocs.yml``."""

    enabled: bool = option(
        True, BOOLEAN, "`false` switches the plugin off: pages show placeholders, nothing is made."
    )
    model: str = option(
        "openai/gpt-image-1-mini",
        one_line("a model's id, like openai/gpt-image-1-mini"),
        "The model that draws. Images that another model has made stay in use: see "
        "[what makes an image the same](how-it-works.md#what-makes-a-picture-the-same).",
    )
    fallback_models: tuple[str, ...] = option(
        (),
        MODELS,
        "Models that Vercel's AI Gateway asks in turn when `model` fails. The record of an image "
        "and the bill name the model that drew it.",
    )
    size: Size = option(
        Size(1536, 1024), SIZE, "The size to ask for, and the size the image has on the page."
    )
    quality: str = option(
        "medium", one_line("a quality the model knows, like low"), "`low`, `medium` or `high`."
    )
    background: str = option(
        "auto", words("auto", "opaque", "transparent"), "What is behind the subject."
    )
    style: str = option("", TEXT, "The house style: words added after every prompt of the site.")
    presets: Mapping[str, object] = option(
        {},
        PRESETS,
        "Named sets of options for the option `preset`: all [options of an image]"
        "(options.md#options-of-a-picture) but `prompt`, `name`, `preset`, `alt`, `id` and `take`.",
    )
    folders: Mapping[str, FolderOptions] = option(
        {},
        FOLDERS,
        "What pages in a folder say for all of their images. Of several patterns that fit a "
        "page, what a later one says counts.",
    )
    prompts: Mapping[str, object] = option(
        {},
        PROMPTS_OR_FILE,
        "Named prompts for `![…](imagegen:name)`: text, or a mapping of options with `prompt`. In "
        "`mkdocs.yml`, or in a file of their own.",
    )
    generate: str = option(
        "auto",
        words("auto", "true", "false"),
        "Whether a build may make missing images. `auto`: when there is an API key, or the "
        "server needs none. The OIDC token that every Vercel build has is no consent to spend: "
        "with it, say `true`.",
    )
    on_missing: str = option(
        "warn",
        words("placeholder", "warn", "error"),
        "What an image does that is missing and may not or cannot be made. The page shows a "
        "placeholder; `warn` also warns, so that `--strict` fails; `error` ends the build.",
    )
    budget: BudgetSettings = option(
        BudgetSettings(), nested(BudgetSettings), "What one run may spend."
    )
    concurrency: int = option(8, whole_number(1, 64), "Images asked for at the same time.")
    serve: str = option(
        "placeholder",
        words("placeholder", "generate", "sketch"),
        "What `mkdocs serve` does about missing images. It never waits for one: `placeholder` "
        "makes none; `generate` makes them beside the server and shows them when they are there; "
        "`sketch` draws them on this machine, for nothing.",
    )
    serve_delay: float = option(
        3.0,
        number(0, 3600),
        "Seconds for which a prompt must not change before `mkdocs serve` has it made.",
    )
    draft: DraftSettings = option(
        DraftSettings(), nested(DraftSettings), "What `serve: generate` asks for instead."
    )
    cache_dir: str = option(
        ".cache/plugin/imagegen",
        one_line("a folder"),
        "Where images are kept, relative to `mkdocs.yml`.",
    )
    originals_dir: str | None = option(
        None,
        optional(one_line("a folder")),
        "Where originals are kept, if not in `cache_dir`: a folder that you commit.",
    )
    gateway: GatewaySettings = option(
        GatewaySettings(), nested(GatewaySettings), "The server that draws."
    )
    variants: VariantSettings = option(
        VariantSettings(), nested(VariantSettings), "The files that are made of each original."
    )
    previews: PreviewSettings = option(
        PreviewSettings(), nested(PreviewSettings), "The images of whole pages."
    )
    provenance: str = option(
        "keep",
        words("keep", "strip"),
        "`keep` writes into each file that its media is generated (IPTC digital source type).",
    )
    disclosure: str = option(
        "none",
        words("none", "caption", "badge"),
        "Whether readers are told that an image is generated, and where.",
    )
    disclosure_text: str = option(
        "AI-generated image", one_line("a few words"), "The words that tell them."
    )
    report: str | None = option(
        None, optional(one_line("a file's path")), "A JSON file to write after each build."
    )
    root: Path = field(default=Path())
    """The folder of ``mkdocs.yml``, to which paths are relative; set by the host."""
    prompts_path: Path | None = field(default=None)
    """The file that ``prompts`` were read from, absolute; None where there is none."""

    @property
    def effective_model(self) -> str:
        """The model that requests are made under: the sketch model when sketches are drawn."""
        return SKETCH_MODEL if self.gateway.is_sketch else self.model

    @property
    def with_sketches(self) -> Settings:
        """The same, but drawn by the emulator inside this process."""
        return replace(self, gateway=replace(self.gateway, url=SKETCH_URL))

    @property
    def cache_path(self) -> Path:
        """The cache folder, absolute."""
        return Path(os.path.abspath(self.root / self.cache_dir))  # noqa: PTH100 - keeps symlinks

    @property
    def originals_path(self) -> Path:
        """The folder of originals, absolute."""
        if self.originals_dir is None:
            return self.cache_path / "originals"
        return Path(os.path.abspath(self.root / self.originals_dir))  # noqa: PTH100 - keeps symlinks

    @property
    def journal_path(self) -> Path:
        """The folder of calls that are going on, absolute.

        One for each folder of originals, whose claims tell which of its calls are alive.
        """
        named = self.originals_dir
        suffix = f"-{hashlib.sha256(named.encode()).hexdigest()[:8]}" if named else ""
        return self.cache_path / f"journal{suffix}"

    @property
    def report_path(self) -> Path | None:
        """The report's file, absolute; None where none is asked for."""
        return self.root.absolute() / self.report if self.report else None


def read_settings(written: Mapping[str, object], root: Path) -> Settings:
    """Settings from what ``mkdocs.yml`` says, and from the file of prompts that it names.

    Raises:
        OptionsError: every option that is not accepted, each with its name.
    """
    settings = replace(read_options(Settings, written), root=root)
    if settings.gateway.key_env and settings.gateway.is_vercel:
        hint = "the key is read from AI_GATEWAY_API_KEY"
        error = OptionError("is for servers other than Vercel's AI Gateway", hint=hint)
        raise OptionsError([("gateway.key_env", error)])
    settings = replace(settings, gateway=settings.gateway.falling_back(settings.fallback_models))
    file = written.get("prompts")
    return _with_prompts_of(settings, root / file) if isinstance(file, str) else settings


def _with_prompts_of(settings: Settings, file: Path) -> Settings:
    path = Path(os.path.abspath(file))  # noqa: PTH100 - keeps symlinks
    try:
        return replace(settings, prompts=read_prompt_file(path), prompts_path=path)
    except OptionError as error:
        raise OptionsError([("prompts", error)]) from None
