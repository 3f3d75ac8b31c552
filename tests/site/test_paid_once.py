"""Images are charged once when folders, records, options and machines change."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mkdocs_imagegen.spending import ledger
from tests.paid import PaidEmulator, PaidSite, fence, snapshot
from tests.support import Built, recorded

PROMPTS = ("A red balloon", "A glass bottle", "A gray heron")
SAMPLES = Path(__file__).parents[1] / "originals/samples"
LOCATION = "docs/index.md:3"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def remove_cache(site: PaidSite) -> None:
    shutil.rmtree(site.folder / ".cache")


CHANGES: dict[str, tuple[str | None, str | None, str]] = {
    "named": (None, "images/kept", ""),
    "renamed": ("images/kept", "images/other", ""),
    "removed": ("images/kept", None, ""),
    "respelled": ("imagegen-originals", "./imagegen-originals", ""),
    "respelled with another folder": ("images/kept", "images/../images/kept/", ""),
    "cache changed": (None, None, "other-cache"),
    "cache and folder changed": ("images/kept", "images/kept", "other-cache"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_folders_sends_no_request(paid_site: PaidSite, change: str) -> None:
    before, after, cache = CHANGES[change]
    paid_site.write_prompts(*PROMPTS)
    assert paid_site.requests_of_build(**_folders(before)) == 3
    paid_site.options.pop("originals_dir", None)
    more = {"cache_dir": cache} if cache else {}
    for _ in range(2):
        assert paid_site.requests_of_build(**_folders(after), **more) == 0
        assert paid_site.states == ["ready"] * 3
        assert paid_site.built.warnings == []


def _folders(originals: str | None) -> dict[str, str]:
    return {"originals_dir": originals} if originals else {}


@pytest.mark.parametrize("originals", [None, "images/kept"])
def test_deleted_cache_sends_no_request(paid_site: PaidSite, originals: str | None) -> None:
    paid_site.write_prompts(*PROMPTS)
    assert paid_site.requests_of_build(**_folders(originals)) == 3
    shutil.rmtree(paid_site.folder / ".cache")
    assert paid_site.requests_of_build() == 0
    assert paid_site.states == ["ready"] * 3


@pytest.mark.parametrize("originals", [None, "images/kept"])
def test_checkout_in_another_folder_sends_no_request(
    paid_site: PaidSite, tmp_path: Path, originals: str | None
) -> None:
    paid_site.write_prompts(*PROMPTS)
    assert paid_site.requests_of_build(**_folders(originals)) == 3
    copied = moved_to(paid_site, tmp_path / "elsewhere/site")
    paid_site.folder.rename(tmp_path / "gone")
    assert copied.requests_of_build() == 0
    copied.options.pop("originals_dir", None)
    assert copied.requests_of_build() == 0
    assert copied.states == ["ready"] * 3


def moved_to(site: PaidSite, folder: Path) -> PaidSite:
    """Copy a site with all of its files."""
    other = PaidSite(folder, site.emulator)
    shutil.copytree(site.folder, folder, dirs_exist_ok=True)
    other.config = json.loads(json.dumps(site.config))
    return other


def test_adopted_originals_stay_where_they_were(paid_site: PaidSite) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.requests_of_build()
    before = snapshot(paid_site.originals)
    paid_site.requests_of_build(originals_dir="images/kept")
    assert any("adopted 3 originals from" in text for text in paid_site.built.infos)
    assert snapshot(paid_site.originals) == before


def test_pushes_with_a_cache_of_originals_generate_each_image_once(
    paid: PaidEmulator, tmp_path: Path
) -> None:
    """As with actions/cache of `imagegen-originals` alone: each run starts with a new checkout."""
    cache = tmp_path / "cache"
    for number in range(1, 4):
        runner = PaidSite(tmp_path / f"runner{number}", paid)
        runner.write_prompts(*PROMPTS[:number])
        if cache.exists():
            shutil.copytree(cache, runner.originals)
        assert runner.requests_of_build() == 1
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(runner.originals, cache)
    assert paid.prompts == list(PROMPTS)


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["2026-11-23-alpha", "2026-11-23-journal", "2026-11-28"])
@pytest.mark.parametrize("named", [None, "images/kept"])
def test_store_of_an_earlier_version_sends_no_request(
    paid_site: PaidSite, sample: str, named: str | None
) -> None:
    paid_site.options["model"] = "openai/gpt-image-1-mini"
    old = SAMPLES / sample
    shutil.copy(old / "index.md", paid_site.docs)
    cache = paid_site.folder / ".cache/plugin/imagegen"
    originals = paid_site.folder / named if named else cache / "originals"
    shutil.copytree(old / "originals", originals)
    if (old / "journal").exists():
        shutil.copytree(old / "journal", cache / ("journal-0123abcd" if named else "journal"))
    before = snapshot(originals)
    assert paid_site.requests_of_build(**_folders(named)) == 0
    assert set(paid_site.states) == {"ready"} | (
        {"refused"} if (old / "journal").exists() else set()
    )
    kept = snapshot(originals)
    assert {path: kept[path] for path in before} == before
    for warning in paid_site.built.warnings:
        assert Path(warning.rpartition("delete ")[2]).is_file()
    shutil.rmtree(paid_site.folder / ".cache")
    paid_site.requests_of_build()
    # Only a refusal in a folder that no option names is forgotten, and it is not charged.
    assert set(paid_site.emulator.prompts) <= ({"A refused prompt"} if named is None else set())


Damage = Callable[[Path, bytes], None]


def _conflict(path: Path, content: bytes) -> None:
    theirs = content.replace(b'"take": 1', b'"take": 1, "sha256": "' + b"0" * 64 + b'"')
    text = b"<<<<<<< HEAD\n%s=======\n%s>>>>>>> branch\n" % (content, theirs)
    path.write_bytes(text)


def _unknown_field(path: Path, content: bytes) -> None:
    path.write_text(json.dumps(json.loads(content) | {"photographer": "Ada"}))


DAMAGES: list[Damage] = [
    _conflict,
    _unknown_field,
    lambda path, _: path.write_bytes(b""),
    lambda path, content: path.write_bytes(content[: len(content) // 2]),
]


@pytest.mark.slow
def test_damaged_records_of_100_originals_send_no_request(paid_site: PaidSite) -> None:
    paid_site.write_prompts(*(f"Prompt {number}" for number in range(100)))
    limit = {"images": None, "usd": None}
    assert paid_site.requests_of_build(budget=limit) == 100
    shown = paid_site.built.page("index.html")
    folder = paid_site.folder
    (folder / ".gitignore").write_text("/site/\n/.cache/\nreport.json\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Generate images")
    records = paid_site.records
    for number, damage in enumerate(DAMAGES):
        for path in records[20 * number : 20 * number + 20]:
            damage(path, path.read_bytes())
    git(folder, "commit", "-q", "-a", "-m", "Damage records")
    deleted = records[80:]
    for path in deleted:
        path.unlink()
    index, before = git(folder, "ls-files", "--stage"), snapshot(paid_site.originals)
    for _ in range(2):
        assert paid_site.requests_of_build() == 0
        assert paid_site.states == ["ready"] * 100
        assert paid_site.built.page("index.html") == shown
        (warning,) = paid_site.built.warnings
        assert "60 files are damaged" in warning
        assert "`mkdocs-imagegen verify --repair`" in warning
        after = snapshot(paid_site.originals)
        assert {path: after[path] for path in before} == before
        assert after.keys() - before.keys() == set(deleted)
        changed = git(folder, "status", "--porcelain").splitlines()
        names = [path.relative_to(folder).as_posix() for path in deleted]
        assert sorted(changed) == sorted(f" M {name}" for name in names)
        assert git(folder, "ls-files", "--stage") == index
        shutil.rmtree(folder / ".cache")
    assert all(json.loads(path.read_bytes())["rebuilt"] is True for path in deleted)


class Later(datetime):
    """A clock that is a day ahead."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + timedelta(hours=24, minutes=1)


