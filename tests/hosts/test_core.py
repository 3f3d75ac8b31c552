"""The package without a site generator: every module but the front doors, and the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mkdocs_imagegen.cli.main import SECTIONS
from mkdocs_imagegen.hosts.look import HOSTS
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from tests.syntax import MODULES, name_of

PACKAGES = [host.package for host in HOSTS]
MISSING = [*([each] for each in PACKAGES), PACKAGES]
DOORS = ("mkdocs_imagegen.hosts.mkdocs.", "mkdocs_imagegen.hosts.zensical")
COMMANDS = [command.name or "" for commands in SECTIONS.values() for command in commands]

BLOCK = """\
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {0!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""
RUN_ALL = """
from click.testing import CliRunner
from mkdocs_imagegen.cli.main import main
for arguments in {0!r}:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, (arguments, done.output, done.exception)
print(done.stdout)
"""


def run_without(packages: list[str], code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process in which packages cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", BLOCK.format(packages) + code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("packages", MISSING, ids=" ".join)
def test_core_imports_no_site_generator(packages: list[str], tmp_path: Path) -> None:
    names = [name_of(path) for path in MODULES]
    core = [name for name in names if not f"{name}.".startswith(DOORS) and "__main__" not in name]
    assert len(core) > 100
    code = f"from importlib import import_module\nfor name in {core!r}: import_module(name)"
    done = run_without(packages, code, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("packages", MISSING, ids=" ".join)
def test_commands_work_without_a_site_generator(packages: list[str], tmp_path: Path) -> None:
    options = f'{{gateway: {{url: "sketch:"}}, model: {SKETCH_MODEL}}}'
    (tmp_path / "docs").mkdir()
    theme = "{name: null, custom_dir: docs}"  # ProperDocs has no theme of its own
    config = f"site_name: A\ntheme: {theme}\nplugins: [imagegen: {options}]\n"
    (tmp_path / "mkdocs.yml").write_text(config)
    commands = [
        ["--version"],
        ["--help"],
        *([name, "--help"] for name in COMMANDS),
        ["schema", "--whole-file"],
        ["models"],
        ["credits"],
        ["verify", "--json"],
    ]
    done = run_without(packages, RUN_ALL.format(commands), tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["originals"] == 0


def test_command_that_builds_tells_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").write_text("site_name: A\nplugins: [imagegen]\n")
    code = "from mkdocs_imagegen.cli.main import main\nmain(['plan'])"
    assert run_without(PACKAGES, code, tmp_path).stderr == (
        "Error: no site generator for mkdocs.yml is installed (supported: MkDocs, ProperDocs, "
        "Zensical)\nhint: install MkDocs with `python3 -m pip install mkdocs`\n"
    )
