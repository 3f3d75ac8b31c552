"""Content of spoiled images, metadata, bodies and headers."""

import base64
import binascii
import io
import json
import zlib
from email.utils import parsedate_to_datetime

import pytest
from PIL import Image

from mkdocs_imagegen.emulator import fault_bodies


def spoiled(api, fault, **fields):
    response = api.generate(fault=fault, **fields)
    assert response.status == 200
    return json.loads(response.body)


def opened(text):
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


def test_metadata_is_spoiled(api):
    camel = spoiled(api, "camel-case-metadata")
    assert "provider_metadata" not in camel
    assert camel["providerMetadata"]["gateway"]["cost"] == "0.005"
    bare = spoiled(api, "no-metadata")
    assert not {"provider_metadata", "providerMetadata"} & set(bare)
    assert spoiled(api, "numeric-cost")["provider_metadata"]["gateway"]["cost"] == 0.005
    assert spoiled(api, "odd-cost")["provider_metadata"]["gateway"]["cost"] == "free"


def test_image_data_is_spoiled(api):
    assert spoiled(api, "empty-data")["data"] == []
    with pytest.raises(binascii.Error):
        opened(spoiled(api, "bad-base64")["data"][0]["b64_json"])
    with pytest.raises(OSError, match="cannot identify"):
        opened(spoiled(api, "not-an-image")["data"][0]["b64_json"])
    with pytest.raises(OSError, match="truncated"):
        opened(spoiled(api, "half-image", output_format="jpeg")["data"][0]["b64_json"]).load()
    prefixed = spoiled(api, "data-prefix", output_format="webp")["data"][0]["b64_json"]
    head, _, data = prefixed.partition(",")
    assert (head, opened(data).format) == ("data:image/webp;base64", "WEBP")


def test_images_are_replaced_by_urls(api):
    assert spoiled(api, "url")["data"] == [{"url": "https://images.example.invalid/sketch.png"}]
    (only,) = spoiled(api, "data-url")["data"]
    assert only["url"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize(("requested", "got"), [("png", "JPEG"), ("jpeg", "PNG"), ("webp", "PNG")])
def test_wrong_format_is_declared_as_the_requested_one(api, requested, got):
    body = spoiled(api, "wrong-format", output_format=requested)
    assert body["output_format"] == requested
    assert opened(body["data"][0]["b64_json"]).format == got


def test_wrong_size_is_declared_as_the_requested_one(api):
    body = spoiled(api, "wrong-size", size="1536x1024")
    assert body["size"] == "1536x1024"
    assert opened(body["data"][0]["b64_json"]).size == (776, 516)


def test_bodies_are_spoiled(api):
    with pytest.raises(json.JSONDecodeError):
        json.loads(api.generate(fault="truncated-json").body)
    assert api.generate(fault="html-200").body.startswith(b"<!doctype html>")
    assert api.generate(fault="empty-body").body == b""


def test_retry_after_has_every_form(make_api):
    api = make_api(clock=lambda: 1_800_000_000.0)
    assert "retry-after" not in api.generate(fault="rate-limit").headers
    assert api.generate(fault="retry-after").headers["retry-after"] == "1"
    date = parsedate_to_datetime(api.generate(fault="retry-after-date").headers["retry-after"])
    assert date.timestamp() == 1_800_000_002
    headers = api.generate(fault="retry-after-ms").headers
    assert (headers["retry-after-ms"], headers["retry-after"]) == ("150", "30")
    assert len(api.generate(fault="retry-after-hostile").headers["retry-after"]) == 400


@pytest.mark.parametrize("size", [2**24, 2**28])
def test_compressed_zeros_are_small_until_they_are_decompressed(size):
    unpacker, length = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    rest = fault_bodies.compressed_zeros(size)
    assert len(rest) < size / 900
    while rest:
        piece = unpacker.decompress(rest, 2**20)
        assert not piece.strip(b"\0")
        length, rest = length + len(piece), unpacker.unconsumed_tail
    assert (length, unpacker.eof, unpacker.unused_data) == (size, True, b"")


def test_gzip_bomb_is_smaller_than_two_megabytes(api):
    response = api.generate(fault="bomb")
    assert response.headers["content-encoding"] == "gzip"
    assert fault_bodies.GIGABYTE == 2**30
    assert len(response.body) < 2**21