@pytest.mark.slow
def test_prompt_without_an_image_is_charged_twice_then_once_a_day_later(
    paid_site: PaidSite, paid: PaidEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_site.write_prompts("A cursed prompt")
    paid.fault = "half-image"
    for _ in range(6):
        paid_site.requests_of_build()
    assert paid.requests == 2
    (warning,) = paid_site.built.warnings
    assert "2 requests returned no image and were charged (about $0.082)" in warning
    assert "`mkdocs-imagegen generate LOCATION --again`" in warning
    monkeypatch.setattr(ledger, "datetime", Later)
    assert [paid_site.requests_of_build() for _ in range(3)] == [1, 0, 0]
    (warning,) = paid_site.built.warnings
    assert "3 requests returned no image and were charged (about $0.123)" in warning
    monkeypatch.setattr(ledger, "datetime", datetime)
    assert paid_site.requests_of_build() == 0
    paid.fault = "ok"
    assert paid_site.requests_of_build() == 0
    done = paid_site.command("generate", LOCATION, "--again")
    assert done.exit_code == 0, done.output
    assert paid.requests == 4
    assert paid_site.requests_of_build() == 0
    assert paid_site.states == ["ready"]


def test_prompt_without_an_image_rests_in_another_checkout(
    paid_site: PaidSite, paid: PaidEmulator, tmp_path: Path
) -> None:
    paid_site.write_prompts("A cursed prompt")
    paid.fault = "half-image"
    for _ in range(3):
        paid_site.requests_of_build()
    shutil.rmtree(paid_site.folder / ".cache")
    shutil.rmtree(paid_site.originals / "work")
    assert moved_to(paid_site, tmp_path / "elsewhere").requests_of_build() == 0
    paid_site.write_prompts("A cursed prompt", take=2)
    paid.fault = "ok"
    assert paid_site.requests_of_build() == 1
    assert paid_site.states == ["made"]


@pytest.mark.slow
def test_outage_blocks_no_image_of_later_builds(paid_site: PaidSite, paid: PaidEmulator) -> None:
    paid_site.write_prompts(*(f"Prompt {number}" for number in range(40)))
    paid.fault = "hung-up"
    for _ in range(6):
        paid_site.requests_of_build(budget={"images": None, "usd": None})
        assert "made" not in paid_site.states
    paid.fault = "ok"
    assert paid_site.requests_of_build() == 40
    assert paid_site.states == ["made"] * 40
    assert paid_site.requests_of_build() == 0


def _without(name: str) -> str:
    """Return code after which Pillow lacks a format, as if it was built without it."""
    return f"sys.modules['PIL._{name}'] = None"


BUILD = "from mkdocs.__main__ import cli; sys.exit(cli(['build']))"


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["webp", "avif"])
def test_pillow_without_a_format_shows_every_image(
    paid_site: PaidSite, paid: PaidEmulator, missing: str
) -> None:
    paid_site.write_prompts(*PROMPTS)
    for requests in (3, 3):
        done = paid_site.run_after(f"{_without(missing)}\n{BUILD}")
        assert done.returncode == 0, done.stderr
        assert paid.requests == requests
        assert "WARNING" not in done.stderr
        images = paid_site.folder / "site/assets/imagegen"
        assert len(list(images.glob("*.jpg"))) == 6
        assert not list(images.glob(f"*.{missing}"))
        assert "missing-" not in (paid_site.folder / "site/index.html").read_text()
    assert paid_site.requests_of_build() == 0
    assert paid_site.states == ["ready"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["webp", "avif"])
