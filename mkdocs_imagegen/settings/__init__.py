"""Typed settings, read from a plain mapping; each default is stated once.

The manual's reference page is generated from the description of each option.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

from mkdocs_imagegen.errors import ImagegenError, OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    BOOLEAN,
    SKETCH_MODEL,
    OptionsError,
    Parser,
    Size,
    UnknownOptionError,
    nested,
    number,
    one_line,
    option,
    optional,
    read_options,
    shared_option,
    whole_number,
    words,
)
from mkdocs_imagegen.settings.budget import BudgetSettings, DraftSettings
from mkdocs_imagegen.settings.folders import FOLDERS, InheritedOptions
from mkdocs_imagegen.settings.gateway import (
    AUTO,
    FALLBACK_MODELS,
    GATEWAY_URL,
    MODELS,
    SKETCH_URL,
    FallbackModels,
    GatewaySettings,
)
from mkdocs_imagegen.settings.previews import PreviewSettings
from mkdocs_imagegen.settings.prompts import PRESETS, PROMPTS_OR_FILE, read_prompt_file
from mkdocs_imagegen.settings.variants import VariantSettings

DEFAULT_CACHE_DIR = ".cache/plugin/imagegen"
DEFAULT_ORIGINALS_DIR = "imagegen-originals"
_API_KEY = re.compile(r"(?:gateway\.)?(?:\w+[-_])?(?:api[-_]?)?(?:key|token|secret)", re.IGNORECASE)

__all__ = [
    "AUTO",
    "GatewaySettings",
    "InheritedOptions",
    "Settings",
    "VariantSettings",
    "read_settings",
]


_REPORT: Parser[str] = Parser(
    "a path that ends in .json",
    lambda value: value if isinstance(value, str) and value.lower().endswith(".json") else None,
    {"type": "string", "pattern": r"\.[jJ][sS][oO][nN]$"},
    type="path",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of a site, as set in its configuration file."""

    enabled: bool = option(
        True,
        BOOLEAN,
        "Switch of the plugin. `false` shows placeholders and generates no images.",
        "!ENV [IMAGEGEN, true]",
    )
    model: str = shared_option(InheritedOptions, "model", "openai/gpt-image-1-mini")
    fallback_models: FallbackModels = option(
        AUTO,
        FALLBACK_MODELS,
        "Models that replace `model`. `auto` uses a built-in list after a shutdown, at a price of "
        "at most 1.5 times the one before; a list of your own is tried in order whenever the "
        "server refuses `model`, at any price within the budget; `[]` is none. The record of an "
        "image and the bill name the model that generated it.",
        "[openai/gpt-image-2]",
    )
    size: Size = shared_option(InheritedOptions, "size", Size(1536, 1024))
    quality: str = shared_option(InheritedOptions, "quality", "medium")
    background: str = shared_option(InheritedOptions, "background", "auto")
    style: str = shared_option(InheritedOptions, "style", "")
    presets: Mapping[str, object] = option(
        {},
        PRESETS,
        "Named sets of options for the option `preset`: all [image options]"
        "(image-options.md) except `prompt`, `name`, `preset`, `alt`, `id` and "
        "`take`.",
        "woodcut:\n  style: Woodcut, black ink on rough paper. No text.\n  size: 1024x1024",
    )
    folders: Mapping[str, InheritedOptions] = option(
        {},
        FOLDERS,
        "Options for all images on the pages of a folder. If several patterns match a page, a "
        "later one overrides an earlier one.",
        "blog/**: {quality: low}\nblog/2026/**: {preset: woodcut}",
    )
    prompts: Mapping[str, object] = option(
        {},
        PROMPTS_OR_FILE,
        "Named prompts for `![…](imagegen:name)`: text, or a mapping of options with `prompt`. "
        "In the configuration file, or in a YAML file.",
        "prompts.yml",
    )
    generate: str = option(
        "auto",
        words("auto", "true", "false"),
        "When a build generates missing images: `auto` if an API key is set or the server needs "
        "none, `true` also with a Vercel OIDC token, `false` never.",
        "false",
    )
    on_missing: str = option(
        "warn",
        words("placeholder", "warn", "error"),
        "Reaction to an image that is missing and cannot be generated. The page shows a "
        "placeholder; `warn` also warns, which fails a strict build; `error` stops the build.",
        "!ENV [IMAGEGEN_ON_MISSING, warn]",
    )
    budget: BudgetSettings = option(
        BudgetSettings(),
        nested(BudgetSettings, "images: 100, usd: 5.00"),
        "Limits of one run.",
        "usd: 1.00\nimages: 20",
    )
    allowed_models: tuple[str, ...] | None = option(
        None,
        optional(MODELS),
        "Models that images, pages, folders, presets and named prompts may set; `null` for all. "
        "`*` stands for any characters but slashes. The `model` of the site and of `draft` are "
        "always allowed.",
        "[openai/gpt-image-2, openai/gpt-image-2.5-*]",
    )
    concurrency: int = option(
        8, whole_number(1, 64), "Number of images that are generated at the same time.", "2"
    )
    max_wait: float = option(
        300.0,
        number(0, 86_400),
        "Seconds for which a run waits for a server that accepts no request: after a rate limit "
        "(in `mkdocs-imagegen generate` also without a connection), and for the list of models. "
        "Each accepted request starts the wait again. After that, the run ends with the images "
        "that it has.",
        "900",
    )
    serve: str = option(
        "placeholder",
        words("placeholder", "generate", "sketch"),
        "Reaction of `mkdocs serve` to missing images. It never waits for one: `placeholder` "
        "generates none; `generate` generates them in the background and shows them when they are "
        "ready; `sketch` draws sketches locally, at no cost.",
        "sketch",
    )
    serve_delay: float = option(
        3.0,
        number(0, 3600),
        "Seconds for which a prompt must stay unchanged before `mkdocs serve` generates its image.",
        "5",
    )
    draft: DraftSettings = option(
        DraftSettings(),
        nested(DraftSettings, "quality: low"),
        "Options of drafts, which `serve: generate` requests instead of final images.",
        "quality: low",
    )
    cache_dir: str = option(
        DEFAULT_CACHE_DIR,
        one_line("a folder", "path"),
        "Cache folder, relative to the configuration file. Contains variants and sketches, which "
        "cost nothing to create again.",
        ".cache/imagegen",
    )
    cache: str = option(
        "use",
        words("use", "ignore"),
        "Use of the variant cache in `cache_dir`. `ignore` encodes all files in each build, from "
        "originals whose SHA-256 is verified, and neither reads nor writes the cache.",
        "!ENV [IMAGEGEN_CACHE, use]",
    )
    originals_dir: str | None = option(
        DEFAULT_ORIGINALS_DIR,
        optional(one_line("a folder", "path")),
        "Originals folder, relative to the configuration file: every image that was charged, its "
        "record, and the failed attempts. Commit the folder, or ignore it in git and cache it in "
        "CI.",
        "images/originals",
    )
    locked: bool = option(
        False,
        BOOLEAN,
        "`true` shows only images whose record is committed in git, and generates none. Outside of "
        "a git work tree, the records count that exist when the build begins.",
        "!ENV [IMAGEGEN_LOCKED, false]",
    )
    adopt_from: str | None = option(
        None,
        optional(one_line("a folder", "path")),
        "Originals folder of another worktree or clone, relative to the configuration file. A "
        "build copies the images of its pages from there, and never changes that folder. It may "
        "be missing.",
        "../main/imagegen-originals",
    )
    gateway: GatewaySettings = option(
        GatewaySettings(),
        nested(GatewaySettings, 'url: "sketch:"'),
        "Server that generates the images.",
        'url: "sketch:"',
    )
    variants: VariantSettings = option(
        VariantSettings(),
        nested(VariantSettings, "formats: [webp]"),
        "Files that are derived from each original.",
        "formats: [webp]\nwidths: [400, 800]",
    )
    previews: PreviewSettings = option(
        PreviewSettings(),
        nested(PreviewSettings, "position: top"),
        "Preview images of pages.",
        'default: "A still life about {title}."\nposition: top',
    )
    provenance: str = option(
        "keep",
        words("keep", "strip"),
        "Provenance metadata in image files. `keep` marks each file as AI-generated (IPTC digital "
        "source type).",
        "strip",
    )
    disclosure: str = option(
        "none",
        words("none", "caption", "badge"),
        "Notice to readers that an image is AI-generated: below the image or on it.",
        "caption",
    )
    disclosure_text: str = option(
        "AI-generated image",
        one_line("a few words"),
        "Text of the `disclosure` notice.",
        "Generated with AI",
    )
    report: str | None = option(
        None,
        optional(_REPORT),
        "JSON report to write after each build. It replaces no file except an earlier report.",
        "imagegen-report.json",
    )
    root: Path = field(default=Path())
    """Folder of the configuration file, to which paths are relative; set by the host."""
    config_file: Path | None = field(default=None)
    """Configuration file; set by the host."""
    command: str = field(default="mkdocs")
    """Command of the site generator; set by the host."""
    prompts_path: Path | None = field(default=None)
    """Absolute path of the file that ``prompts`` were read from; None if they are inline."""

    @property
    def config_name(self) -> str:
        """Name of the configuration file."""
        return self.config_file.name if self.config_file else "mkdocs.yml"

    @property
    def effective_model(self) -> str:
        """Model of requests: the sketch model if the emulator draws, else ``model``."""
        return SKETCH_MODEL if self.gateway.is_sketch and not self.locked else self.model

    @property
    def with_sketches(self) -> Settings:
        """The settings with the emulator in this process as the server."""
        return replace(self, gateway=replace(self.gateway, url=SKETCH_URL))

    @property
    def cache_path(self) -> Path:
        """Absolute path of the cache folder."""
        return _absolute(self.root / self.cache_dir)

    @property
    def prices_path(self) -> Path:
        """Absolute path of the price list of the server."""
        return self.cache_path / "offers.json"

    @property
    def originals_path(self) -> Path:
        """Absolute path of the originals folder."""
        return _absolute(self.root / (self.originals_dir or DEFAULT_ORIGINALS_DIR))

    @property
    def adopted_paths(self) -> tuple[Path, ...]:
        """Absolute path of the folder in ``adopt_from``, unless it is the originals folder."""
        path = _absolute(self.root / (self.adopt_from or ""))
        return (path,) if self.adopt_from and path != self.originals_path else ()

    @property
    def work_path(self) -> Path:
        """Absolute path of the working files of the originals folder."""
        return self.originals_path / "work"

    @property
    def sketches_path(self) -> Path:
        """Absolute path of the sketches of the embedded emulator."""
        return self.cache_path / "sketches"

    @property
    def report_path(self) -> Path | None:
        """Absolute path of the report; None if no report is written."""
        return self.root.absolute() / self.report if self.report else None


