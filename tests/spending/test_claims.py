"""One build asks for an image; the others see that it does."""

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


def test_a_claim_holds_against_this_process_and_ends(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    with Claims(folder).claim(key) as is_ours:
        assert is_ours
        assert not is_free(folder, key)
        assert is_free(folder, key_of("b"))
    assert is_free(folder, key)


def test_a_claim_holds_against_other_processes_and_ends_with_the_holder(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    process = holder(folder, key)
    assert not is_free(folder, key)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert is_free(folder, key)


def test_a_claim_ends_when_what_it_was_for_fails(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    with pytest.raises(RuntimeError), Claims(folder).claim(key):
        raise RuntimeError
    assert is_free(folder, key)


def test_nothing_is_left_but_what_keeps_it_out_of_git(tmp_path):
    folder = tmp_path / "claims"
    for name in "abc":
        with Claims(folder).claim(key_of(name)):
            pass
    assert [path.name for path in folder.iterdir()] == [".gitignore"]
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_link_in_the_place_of_a_lock_leads_nowhere(tmp_path):
    folder, key = tmp_path / "claims", key_of("a")
    outside = tmp_path / "outside"
    folder.mkdir()
    (folder / f"{key}.lock").symlink_to(outside)
    with pytest.raises(StoreError), Claims(folder).claim(key):
        pass
    assert not outside.exists()


def test_a_folder_that_takes_nothing_is_told(tmp_path):
    (tmp_path / "claims").write_text("no folder")
    with (
        pytest.raises(StoreError, match="images cannot be stored in"),
        Claims(tmp_path / "claims").claim(key_of("a")),
    ):
        pass
