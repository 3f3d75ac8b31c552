"""Claims: one build generates an image, the others wait."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.spending.claims import Claims
from tests.originals.support import key_of

HOLDER = """
import sys, time
from pathlib import Path
from mkdocs_imagegen.spending.claims import Claims
with Claims(Path(sys.argv[1])).claim(sys.argv[2]) as is_ours:
    print(is_ours, flush=True)
    sys.stdin.readline()
"""


def holder(folder, key):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), key],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "True\n"
    return process


def is_free(folder, key):
    with Claims(folder).claim(key) as is_ours:
        return is_ours


def test_claim_excludes_the_same_process_until_its_end(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    with Claims(folder).claim(key) as is_ours:
        assert is_ours
        assert not is_free(folder, key)
        assert is_free(folder, key_of("b"))
    assert is_free(folder, key)


def test_claim_excludes_other_processes_until_its_holder_is_killed(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    process = holder(folder, key)
    assert not is_free(folder, key)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert is_free(folder, key)


def test_claim_ends_when_its_block_fails(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    with pytest.raises(RuntimeError), Claims(folder).claim(key):
        raise RuntimeError
    assert is_free(folder, key)


def test_claim_leaves_only_gitignore_behind(tmp_path):
    work = tmp_path / "work"
    for name in "abc":
        with Claims(work / "claims").claim(key_of(name)):
            pass
    assert list((work / "claims").iterdir()) == []
    assert (work / ".gitignore").read_text() == "*\n"


def test_claim_does_not_follow_link_at_lock_file(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    outside = tmp_path / "outside"
    folder.mkdir()
    (folder / f"{key}.lock").symlink_to(outside)
    with pytest.raises(StoreError), Claims(folder).claim(key):
        pass
    assert not outside.exists()


def test_claim_names_a_lock_file_that_cannot_be_opened(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    (folder / f"{key}.lock").mkdir(parents=True)
    with pytest.raises(StoreError, match=f"{key}.lock"), Claims(folder).claim(key):
        pytest.fail("the key was claimed")


def test_claim_fails_when_folder_cannot_be_written(tmp_path):
    (tmp_path / "claims").write_text("no folder")
    with (
        pytest.raises(StoreError, match="images cannot be stored in"),
        Claims(tmp_path / "claims").claim(key_of("a")),
    ):
        pass
