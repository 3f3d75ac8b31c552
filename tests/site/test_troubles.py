"""Messages and reactions of a build when a request or a stored file fails."""

from __future__ import annotations

import errno
import io
import logging
import shutil
import traceback
from pathlib import Path

import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.errors import StoreError
from tests.paid import PaidSite
from tests.support import ORIGINALS, Built, Site
from tests.waiting import MAX_WAIT_S

CANARY = "canary-4f1c9e-credential"


def pages(site: Site, number: int) -> None:
    site.options["model"] = "openai/gpt-image-2"  # no warning about a shutdown date
    for each in range(number):
        site.write(f"page{each}.md", f"# Page\n\n```imagegen\nPrompt {each}\n```\n")


def build_with(site: Site, emulator: Emulator, **options: object) -> Built:
    with EmulatorServer(emulator) as server:
        gateway = {"url": server.url, "key_env": "TEST_KEY", "timeout": MAX_WAIT_S}
        site.options.update({"gateway": gateway, **options})
        return site.build()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", CANARY)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("insufficient-funds", "credit"),
        ("authentication", "TEST_KEY"),
        ("model-not-found", "gpt-image"),
    ],
)
def test_run_is_stopped_when_error_affects_every_request(
    site: Site, fault: str, words: str
) -> None:
    """No request starts after the first such error, which is the cause of all missing images."""
    pages(site, 12)
    emulator = Emulator(plan=[fault] * 12)
    built = build_with(site, emulator, concurrency=2)
    posts = [seen for seen in emulator.log if seen.method == "POST"]
    assert len(posts) <= 3
    assert emulator.bill.images == 0
    (warning,) = built.warnings
    assert warning.startswith("imagegen: 12 images are missing: ")
    assert words in warning
    assert "(docs/page0.md:3, docs/page1.md:3, docs/page10.md:3, 9 more); " in warning
    assert built.summary == "imagegen: 12 images: 12 failed"


def test_request_with_unknown_outcome_is_not_repeated(site: Site) -> None:
    pages(site, 1)
    emulator = Emulator(plan=["cut", "ok"])
    built = build_with(site, emulator)
    assert emulator.bill.images == 1
    assert "1 failed" in built.summary
    assert "may have been charged" in built.warnings[0]


def test_rate_limited_request_is_retried(site: Site) -> None:
    pages(site, 1)
    emulator = Emulator(plan=["retry-after-ms", "ok"])
    built = build_with(site, emulator)
    assert "1 sketch drawn" in built.summary
    assert emulator.bill.images == 1


def test_refused_prompt_is_reported_and_other_images_are_generated(site: Site) -> None:
    pages(site, 3)
    emulator = Emulator(plan=["ok", "moderation-blocked", "ok"])
    built = build_with(site, emulator, concurrency=1)
    assert "2 sketches drawn" in built.summary
    (warning,) = built.warnings
    assert warning.startswith("imagegen: docs/page")


def test_unusable_response_is_kept_in_quarantine(site: Site) -> None:
    pages(site, 1)
    emulator = Emulator(plan=["bad-base64"])
    built = build_with(site, emulator)
    assert "1 failed" in built.summary
    assert len(list((site.originals / "work/quarantine").iterdir())) == 1


def test_image_of_another_size_is_cropped_and_reported(site: Site) -> None:
    del site.options["variants"]
    pages(site, 1)
    with EmulatorServer(Emulator(plan=["wrong-size"])) as server:
        site.options["gateway"] = {"url": server.url, "key_env": "TEST_KEY"}
        built = site.build()
        before = built.files()
        again = site.build(strict=True)
    assert "1 sketch drawn" in built.summary
    assert built.warnings == []
    assert any("requested 1536x1024, received 776x516" in text for text in built.infos)
    assert again.summary.startswith("imagegen: 1 image: 1 sketch reused")
    assert again.files() == before
    widths = {Image.open(io.BytesIO(each)).width for each in built.images().values()}
    assert widths == {480, 774}  # of the requested ratio, and never enlarged


def test_damaged_original_is_neither_moved_nor_generated_again(paid_site: PaidSite) -> None:
    site = paid_site
    site.write_prompts("A red balloon")
    site.build()
    (image,) = site.images_of_originals
    intact = image.read_bytes()
    image.write_bytes(intact[:-1] + b"x")
    # The variants come from the undamaged file.
    assert site.build(strict=True).warnings == []
    for _ in range(2):
        shutil.rmtree(site.folder / ".cache/plugin/imagegen/derived", ignore_errors=True)
        (warning,) = site.build().warnings
        assert f"{image} cannot be used" in warning
        assert "and is not generated again" in warning
        assert "run `mkdocs-imagegen generate LOCATION --again`" in warning
    assert image.read_bytes() == intact[:-1] + b"x"
    assert not (site.originals / "work/quarantine").exists()
    image.write_bytes(intact)
    assert site.build(strict=True).warnings == []
    assert site.emulator.requests == 1