def test_named_format_without_an_encoder_is_an_error_before_a_charge(
    paid_site: PaidSite, paid: PaidEmulator, missing: str
) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.options["variants"] = {"formats": [missing]}
    done = paid_site.run_after(f"{_without(missing)}\n{BUILD}")
    assert paid.requests == 0
    assert f"this Pillow cannot write {missing}" in done.stderr
    assert f"install a Pillow with {missing}" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["webp", "avif"])
def test_image_that_this_machine_cannot_decode_is_kept_for_another(
    paid_site: PaidSite, paid: PaidEmulator, missing: str
) -> None:
    if missing == "avif":
        Image.init()
        if "AVIF" not in Image.SAVE:
            pytest.skip("this Pillow writes no AVIF")
    paid.output_format = missing
    paid_site.write_prompts(PROMPTS[0])
    for _ in range(2):
        done = paid_site.run_after(f"{_without(missing)}\n{BUILD}")
        assert done.returncode == 0, done.stderr
        assert paid.requests == 1
        assert "missing-" in (paid_site.folder / "site/index.html").read_text()
    (image,) = paid_site.images_of_originals
    assert image.suffix == f".{missing}"
    (record,) = paid_site.records
    assert json.loads(record.read_bytes())["is_decoded"] is False
    assert paid_site.requests_of_build() == 0
    assert paid_site.states == ["ready"]
    assert paid_site.built.warnings == []


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (300, 200), "teal").save(path)
    return path