def read_settings(written: Mapping[str, object], root: Path) -> Settings:
    """Return the settings of a site, with the prompts of the file that ``prompts`` names.

    Args:
        written: Options as written in the configuration file.
        root: Folder of the configuration file.

    Raises:
        OptionsError: If options are not accepted; it contains each of them.
    """
    try:
        settings = replace(read_options(Settings, written), root=root)
    except OptionsError as several:
        raise OptionsError([_without_key(*each, written) for each in several.errors]) from None
    gateway = settings.gateway
    if gateway.key_env and gateway.is_vercel:
        hint = "set AI_GATEWAY_API_KEY instead"
        error = OptionError("not supported with Vercel's AI Gateway", hint=hint)
        raise OptionsError([("gateway.key_env", error)])
    file = written.get("prompts")
    return _with_prompt_file(settings, root / file) if isinstance(file, str) else settings


def _without_key(
    name: str, error: ImagegenError, written: Mapping[str, object]
) -> tuple[str, ImagegenError]:
    """Return the error of an option; for an API key in the file, the way to set it."""
    if not isinstance(error, UnknownOptionError) or not _API_KEY.fullmatch(name):
        return name, error
    gateway = written.get("gateway")
    url = gateway.get("url", GATEWAY_URL) if isinstance(gateway, Mapping) else GATEWAY_URL
    is_other = url not in (GATEWAY_URL, SKETCH_URL)
    variable = "that `gateway.key_env` names" if is_other else "AI_GATEWAY_API_KEY"
    return name, OptionError(
        f"an API key is read only from the environment variable {variable}",
        hint="remove it from the file, and revoke it if the file was committed",
    )


def _with_prompt_file(settings: Settings, file: Path) -> Settings:
    path = _absolute(file)
    try:
        return replace(settings, prompts=read_prompt_file(path), prompts_path=path)
    except OptionError as error:
        raise OptionsError([("prompts", error)]) from None


def _absolute(path: Path) -> Path:
    # Unlike Path.resolve, this keeps symbolic links.
    return Path(os.path.normpath(path.absolute()))