@pytest.mark.parametrize("is_short", [True, False])
def test_damaged_sketch_is_drawn_again(site: Site, is_short: bool) -> None:
    """It is free; damage that leaves the length is noticed when its files are derived."""
    pages(site, 1)
    before = site.build().files()
    (image,) = site.originals.rglob("*.webp")
    content = image.read_bytes()
    image.write_bytes(content[:-1] if is_short else content[:-1] + b"x")
    shutil.rmtree(site.folder / ".cache/plugin/imagegen/derived")
    if not is_short:
        assert "is damaged; build again to draw it" in site.build().warnings[0]
    built = site.build(strict=True)
    assert "1 sketch drawn" in built.summary
    assert built.files() == before
    assert image.read_bytes() == content


@pytest.mark.slow
@pytest.mark.parametrize("content", ["", "{", "<<<<<<< HEAD"])
def test_sketch_is_drawn_again_when_its_record_is_damaged(site: Site, content: str) -> None:
    pages(site, 1)
    site.build()
    site.records[0].write_text(content)
    assert "1 sketch drawn" in site.build(strict=True).summary
    assert "1 sketch reused" in site.build(strict=True).summary


def test_run_sends_no_request_when_originals_cannot_be_stored(site: Site) -> None:
    (site.folder / ORIGINALS).write_text("a file where the folder should be")
    pages(site, 3)
    emulator = Emulator()
    built = build_with(site, emulator)
    assert emulator.bill.images == 0
    (warning,) = built.warnings
    assert warning.startswith("imagegen: 3 images are missing: images cannot be stored in ")


def test_image_is_saved_in_temporary_folder_when_disk_is_full(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("no space left")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("mkdocs_imagegen.originals.store.OriginalStore.put", full)
    pages(site, 1)
    built = site.build()
    assert "1 sketch drawn" in built.summary
    warning = built.warnings[-1]
    (rescued,) = tmp_path.glob("imagegen-rescued-*/*.webp")
    assert str(rescued) in warning


def test_unreadable_original_is_not_generated_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages(site, 1)
    emulator = Emulator()
    build_with(site, emulator)

    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("mkdocs_imagegen.originals.judge.read_plain_file", broken)
    built = build_with(site, emulator)
    assert emulator.bill.images == 1
    assert "cannot be used (Input/output error)" in built.warnings[0]


def test_git_lfs_pointer_is_not_generated_again(site: Site) -> None:
    pages(site, 1)
    site.options["originals_dir"] = "images"
    emulator = Emulator()
    build_with(site, emulator)
    (image,) = (site.folder / "images").rglob("*.webp")
    image.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    built = build_with(site, emulator)
    assert emulator.bill.images == 1
    assert image.exists()
    assert "run `git lfs pull`" in built.warnings[0]


def test_unknown_model_stops_only_its_own_images(site: Site) -> None:
    pages(site, 4)
    site.write("wrong.md", "![A dog](imagegen:?model=openai/gpt-image-1-mimi)\n")
    emulator = Emulator()
    built = build_with(site, emulator, concurrency=1)
    assert "4 sketches drawn" in built.summary
    assert "1 failed" in built.summary


def test_run_is_stopped_when_server_is_unreachable(site: Site) -> None:
    pages(site, 20)
    site.options["max_wait"] = 0
    site.options["gateway"] = {"url": "http://127.0.0.1:9/v1", "auth": "none"}
    site.options["concurrency"] = 2
    built = site.build()
    assert built.summary == "imagegen: 20 images: 20 failed"
    (warning,) = built.warnings
    assert warning.startswith("imagegen: 20 images are missing: no connection to the server (")


def test_unwritable_report_is_a_warning(site: Site) -> None:
    pages(site, 1)
    (site.folder / "taken.json").mkdir()
    site.options["report"] = "taken.json"
    assert "cannot write the report" in site.build().warnings[-1]


@pytest.mark.parametrize("content", [b'{"name": "a package"}', b"[]", b"{", 500 * b"["])
def test_report_replaces_no_other_file(site: Site, content: bytes) -> None:
    pages(site, 1)
    (site.folder / "package.json").write_bytes(content)
    site.options["report"] = "package.json"
    (warning,) = site.build().warnings
    assert "package.json: it exists and is no report; delete it, or set `report`" in warning
    assert (site.folder / "package.json").read_bytes() == content


def test_report_replaces_an_earlier_report_and_an_empty_file(site: Site) -> None:
    pages(site, 1)
    (site.folder / "report.json").write_bytes(b"\n")
    site.options["report"] = "report.json"
    assert site.build(strict=True).summary
    assert site.report()["version"] == 1
    (site.docs / "page0.md").write_text("# No image\n")
    site.build(strict=True)
    assert site.report()["pictures"] == []


@pytest.mark.slow
def test_api_key_is_in_no_file_log_or_traceback(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Search the site, the cache, the report, the log at every level, and a traceback."""
    caplog.set_level(logging.DEBUG)
    pages(site, 4)
    site.options["report"] = "report.json"
    build_with(
        site, Emulator(plan=["ok", "authentication", "cut", "internal-error"]), concurrency=1
    )
    try:
        build_with(site, Emulator(plan=["cut"] * 4), on_missing="error")
    except Exception as error:  # noqa: BLE001 - every error is searched
        trace = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert CANARY not in "".join(trace.format())
    assert CANARY not in caplog.text
    for path in site.folder.rglob("*"):
        assert CANARY not in str(path)
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path
