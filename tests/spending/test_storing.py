"""Storage of responses as originals."""

from __future__ import annotations

import tempfile
from dataclasses import replace

import pytest

from mkdocs_imagegen.errors import InvalidResponseError, StoreError
from mkdocs_imagegen.gateway.wire import decode_response
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending import storing
from mkdocs_imagegen.spending.storing import store_response
from tests.bench import BODY, PNG, SERVER, FakeGateway, body_of, intent, job, request
from tests.originals.support import png, read_original

VERCEL = "https://ai-gateway.vercel.sh/v1"
DAMAGED = body_of(PNG[:40])

RESPONSE = decode_response(BODY, request(), replace(GatewaySettings(), output_format="png"))


@pytest.fixture
def originals(tmp_path):
    return OriginalStore(tmp_path / "originals", inspect_image)


def test_response_becomes_an_original_with_a_remark_about_its_size(originals):
    result = store_response(originals, intent(request()), RESPONSE)
    assert read_original(originals, request().key) == result.original
    assert (result.was_generated, result.alarm) == (True, "")
    assert "requested 1024x1024, received 8x8; the image is cropped to fit" in result.remarks
    assert result.original.record.server == ""  # the address of a server may be private
    record = result.original.record
    assert (record.quality, record.asked_size) == (request().quality, "1024x1024")


def test_record_names_the_server_of_vercel(originals):
    result = store_response(originals, intent(request(), VERCEL), RESPONSE)
    assert result.original.record.server == VERCEL


def test_image_that_this_machine_cannot_decode_is_stored(originals, monkeypatch):
    avif = replace(RESPONSE, image=b"an image of a later format", mime="image/avif")
    monkeypatch.setattr(storing, "has_codec", lambda mime: mime != "image/avif")
    result = store_response(originals, intent(request()), avif)
    record = result.original.record
    assert (record.is_decoded, record.mime, record.size) == (False, "image/avif", request().size)
    assert result.original.path.read_bytes() == avif.image
    assert not originals.quarantine.exists()


def test_image_in_place_of_an_original_leaves_the_earlier_image(originals):
    first = store_response(originals, intent(request()), RESPONSE).original
    blue = replace(RESPONSE, image=png("blue"))
    kept = store_response(originals, intent(request()), blue).original
    assert kept == first
    again = store_response(originals, replace(intent(request()), replaces=True), blue).original
    assert originals.find_exact(request(), "") == again
    assert again.path.read_bytes() == blue.image
    assert first.path.read_bytes() == PNG


def test_sketch_is_stored_under_the_key_of_the_sketch(originals):
    sketch = replace(RESPONSE, is_sketch=True)
    result = store_response(originals, intent(request()), sketch)
    assert result.original.record.key == request().as_sketch.key
    assert originals.find_exact(request(), SERVER) == result.original
    assert originals.find_exact(request(), "https://y.example/v1") is None
    assert originals.find_exact(request(), "") is None


def test_damaged_image_is_an_error_with_its_bytes(originals):
    damaged = replace(RESPONSE, image=PNG[:40])
    with pytest.raises(InvalidResponseError, match="was charged and is damaged") as raised:
        store_response(originals, intent(request()), damaged)
    assert raised.value.body == PNG[:40]


@pytest.mark.parametrize("is_writable", [True, False])
def test_damaged_image_is_in_quarantine_or_in_the_journal(bench, is_writable):
    made = bench(FakeGateway(body=DAMAGED))
    quarantine = made.stores.originals.quarantine
    if not is_writable:
        quarantine.parent.mkdir(parents=True, exist_ok=True)
        quarantine.touch()
    (result,) = made.run_jobs(job(request()))
    assert "was charged and is damaged" in str(result.error)
    if is_writable:
        (file,) = quarantine.iterdir()
        assert file.read_bytes() == PNG[:40]
        assert str(result.error).endswith(f"the response is in {file}")
        assert made.journal == []
    else:
        (saved,) = made.stores.journal.find_responses(request().key)
        assert saved.body == DAMAGED


def test_image_is_saved_elsewhere_with_an_alarm_when_store_fails(originals, monkeypatch, tmp_path):
    def fail(*_, **_more):
        raise StoreError("no room")

    monkeypatch.setattr(OriginalStore, "put", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = store_response(originals, intent(request()), RESPONSE)
    assert result.alarm == f"no room; the image is in {result.original.path}"
    assert result.original.path.read_bytes() == PNG
