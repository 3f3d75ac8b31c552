"""Typed settings from a plain mapping: one default for each, in one place.

The text beside each option is also the manual: the reference page is made from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.request import SKETCH_MODEL
from mkdocs_imagegen.shapes import WIDTHS
from mkdocs_imagegen.values import (
    BOOLEAN,
    SIZE,
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

SKETCH_URL = "sketch:"
"""The gateway address that stands for the emulator inside this process."""

GATEWAY_URL = "https://ai-gateway.vercel.sh/v1"
_FORMATS = ("avif", "webp", "jpeg", "png")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _url(value: object) -> str | None:
    if not isinstance(value, str) or value == SKETCH_URL:
        return SKETCH_URL if value == SKETCH_URL else None
    try:
        parts, _ = urlsplit(value), urlsplit(value).port
    except ValueError:
        return None
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    plain = parts.hostname and not (parts.username or parts.password or parts.query)
    return value.rstrip("/") if secure and plain else None


def _for_json(value: object) -> Mapping[str, object] | None:
    try:
        json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, Mapping) else None


def _formats(value: object) -> tuple[str, ...] | None:
    if value == "auto":
        return ()
    listed = value if isinstance(value, list) else str(value).replace(",", " ").split()
    names = tuple(dict.fromkeys(str(name).lower() for name in listed))
    return names if names and all(name in _FORMATS for name in names) else None


def _prompts(value: object) -> Mapping[str, object] | None:
    if not isinstance(value, Mapping):
        return None
    return {str(name): prompt for name, prompt in value.items()}


URL: Parser[str] = Parser(
    'https://…, http:// on this machine, or "sketch:"; no user name, password or query', _url
)
PROVIDER_OPTIONS: Parser[Mapping[str, object]] = Parser(
    "a mapping of names to what JSON knows: text, numbers, true, false, lists, mappings", _for_json
)
FORMATS: Parser[tuple[str, ...]] = Parser(
    "auto, or a list of avif, webp, jpeg and png, the best first", _formats
)
PROMPTS: Parser[Mapping[str, object]] = Parser("a mapping of names to prompts", _prompts)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Which server draws, and how it is spoken to."""

    url: str = option(
        GATEWAY_URL,
        URL,
        'The server\'s address up to and with `/v1`. `"sketch:"` is the emulator built into the '
        "plugin: no key, no network, labelled sketches instead of pictures.",
    )
    timeout: float = option(
        300.0,
        number(1, 3600),
        "Seconds that one picture may take, from sending the request to the last byte "
        "of the answer.",
    )
    auth: str = option(
        "bearer",
        words("bearer", "api-key", "none"),
        "How the key is sent: `Authorization: Bearer`, an `api-key` header (Azure), or not at all.",
    )
    key_env: str | None = option(
        None,
        optional(one_line("the name of an environment variable")),
        "The environment variable that holds the key for a server other than Vercel's AI Gateway. "
        "The gateway's own variables are never sent anywhere else.",
    )
    provider_options: Mapping[str, Any] = option(
        {},
        PROVIDER_OPTIONS,
        "Passed to the gateway as `providerOptions`, by provider: "
        "`gateway: {order: [azure, openai]}`.",
    )
    output_format: str = option(
        "webp",
        words("webp", "jpeg", "png"),
        "The format the original is asked for in. Changing it buys no picture again.",
    )
    send_response_format: str = option(
        "auto",
        words("auto", "true", "false"),
        "Whether to send `response_format: b64_json`. OpenAI's models refuse it, LocalAI needs it. "
        "`auto` does not send it.",
    )
    send_provider_options: str = option(
        "auto",
        words("auto", "true", "false"),
        "Whether to send `providerOptions`. `auto` sends it to Vercel's AI Gateway only.",
    )
    accept_urls: bool = option(
        False,
        BOOLEAN,
        "Whether to fetch a picture that the server answers as a link instead of as data. Only "
        "public https addresses are fetched, without the key, following no redirect.",
    )

    @property
    def is_sketch(self) -> bool:
        """Whether the emulator inside this process draws."""
        return self.url == SKETCH_URL

    @property
    def is_vercel(self) -> bool:
        """Whether this is Vercel's AI Gateway itself."""
        return urlsplit(self.url).hostname == urlsplit(GATEWAY_URL).hostname


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatQualities:
    """How well each format is written."""

    avif: int = option(60, whole_number(1, 100), "Quality of AVIF files.")
    webp: int = option(80, whole_number(1, 100), "Quality of WebP files.")
    jpeg: int = option(82, whole_number(1, 100), "Quality of JPEG files.")

    def of(self, name: str) -> int:
        """The quality of a format; PNG loses nothing and has none."""
        return getattr(self, name, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSettings:
    """The files that are made of each original, on this machine and for nothing."""

    widths: tuple[int, ...] = option(
        (480, 960),
        WIDTHS,
        "Widths of the smaller files in pixels; the picture's own width is always made too.",
    )
    formats: tuple[str, ...] = option(
        (),
        FORMATS,
        "Formats, the best first; the last is the one that every browser reads. `auto`: AVIF and "
        "JPEG, or AVIF and WebP where there is transparency.",
    )
    quality: FormatQualities = option(
        FormatQualities(), nested(FormatQualities), "How well each format is written."
    )
    effort: str = option(
        "fast",
        words("fast", "small"),
        "`small` makes AVIF files about a quarter smaller and takes four times as long, once.",
    )
    blur: bool = option(
        True,
        BOOLEAN,
        "Whether a few blurred pixels stand in a picture's place until it has come; no script.",
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
        "The model that draws. Pictures that another model has made stay in use (see "
        "[identity](how-it-works.md#what-makes-a-picture-the-same)).",
    )
    size: Size = option(
        Size(1536, 1024), SIZE, "The size to ask for, and the size the picture has on the page."
    )
    quality: str = option(
        "medium", one_line("a quality the model knows, like low"), "`low`, `medium` or `high`."
    )
    background: str = option(
        "auto", words("auto", "opaque", "transparent"), "What is behind the subject."
    )
    style: str = option("", TEXT, "The house style: words added after every prompt of the site.")
    prompts: Mapping[str, object] = option(
        {},
        PROMPTS,
        "Named prompts for `![…](imagegen:name)`: text, or a mapping of options with `prompt`.",
    )
    generate: str = option(
        "auto",
        words("auto", "true", "false"),
        "Whether a build may make missing pictures. `auto`: when there is an API key, or the "
        "server needs none. The OIDC token that every Vercel build has is no consent to spend: "
        "with it, say `true`.",
    )
    on_missing: str = option(
        "warn",
        words("placeholder", "warn", "error"),
        "What a picture does that is missing and may not or cannot be made. The page shows a "
        "placeholder; `warn` also warns, so that `--strict` fails; `error` ends the build.",
    )
    concurrency: int = option(8, whole_number(1, 64), "Pictures asked for at the same time.")
    cache_dir: str = option(
        ".cache/plugin/imagegen",
        one_line("a folder"),
        "Where pictures are kept, relative to `mkdocs.yml`.",
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
    provenance: str = option(
        "keep",
        words("keep", "strip"),
        "`keep` writes into each file that its media is generated (IPTC digital source type).",
    )
    disclosure: str = option(
        "none",
        words("none", "caption", "badge"),
        "Whether readers are told that a picture is generated, and where.",
    )
    disclosure_text: str = option(
        "AI-generated picture", one_line("a few words"), "The words that tell them."
    )
    report: str | None = option(
        None, optional(one_line("a file's path")), "A JSON file to write after each build."
    )
    root: Path = field(default=Path())
    """The folder of ``mkdocs.yml``, to which paths are relative; set by the host."""

    @property
    def drawing_model(self) -> str:
        """The model that requests are made under: the sketch model when sketches are drawn."""
        return SKETCH_MODEL if self.gateway.is_sketch else self.model

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
    def report_path(self) -> Path | None:
        """The report's file, absolute; None where none is asked for."""
        return self.root.absolute() / self.report if self.report else None


def read_settings(written: Mapping[str, object], root: Path) -> Settings:
    """Settings from what ``mkdocs.yml`` says.

    Raises:
        OptionsError: every option that is not accepted, each with its name.
    """
    settings = replace(read_options(Settings, written), root=root)
    if settings.gateway.key_env and settings.gateway.is_vercel:
        hint = "the key is read from AI_GATEWAY_API_KEY"
        error = OptionError("is for servers other than Vercel's AI Gateway", hint=hint)
        raise OptionsError([("gateway.key_env", error)])
    return settings


@dataclass(frozen=True, slots=True)
class OptionReference:
    """One option as the manual shows it."""

    name: str
    default: str
    accepts: str
    about: str


def reference(kind: type[Any], prefix: str = "") -> list[OptionReference]:
    """The options of a dataclass, in order, those of mappings inside it after each."""
    rows: list[OptionReference] = []
    for each in fields(kind):
        if "parser" not in each.metadata:
            continue
        name = prefix + each.name
        default = {} if each.default is MISSING else each.default
        shown = "" if is_dataclass(default) else _as_yaml(default)
        rows.append(
            OptionReference(name, shown, each.metadata["parser"].accepts, each.metadata["about"])
        )
        if is_dataclass(default):
            rows += reference(type(default), f"{name}.")
    return rows


def _as_yaml(value: object) -> str:
    plain = {True: "true", False: "false", None: "null", "": '""'}
    if isinstance(value, (bool, str, type(None))):
        return plain.get(value, str(value))
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, tuple) and not isinstance(value, Size):
        return f"[{', '.join(map(str, value))}]" if value else "auto"
    return f"{value:g}" if isinstance(value, float) else str(value)
