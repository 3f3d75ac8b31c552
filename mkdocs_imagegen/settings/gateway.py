"""Which server draws, and how it is spoken to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import (
    BOOLEAN,
    TEXT,
    Parser,
    number,
    one_line,
    option,
    optional,
    words,
)

SKETCH_URL = "sketch:"
"""The gateway address that stands for the emulator inside this process."""

GATEWAY_URL = "https://ai-gateway.vercel.sh/v1"
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


def _models(value: object) -> tuple[str, ...] | None:
    listed = value if isinstance(value, list) else [value]
    names = tuple(" ".join(each.split()) for each in listed if isinstance(each, str))
    return names if len(names) == len(listed) and all(names) else None


MODELS: Parser[tuple[str, ...]] = Parser(
    "a list of models' ids",
    _models,
    {"anyOf": [TEXT.schema, {"type": "array", "items": TEXT.schema}]},
)
URL: Parser[str] = Parser(
    'https://…, http:// on this machine, or "sketch:"; no user name, password or query',
    _url,
    {"type": "string", "pattern": "^(https?://.|sketch:$)"},
)
PROVIDER_OPTIONS: Parser[Mapping[str, object]] = Parser(
    "a mapping of names to what JSON knows: text, numbers, true, false, lists, mappings",
    _for_json,
    {"type": "object"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Which server draws, and how it is spoken to."""

    url: str = option(
        GATEWAY_URL,
        URL,
        'The server\'s address up to and with `/v1`. `"sketch:"` is the emulator built into the '
        "plugin: no key, no network, labelled sketches instead of images.",
    )
    timeout: float = option(
        300.0,
        number(1, 3600),
        "Seconds that one image may take, from sending the request to the last byte of the answer.",
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
        "The format the original is asked for in. Changing it buys no image again.",
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
        "Whether to fetch an image that the server answers as a link instead of as data. Only "
        "public https addresses are fetched, without the key, following no redirect.",
    )

    def falling_back(self, models: tuple[str, ...]) -> GatewaySettings:
        """The same, with models that stand in when one fails (fact sheet, section 8)."""
        if not models:
            return self
        routing = {**self.provider_options.get("gateway", {}), "models": list(models)}
        return replace(self, provider_options={**self.provider_options, "gateway": routing})

    @property
    def is_sketch(self) -> bool:
        """Whether the emulator inside this process draws."""
        return self.url == SKETCH_URL

    @property
    def is_vercel(self) -> bool:
        """Whether this is Vercel's AI Gateway itself."""
        return urlsplit(self.url).hostname == urlsplit(GATEWAY_URL).hostname

    @property
    def sketch_server(self) -> str:
        """URL of the server if its sketches count as originals; ``""`` for Vercel's AI Gateway."""
        return "" if self.is_vercel else self.url
