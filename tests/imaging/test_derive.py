"""The files of an image in the site: encoded once, then linked."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.errors import ImageError
from mkdocs_imagegen.imaging import encode as encoder
from mkdocs_imagegen.imaging.derive import FileVariantBuilder, PlanOf
from mkdocs_imagegen.imaging.variants import plan_variants
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.settings import VariantSettings
from tests.derived.support import logged
from tests.originals.support import record

SIZE = Size(120, 80)


def image_bytes() -> bytes:
    output = io.BytesIO()
    Image.effect_noise(SIZE, 60).convert("RGB").save(output, "PNG")
    return output.getvalue()


CONTENT = image_bytes()
ORIGINAL = Original(
    record(
        content=CONTENT, mime="image/png", width=SIZE.width, height=SIZE.height, has_alpha=False
    ),
    Path("originals"),
)


def planned(*widths: int) -> PlanOf:
    return lambda record: plan_variants(record, Layout(SIZE, widths), VariantSettings(), "keep")


PLAN_OF = planned(40, 80)
PLAN = PLAN_OF(ORIGINAL.record)


@pytest.fixture
def store(tmp_path):
    with logged() as messages:
        store = DerivedStore(tmp_path / "derived")
        yield store
        store.close()
    assert messages.warnings == []


def files_in(site):
    return {path.name: path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_build_writes_the_files_that_the_page_names(store, tmp_path) -> None:
    image = FileVariantBuilder(store, tmp_path / "site").build(ORIGINAL, CONTENT, PLAN_OF)
    names = [name for source in image.sources for name, _ in source.files]
    assert len(names) == 6
    for source in image.sources:
        for name, width in source.files:
            with Image.open(tmp_path / "site" / name) as opened:
                assert (opened.width, opened.get_format_mimetype()) == (width, source.mime)
    assert len(files_in(tmp_path / "site")) == len(names)
    assert image.size == SIZE
    assert image.blur.startswith("data:image/webp;base64,")


def test_find_needs_no_encoder(store, tmp_path, monkeypatch) -> None:
    built = FileVariantBuilder(store, tmp_path / "first").build(ORIGINAL, CONTENT, PLAN_OF)
    monkeypatch.setattr(encoder, "encode_variants", None)
    monkeypatch.setattr(encoder, "convert_to_srgb", None)
    found = FileVariantBuilder(store, tmp_path / "second").find(PLAN)
    assert found == built
    assert files_in(tmp_path / "second") == files_in(tmp_path / "first")


def test_find_returns_none_when_a_file_is_missing(store, tmp_path) -> None:
    builder = FileVariantBuilder(store, tmp_path / "site")
    assert builder.find(PLAN) is None
    builder.build(ORIGINAL, CONTENT, PLAN_OF)
    assert builder.find(planned(40, 80, 100)(ORIGINAL.record)) is None


def test_build_encodes_only_missing_files(store, tmp_path, monkeypatch) -> None:
    FileVariantBuilder(store, tmp_path / "site").build(ORIGINAL, CONTENT, PLAN_OF)
    encoded_sizes: list[Size] = []
    encode = encoder.encode_variants

    def counted(image, variants):
        encoded_sizes.extend(each.size for each in variants)
        return encode(image, variants)

    monkeypatch.setattr(encoder, "encode_variants", counted)
    FileVariantBuilder(store, tmp_path / "site").build(ORIGINAL, CONTENT, planned(40, 80, 100))
    assert encoded_sizes == [Size(100, 67)] * 2


@pytest.fixture
def encoded(monkeypatch) -> Counter:
    """Count how often each variant is encoded."""
    count: Counter = Counter()
    encode = encoder.encode_variants

    def counted(image, variants):
        for variant, content in encode(image, variants):
            count[variant] += 1
            yield variant, content

    monkeypatch.setattr(encoder, "encode_variants", counted)
    return count


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not kept"])
def test_concurrent_builds_encode_each_file_once(
    store, tmp_path, monkeypatch, encoded, keeps
) -> None:
    if not keeps:
        monkeypatch.setattr(store, "write", lambda *_: None)
    builder = FileVariantBuilder(store, tmp_path / "site")
    plans = [
        planned(*widths)
        for widths in ((40,), (60,), (80,), (100,), (80, 40), (100, 60), *[(40, 60, 80, 100)] * 2)
    ]
    start = threading.Barrier(len(plans))

    def build(each):
        start.wait(10)
        return builder.build(ORIGINAL, CONTENT, each)

    with ThreadPoolExecutor(len(plans)) as pool:
        built = [each.result(30) for each in [pool.submit(build, each) for each in plans]]
    names = {name for each in built for source in each.sources for name, _ in source.files}
    assert set(encoded.values()) == {1}
    assert len(encoded) == len(names) == 10
    assert files_in(tmp_path / "site").keys() == {name.rpartition("/")[2] for name in names}


def test_failed_file_fails_every_build_that_waits_for_it(store, tmp_path, monkeypatch) -> None:
    # A later build encodes the file again.
    builder = FileVariantBuilder(store, tmp_path / "site")
    encode, is_encoding, is_waited_for = (
        encoder.encode_variants,
        threading.Event(),
        threading.Event(),
    )

    def failing(_image, _variants):
        is_encoding.set()
        assert is_waited_for.wait(10)
        raise OSError("no space")

    monkeypatch.setattr(encoder, "encode_variants", failing)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(builder.build, ORIGINAL, CONTENT, PLAN_OF)
        assert is_encoding.wait(10)
        monkeypatch.setattr(encoder, "encode_variants", encode)
        second = pool.submit(builder.build, ORIGINAL, CONTENT, PLAN_OF)
        # When its four other files are written, it waits for the files of the narrowest size.
        while len(files_in(tmp_path / "site")) < 4 and not second.done():
            time.sleep(0.01)
        is_waited_for.set()
        for each in (first, second):
            with pytest.raises(OSError, match="no space"):
                each.result(10)
    builder.build(ORIGINAL, CONTENT, PLAN_OF)
    assert len(files_in(tmp_path / "site")) == 6


def test_build_writes_the_same_files_for_any_state_of_the_cache(tmp_path) -> None:
    sites = []
    for number, widths in enumerate([(), (40,), (80,), (40, 80)]):
        store = DerivedStore(tmp_path / f"derived{number}")
        site = tmp_path / f"site{number}"
        for each in (widths, (40, 80)):
            FileVariantBuilder(store, site).build(ORIGINAL, CONTENT, planned(*each))
        sites.append(files_in(site))
        store.close()
    assert all(files == sites[0] for files in sites)


def test_file_in_the_site_is_replaced_and_never_written_into(store, tmp_path) -> None:
    # The file may be a hard link to the value in the cache.
    builder = FileVariantBuilder(store, tmp_path / "site")
    image = builder.build(ORIGINAL, CONTENT, PLAN_OF)
    path = tmp_path / "site" / image.name
    before = path.read_bytes()
    builder.find(PLAN)
    path.unlink()
    path.write_bytes(b"optimized by another plugin")
    FileVariantBuilder(store, tmp_path / "site").find(PLAN)
    assert path.read_bytes() == before


def test_build_refuses_bytes_that_are_not_an_image(store, tmp_path) -> None:
    with pytest.raises(ImageError):
        FileVariantBuilder(store, tmp_path / "site").build(ORIGINAL, b"not an image", PLAN_OF)
    assert files_in(tmp_path / "site") == {}


def test_file_names_contain_the_hash_of_the_original() -> None:
    other = record(content=b"other", width=SIZE.width, height=SIZE.height)
    name = next(iter(planned()(other).files.values()))
    assert hashlib.sha256(b"other").hexdigest()[:16] in name


def test_build_follows_the_image_and_notes_a_record_that_differs(store, tmp_path) -> None:
    wrong = Original(
        replace(
            ORIGINAL.record,
            mime="image/webp",
            width=60,
            height=60,
            has_alpha=True,
            asked_size="120x80",
        ),
        ORIGINAL.folder,
    )
    builder = FileVariantBuilder(store, tmp_path / "site")
    assert builder.build(wrong, CONTENT, PLAN_OF) == builder.build(ORIGINAL, CONTENT, PLAN_OF)
    (defect,) = builder.defects.values()
    assert defect.path == ORIGINAL.folder / f"{ORIGINAL.record.key}.json"
    assert "width 60 instead of 120, height 60 instead of 80, has_alpha True" in defect.text


def test_build_notes_no_difference_of_an_image_that_was_not_decoded(store, tmp_path) -> None:
    # The record has the size that was requested.
    undecoded = replace(ORIGINAL.record, width=60, height=60, is_decoded=False)
    builder = FileVariantBuilder(store, tmp_path / "site")
    image = builder.build(Original(undecoded, ORIGINAL.folder), CONTENT, PLAN_OF)
    assert (image.size, builder.defects) == (SIZE, {})