@pytest.mark.slow
def test_imported_photo_stays_until_it_is_generated_again(
    paid_site: PaidSite, paid: PaidEmulator, photo: Path
) -> None:
    paid_site.write_prompts(PROMPTS[0])
    assert paid_site.requests_of_build() == 1
    generated = set(paid_site.built.images())
    done = paid_site.command("import", str(photo), LOCATION)
    assert done.exit_code == 0, done.output
    assert paid_site.requests_of_build() == 0
    shown = set(paid_site.built.images())
    assert shown.isdisjoint(generated)
    other = "openai/gpt-image-2.5-flare"
    exact = {"model": other, "quality": "low"}
    changes: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"quality": "high"}, {}),
        ({"model": other}, {}),
        ({}, exact),
    ]
    for options, on_image in changes:
        paid_site.write_prompts(PROMPTS[0], **on_image)
        assert paid_site.requests_of_build(**options) == 0
        assert paid_site.states == ["ready"]
        assert set(paid_site.built.images()) == shown
        assert paid_site.built.warnings == []
    done = paid_site.command("generate", "--upgrade")
    assert done.exit_code == 0, done.output
    assert paid.requests == 1
    done = paid_site.command("generate", LOCATION, "--again")
    assert done.exit_code == 0, done.output
    assert "moved an imported file to " in done.output
    assert paid.requests == 2
    assert paid_site.requests_of_build() == 0
    assert set(paid_site.built.images()).isdisjoint(shown)
    assert paid_site.states == ["ready"]
    assert paid_site.command("verify").exit_code == 0
    assert photo.read_bytes() in {
        path.read_bytes() for path in (paid_site.originals / "work/quarantine").iterdir()
    }


def test_imported_photo_is_not_replaced_by_a_sketch(paid_site: PaidSite, photo: Path) -> None:
    paid_site.write_prompts(PROMPTS[0])
    assert paid_site.command("import", str(photo), LOCATION).exit_code == 0
    paid_site.options["gateway"] = {"url": "sketch:"}
    paid_site.save()
    assert paid_site.command("generate", LOCATION, "--again").exit_code == 0
    assert paid_site.requests_of_build() == 0
    assert paid_site.states == ["ready"]


def test_imported_photo_needs_no_generated_image(paid_site: PaidSite, photo: Path) -> None:
    paid_site.write_prompts(PROMPTS[0])
    assert paid_site.command("import", str(photo), LOCATION).exit_code == 0
    assert paid_site.requests_of_build() == 0
    assert paid_site.states == ["ready"]


def test_record_of_an_imported_photo_is_written_again(paid_site: PaidSite, photo: Path) -> None:
    paid_site.write_prompts(PROMPTS[0])
    assert paid_site.command("import", str(photo), LOCATION).exit_code == 0
    (record,) = paid_site.records
    record.unlink()
    assert paid_site.requests_of_build(model="openai/gpt-image-2.5-flare") == 0
    assert paid_site.records == [record]
    assert paid_site.states == ["ready"]
    assert paid_site.command("verify").exit_code == 0


def test_again_without_a_location_is_a_usage_error(paid_site: PaidSite, paid: PaidEmulator) -> None:
    paid_site.write_prompts(*PROMPTS)
    done = paid_site.command("generate", "--again")
    assert done.exit_code == 2
    assert "--again needs a LOCATION" in done.output
    assert paid.requests == 0


def test_again_sends_one_request_and_keeps_the_earlier_image(
    paid_site: PaidSite, paid: PaidEmulator
) -> None:
    paid_site.write_prompts(*PROMPTS)
    assert paid_site.requests_of_build() == 3
    before = paid_site.images_of_originals
    shown = set(paid_site.built.images())
    done = paid_site.command("generate", LOCATION, "--again")
    assert done.exit_code == 0, done.output
    assert paid.prompts[3:] == [PROMPTS[0]]
    assert len(paid_site.images_of_originals - before) == 1
    assert before < paid_site.images_of_originals
    assert len(paid_site.records) == 3
    assert paid_site.requests_of_build() == 0
    changed = set(paid_site.built.images())
    assert len(changed - shown) == len(shown - changed) == 2  # two widths
    assert paid_site.command("verify").exit_code == 0


