"""Settings of the server that generates images, and of the requests to it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    BOOLEAN,
    CREDENTIAL,
    TEXT,
    Parser,
    number,
    option,
    optional,
    words,
)

SKETCH_URL = "sketch:"
"""URL that selects the emulator in this process."""

GATEWAY_URL = "https://ai-gateway.vercel.sh/v1"
KEY_VARIABLE = "AI_GATEWAY_API_KEY"
OIDC_VARIABLE = "VERCEL_OIDC_TOKEN"
AUTO: Literal["auto"] = "auto"
FallbackModels = tuple[str, ...] | Literal["auto"]
_VARIABLE = re.compile(r"(?=.{1,29}$|.*_)[A-Z_]\w*", re.ASCII | re.IGNORECASE)
"""Name of a variable. Long text without an underscore is an API key, as of Azure."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts of this machine, which are reached without TLS and without a proxy."""


def _url(value: object) -> str | None:
    if not isinstance(value, str) or value == SKETCH_URL:
        return SKETCH_URL if value == SKETCH_URL else None
    try:
        parts, _ = urlsplit(value), urlsplit(value).port
    except ValueError:
        return None
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    plain = parts.hostname and not (parts.username or parts.password or parts.query)
    return value.rstrip("/") if secure and plain else None


def _json_object(value: object) -> Mapping[str, object] | None:
    try:
        json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, Mapping) else None


def _models(value: object) -> tuple[str, ...] | None:
    listed = value if isinstance(value, list) else [value]
    names = tuple(" ".join(each.split()) for each in listed if isinstance(each, str))
    return names if len(names) == len(listed) and all(names) else None


def _fallback_models(value: object) -> FallbackModels | None:
    return AUTO if str(value).strip().lower() == AUTO else _models(value)


def _variable(value: object) -> str:
    name = TEXT(value).strip()
    if _VARIABLE.fullmatch(name) is None or re.search(CREDENTIAL, name):
        # Without the value, which can be the API key.
        hint = "write a name such as AZURE_OPENAI_API_KEY, and not the API key"
        raise OptionError("not the name of an environment variable", hint=hint)
    if name.upper() in (KEY_VARIABLE, OIDC_VARIABLE):  # upper case: Windows knows one variable
        hint = "put the API key of the other server into a variable of its own"
        raise OptionError(f"{name} is sent to Vercel's AI Gateway only", hint=hint)
    return name


MODELS: Parser[tuple[str, ...]] = Parser(
    "a list of model IDs",
    _models,
    {"anyOf": [TEXT.schema, {"type": "array", "items": TEXT.schema}]},
    type="list of strings",
)
FALLBACK_MODELS: Parser[FallbackModels] = Parser(
    "auto | a list of model IDs",
    _fallback_models,
    MODELS.schema,
    type="`auto`, list of strings",
)
VARIABLE: Parser[str] = Parser("the name of an environment variable", _variable, TEXT.schema)
URL: Parser[str] = Parser(
    'https://…, http:// on this machine, or "sketch:"; without user name, password or query',
    _url,
    {"type": "string", "pattern": "^(https?://.|sketch:$)"},
    type="URL",
)
PROVIDER_OPTIONS: Parser[Mapping[str, object]] = Parser(
    "a mapping of names to JSON values: text, numbers, true, false, lists, mappings",
    _json_object,
    {"type": "object"},
    type="mapping",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Settings of the server that generates images, and of the requests to it."""

    url: str = option(
        GATEWAY_URL,
        URL,
        'Server URL up to and including `/v1`. `"sketch:"` selects the emulator built into the '
        "plugin: no API key, no network, labeled sketches instead of images.",
        "http://127.0.0.1:8080/v1",
    )
    timeout: float = option(
        300.0,
        number(1, 3600),
        "Maximum seconds per image, from sending the request to the last byte of the response.",
        "120",
    )
    auth: str = option(
        "bearer",
        words("bearer", "api-key", "none"),
        "Header for the API key: `Authorization: Bearer`, `api-key` (Azure), or no header.",
        "api-key",
    )
    key_env: str | None = option(
        None,
        optional(VARIABLE),
        "Environment variable with the API key of a server other than Vercel's AI Gateway. "
        "The gateway's own variables are never sent to another server.",
        "AZURE_OPENAI_API_KEY",
    )
    provider_options: Mapping[str, Any] = option(
        {},
        PROVIDER_OPTIONS,
        "Options that are passed to the gateway as `providerOptions`, by provider: "
        "`gateway: {order: [azure, openai]}`.",
        "openai: {moderation: low}",
    )
    output_format: str = option(
        "webp",
        words("webp", "jpeg", "png"),
        "Format to request for originals. Changing it does not regenerate images.",
        "png",
    )
    send_response_format: str = option(
        "auto",
        words("auto", "true", "false"),
        "Send `response_format: b64_json`. OpenAI's models reject it, LocalAI requires it. "
        "`auto` omits it.",
        "true",
    )
    send_provider_options: str = option(
        "auto",
        words("auto", "true", "false"),
        "Send `providerOptions`. `auto` sends it only to Vercel's AI Gateway.",
        "false",
    )
    accept_urls: bool = option(
        False,
        BOOLEAN,
        "Download images that the server returns as links instead of data. Only public HTTPS "
        "URLs are fetched, without the API key and without following redirects.",
        "true",
    )

    @property
    def routed_models(self) -> tuple[str, ...]:
        """Models to which AI Gateway itself may route a request, as the author has set.

        See https://vercel.com/docs/ai-gateway/models-and-providers/model-fallbacks.
        """
        routing = self.provider_options.get("gateway")
        models = routing.get("models") if isinstance(routing, Mapping) else None
        return tuple(map(str, models)) if isinstance(models, list) and self.is_vercel else ()

    @property
    def is_sketch(self) -> bool:
        """True if the emulator in this process draws sketches."""
        return self.url == SKETCH_URL

    @property
    def is_vercel(self) -> bool:
        """True if the server is Vercel's AI Gateway."""
        return urlsplit(self.url).hostname == urlsplit(GATEWAY_URL).hostname

    @property
    def sketch_server(self) -> str:
        """URL of the server if its sketches count as originals; ``""`` for Vercel's AI Gateway."""
        return "" if self.is_vercel else self.url
