"""Behavior on Windows and on file systems that ignore case, simulated elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from mkdocs_imagegen import files
from mkdocs_imagegen.derived.quarantine import folder_id, quarantine
from mkdocs_imagegen.spending.claims import Claims
from tests.paid import PaidSite
from tests.support import Site

PROMPT = "Füße 🦆 …"
PAGE = f"# Page\n\n```imagegen\n{PROMPT}\n```\n"
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MAX_PATH = 160
"""Longest path below the site, out of 260 characters on Windows."""


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Treat this system as Windows, and return the waits for open files."""
    waits: list[float] = []
    monkeypatch.setattr(files, "_IS_WINDOWS", True)
    monkeypatch.setattr(files.time, "sleep", waits.append)
    return waits


def fail_first(monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
    """Let a function of `os` fail as if another program had the file open."""
    real, left = getattr(os, name), [times]

    def function(*paths: Path) -> None:
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "The process cannot access the file")
        real(*paths)

    monkeypatch.setattr(files.os, name, function)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("sync", [True, False])
def test_write_waits_while_another_program_has_the_file_open(tmp_path, monkeypatch, sync) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    fail_first(monkeypatch, "replace", 3)
    files.write_atomic(path, b"new", sync=sync)
    assert path.read_bytes() == b"new"


def test_write_gives_up_when_the_file_stays_open(tmp_path, monkeypatch, windows) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    fail_first(monkeypatch, "replace", 100)
    with pytest.raises(PermissionError):
        files.write_atomic(path, b"new")
    assert 1 < sum(windows) < 3
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="Windows waits")
def test_write_does_not_wait_on_other_systems(tmp_path, monkeypatch) -> None:
    fail_first(monkeypatch, "replace", 1)
    with pytest.raises(PermissionError):
        files.write_atomic(tmp_path / "file", b"new")


def refuse_links(*_: object) -> None:
    raise OSError(1, "Incorrect function")


@pytest.mark.usefixtures("windows")
def test_first_write_never_replaces_a_file_without_hard_links(tmp_path, monkeypatch) -> None:
    """Such as exFAT, where creating a link fails before the name is looked up."""
    monkeypatch.setattr(files.os, "link", refuse_links)
    path = tmp_path / "record.json"
    assert files.write_first(path, b"first")
    assert not files.write_first(path, b"second")
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.usefixtures("windows")
def test_first_write_loses_against_another_writer_on_windows(tmp_path, monkeypatch) -> None:
    def rename(_: Path, target: Path) -> None:
        target.write_bytes(b"first")  # by another build, at the same instant
        raise FileExistsError(17, "Cannot create a file when that file already exists")

    monkeypatch.setattr(files.os, "link", refuse_links)
    monkeypatch.setattr(files.os, "rename", rename)
    assert not files.write_first(tmp_path / "record.json", b"second")
    assert (tmp_path / "record.json").read_bytes() == b"first"


def test_cache_that_cannot_be_moved_stays_without_a_claim(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "derived"
    folder.mkdir()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        quarantine(folder, folder_id(folder))
    assert [*folder.iterdir()] == []  # the next build need not wait for this one


def test_claim_ends_when_its_file_cannot_be_deleted(tmp_path, monkeypatch) -> None:
    """Windows deletes no file that is open, as the file of a claim is until its end."""
    unlink = Path.unlink

    def refuse(path: Path, **options: bool) -> None:
        if path.suffix == ".lock":
            raise PermissionError(13, "The process cannot access the file")
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", refuse)
    claims = Claims(tmp_path / "work/claims")
    for _ in range(2):
        with claims.claim("a" * 64) as is_claimed, claims.claim("a" * 64) as again:
            assert (is_claimed, again) == (True, False)


def test_names_of_all_files_are_valid_on_windows(paid_site: PaidSite) -> None:
    paid_site.options["report"] = "report.json"
    paid_site.write("index.md", PAGE + '\n![con](imagegen:"aux."){ id=nul }\n')
    paid_site.build()
    paths = [path.relative_to(paid_site.folder) for path in paid_site.folder.rglob("*")]
    own = [path for path in paths if {"imagegen", "imagegen-originals"} & {*path.parts}]
    assert any("assets" in path.parts for path in own)
    names = {part for path in own for part in path.parts}
    assert [name for name in names if _FORBIDDEN.search(name) or _RESERVED.fullmatch(name)] == []
    assert max(len(str(path)) for path in own) <= MAX_PATH
    assert len({str(path).casefold() for path in own}) == len(own)
    assert not any(PureWindowsPath(path).is_reserved() for path in own)


@pytest.mark.parametrize(
    "encoding",
    ["cp1252", *(pytest.param(each, marks=pytest.mark.slow) for each in ("cp437", "utf-8"))],
)
def test_commands_print_on_a_console_with_any_encoding(site: Site, encoding) -> None:
    site.write("index.md", PAGE)
    site.save()
    command = [sys.executable, "-m", "mkdocs_imagegen"]
    environ = os.environ | {"PYTHONIOENCODING": encoding, "NO_MKDOCS_2_WARNING": "1"}

    def run(*arguments: str) -> bytes:
        done = subprocess.run(
            [*command, *arguments], cwd=site.folder, env=environ, capture_output=True, check=False
        )
        assert b"Traceback" not in done.stderr
        return done.stdout

    plan = json.loads(run("plan", "--json").decode(encoding))
    assert PROMPT in json.dumps(plan, ensure_ascii=False)
    assert "index.md" in run("plan").decode(encoding)
    json.loads(run("schema").decode(encoding))


def test_no_file_is_read_in_the_encoding_of_the_system(site: Site) -> None:
    site.write("index.md", PAGE)
    (site.folder / "prompts.yml").write_text(f"duck: {PROMPT}\n", encoding="utf-8")
    site.options.update(prompts="prompts.yml", report="report.json")
    site.save()
    python = [sys.executable, "-X", "warn_default_encoding", "-W", "always::EncodingWarning", "-m"]
    commands = [["mkdocs_imagegen", name] for name in ("plan", "gallery", "verify")]
    for command in (["mkdocs", "build"], *commands):
        done = subprocess.run(
            [*python, *command],
            cwd=site.folder,
            env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        warnings = re.findall(r"(.*):\d+: EncodingWarning", done.stderr)
        assert [path for path in warnings if "mkdocs_imagegen" in path] == []