@pytest.mark.slow
def test_killed_again_is_completed_by_the_next_build(
    paid_site: PaidSite, paid: PaidEmulator
) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.requests_of_build()
    shown = set(paid_site.built.images())
    kill = (
        "import os\nfrom mkdocs_imagegen.originals.store import OriginalStore\n"
        "OriginalStore.replace = lambda *_, **__: os.kill(os.getpid(), 9)"
    )
    done = paid_site.run_after(kill, "generate", LOCATION, "--again")
    assert done.returncode == -9
    assert paid.requests == 4
    assert paid_site.requests_of_build() == 0
    assert any("stored an image that an earlier build" in text for text in paid_site.built.infos)
    assert len(set(paid_site.built.images()) - shown) == 2
    assert paid_site.requests_of_build() == 0
    assert not list((paid_site.originals / "work/journal").iterdir())


HOOK = "def on_page_context(context, **_):\n    raise RuntimeError('the hook is broken')\n"


def test_build_that_fails_after_paying_says_what_was_kept(paid_site: PaidSite) -> None:
    paid_site.write_prompts(*PROMPTS)
    (paid_site.folder / "hook.py").write_text(HOOK)
    paid_site.config["hooks"] = ["hook.py"]
    with recorded() as records, pytest.raises(RuntimeError, match="the hook is broken"):
        paid_site.build()
    (told,) = (text for text in Built(Path(), records).infos if "the build failed after" in text)
    assert "generated 3 images ($0.123)" in told
    assert f"kept in {paid_site.originals}" in told
    del paid_site.config["hooks"]
    assert paid_site.requests_of_build() == 0


@pytest.fixture
def _ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")


@pytest.mark.usefixtures("_ci")
def test_untracked_folder_warns_in_ci_with_count_and_dollars(paid_site: PaidSite) -> None:
    git(paid_site.folder, "init", "-q")
    paid_site.write_prompts(*PROMPTS[:2])
    assert paid_site.requests_of_build() == 2
    (warning,) = paid_site.built.warnings
    assert "2 images ($0.0" in warning
    assert "which git does not track" in warning
    assert paid_site.requests_of_build() == 0
    assert paid_site.built.warnings == []  # nothing was charged
    git(paid_site.folder, "add", "imagegen-originals")
    paid_site.write_prompts(*PROMPTS)
    assert paid_site.requests_of_build() == 1
    assert paid_site.built.warnings == []


def other_site(site: PaidSite, *prompts: str) -> None:
    """Write a second configuration in the folder of a site, with pages of its own."""
    config = site.folder / "other.yml"
    (site.folder / "other_docs").mkdir(exist_ok=True)
    page = "# Page\n\n" + "".join(map(fence, prompts))
    (site.folder / "other_docs/index.md").write_text(page)
    text = site.save().read_text()
    config.write_text(f"{text}docs_dir: other_docs\nsite_dir: other_site\n")


def test_prune_keeps_the_images_of_every_configuration(paid_site: PaidSite) -> None:
    paid_site.write_prompts(PROMPTS[0], "A prompt that is removed")
    other_site(paid_site, *PROMPTS[1:])
    assert paid_site.requests_of_build() == 2
    assert paid_site.command("generate", config="other.yml").exit_code == 0
    assert len(paid_site.records) == 4
    paid_site.write_prompts(PROMPTS[0])
    done = paid_site.command("prune", "--grace-days", "0", "--yes")
    assert done.exit_code == 0, done.output
    assert "1 unused original removed" in done.output
    kept = {json.loads(path.read_bytes())["prompt"] for path in paid_site.records}
    assert kept == set(PROMPTS)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["deleted", "invalid", "no docs"])
def test_prune_refuses_if_a_configuration_cannot_be_built(paid_site: PaidSite, fault: str) -> None:
    paid_site.write_prompts(PROMPTS[0])
    other_site(paid_site, *PROMPTS[1:])
    paid_site.requests_of_build()
    assert paid_site.command("generate", config="other.yml").exit_code == 0
    before = snapshot(paid_site.originals)
    config = paid_site.folder / "other.yml"
    if fault == "deleted":
        config.unlink()
    elif fault == "invalid":
        config.write_text("site_name: [")
    else:
        shutil.rmtree(paid_site.folder / "other_docs")
    done = paid_site.command("prune", "--grace-days", "0", "--yes")
    assert done.exit_code == 2
    assert str(config) in done.output
    assert str(paid_site.originals / "work/users.json") in done.output
    assert snapshot(paid_site.originals) == before
