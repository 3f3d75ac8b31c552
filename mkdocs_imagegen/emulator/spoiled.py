"""Faults in what is delivered: the image is computed and charged first; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mkdocs_imagegen.emulator import bombs, spoils
from mkdocs_imagegen.emulator.records import Answer, Fault, Job, Response


def _told(about: str, told: Callable[[Answer], Answer]) -> Fault:
    return Fault(about=about, shape="success", told=told)


def _drawn(about: str, drawn: Callable[[Job], Job]) -> Fault:
    return Fault(about=about, shape="success", drawn=drawn)


def _sent(about: str, sent: Callable[[Response], Response]) -> Fault:
    return Fault(about=about, shape="success", sent=sent)


SPOILED: Mapping[str, Fault] = MappingProxyType(
    {
        "camel-case-metadata": _told("metadata as providerMetadata", spoils.camel_case),
        "no-metadata": _told("no metadata, so no cost and no mark", spoils.no_metadata),
        "numeric-cost": _told("the cost as a number, not as text", spoils.numeric_cost),
        "odd-cost": _told("the cost as text that is no number", spoils.odd_cost),
        "empty-data": _told("200 without any image", spoils.no_images),
        "empty-picture": _told("a image of no bytes", spoils.empty_image),
        "bad-base64": _told("base64 with characters that are none", spoils.bad_base64),
        "not-an-image": _told("good base64 of something that is no image", spoils.no_image),
        "svg": _told("a drawing with a script in place of an image", spoils.svg),
        "half-image": _told("a image that ends in the middle", spoils.half_image),
        "data-prefix": _told("base64 behind a data: prefix", spoils.data_prefix),
        "url": _told("an https address instead of data", spoils.as_address),
        "data-url": _told("a data: address in `url`", spoils.as_data_address),
        "wrong-format": _drawn("another format than asked for", spoils.other_format),
        "wrong-size": _drawn("another size than asked for", spoils.other_size),
        "truncated-json": _sent("200 with JSON that ends in the middle", spoils.half),
        "html-200": _sent("200 with an HTML page", spoils.as_page),
        "empty-body": _sent("200 without a body", spoils.body(b"")),
        "null-200": _sent("200 with null", spoils.body(b"null")),
        "list-200": _sent("200 with a list", spoils.body(b"[]")),
        "odd-data": _sent(
            "200 whose data is no list", spoils.body(b'{"data":{"0":{"b64_json":"AAAA"}}}')
        ),
        "odd-picture": _sent(
            "200 whose image is a number", spoils.body(b'{"data":[{"b64_json":7}]}')
        ),
        "error-200": _sent("200 with an error in it", spoils.error_in_success),
        "accepted": _sent("202: the image will come some day", spoils.accepted),
        "no-content": _sent("204", lambda _: Response(204, {}, b"")),
        "nan": _sent("NaN as a cost", spoils.cost(b"NaN")),
        "infinite-cost": _sent("a cost of 1e999", spoils.cost(b"1e999")),
        "giant-number": _sent("a cost of 100,000 digits", spoils.cost(b"9" * 100_000)),
        "nested-json": _sent(
            "200 with 200,000 brackets, one in the other", spoils.body(b"[" * 200_000)
        ),
        "wide-json": _sent("200 with five million empty lists", bombs.wide),
        "gzip": _sent("good, though compressed without being asked", spoils.gzipped),
        "cut-gzip": _sent("compressed, and the end is missing", spoils.cut_gzip),
        "broken-gzip": _sent("said to be compressed, and is not", spoils.encoded("gzip")),
        "brotli": _sent("in an encoding that was not asked for", spoils.encoded("br")),
        "bomb": _sent("a megabyte that unpacks to a gigabyte", bombs.gigabyte),
        "late-error": _sent("500 after the image was computed", spoils.late(500)),
        "late-bad-gateway": _sent("502 after the image was computed", spoils.late(502)),
        "late-timeout": _sent("504 after the image was computed", spoils.late(504)),
    }
)
"""By name, in the order of the manual."""
