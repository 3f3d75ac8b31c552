"""A repository whose workflow is a recipe, and runs of it by act, without a container.

`act`, the library of actions/cache and the action of this repository are real. Other actions have
substitutes: act checks out the repository itself, the Python of the tests has all requirements, an
uploaded file is copied, and nothing is published.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.manual.pages import ROOT
from tests.paid import MODEL, PaidEmulator, fence
from tests.recipes.files import PREVIEW, RECIPES
from tests.support import QUICK
from tests.tools import skip_or_fail

KEY = "key-of-the-docs-2f7b"
"""API key of the emulator, and the secret of the repository."""
_VARIABLE = "DOCS_GATEWAY_KEY"
"""Variable of the API key: AI_GATEWAY_API_KEY is only for Vercel."""
_OWN = "mkdocs-imagegen/mkdocs-imagegen"
_USED = re.compile(r"uses: ([\w-]+/[\w-]+)(?:/[\w./-]+)?@(\w+)")
_CACHE = """name: Cache
description: Substitute
inputs: {{path: {{}}, key: {{}}, restore-keys: {{}}}}
outputs: {{cache-matched-key: {{description: Key of the restored cache}}}}
runs: {{using: node20, {runs}}}
"""
_IDLE = """name: Idle
description: Substitute
runs: {using: composite, steps: [{run: "true", shell: sh}]}
"""
_UPLOAD = """name: Upload
description: Substitute
inputs: {{path: {{required: true}}}}
runs:
  using: composite
  steps:
    - run: cp "$FILE" {folder}
      shell: sh
      env: {{FILE: "${{{{ inputs.path }}}}"}}
"""
_WITH_LOOPBACK = """
import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x49))  # SIOCSIFFLAGS: up
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Program that starts a command in a network namespace that has only a loopback address."""
_RUN_S = 240.0


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """Result of one run of the workflow.

    Attributes:
        code: Exit code of act, 0 if all jobs succeeded.
        requests: Number of image requests that reached the emulator.
        output: Output of act and of all steps.
    """

    code: int
    requests: int
    output: str

    @property
    def summary(self) -> str:
        """Counts of the plugin's summary."""
        return re.findall(r"imagegen: (\d+ images?: .+)", self.output)[-1]

    @property
    def changes(self) -> str:
        """First line of the list of images for review."""
        return re.findall(r"\| (.+ to generate.*\.)", self.output)[-1]

    @property
    def saved(self) -> list[str]:
        """Names of the caches that were saved, or could not be."""
        return re.findall(r"substitute (?:saved|refused) (\S+)", self.output)


class Repository:
    """Repository with a site whose images an emulator generates.

    Args:
        folder: Folder of the repository and of the caches.
        recipe: Name of the workflow.
        emulator: Emulator that requires an API key.
    """

    def __init__(self, folder: Path, recipe: str, emulator: PaidEmulator) -> None:
        self.folder = folder / "repository"
        self._work = folder / "act"
        self._emulator = emulator
        text = (RECIPES / recipe).read_text(encoding="utf-8")
        text = text.replace("AI_GATEWAY_API_KEY", _VARIABLE)
        used = _USED.findall(text + (PREVIEW / "action.yml").read_text(encoding="utf-8"))
        self._actions = {f"{name}@{commit}": self._substitute(name) for name, commit in used}
        self._git("init", "--quiet", "--initial-branch=main")
        self.write(".github/workflows/docs.yml", text)
        self.write("requirements.txt", "# The environment of the tests has all packages.\n")
        self.write(".gitignore", ".cache/\nsite/\n")
        gateway = {"url": emulator.url, "key_env": _VARIABLE}
        options = {
            "model": MODEL,
            "gateway": gateway,
            "variants": {**QUICK},
            "on_missing": "ON_MISSING",
            "locked": "LOCKED",
        }
        config = {"site_name": "A site", "theme": "mkdocs", "plugins": [{"imagegen": options}]}
        text = yaml.safe_dump(config).replace("ON_MISSING", "!ENV [IMAGEGEN_ON_MISSING, warn]")
        self.write("mkdocs.yml", text.replace("LOCKED", "!ENV [IMAGEGEN_LOCKED, false]"))

    @property
    def contact_sheet(self) -> str:
        """The uploaded page."""
        return (self._work / "contact-sheet.html").read_text(encoding="utf-8")

    def commit(self, *prompts: str, ignores: Sequence[str] = ()) -> None:
        """Commit a page with image blocks, and all files that git does not ignore."""
        self.write("docs/index.md", "# Page\n\n" + "".join(fence(each) for each in prompts))
        if ignores:
            self.write(
                ".gitignore", "".join(f"{each}\n" for each in (".cache/", "site/", *ignores))
            )
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "-m", "Change the site")

    def commit_images(self, *prompts: str) -> None:
        """Commit a page with image blocks, and their images, as the author does."""
        self.commit(*prompts)
        self.build()
        self.commit(*prompts)

    def build(self) -> None:
        """Build on the author's machine, with the API key."""
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
        environ = self._environ() | {_VARIABLE: KEY}
        subprocess.run(command, cwd=self.folder, env=environ, check=True)
        shutil.rmtree(self.folder / ".cache")

    def merge(self) -> None:
        """Let the main branch of the server be at the current commit."""
        self._git("update-ref", "refs/remotes/origin/main", "HEAD")

    def push(self, *variables: str) -> WorkflowRun:
        """Run the workflow as a push to the main branch does, with the secrets."""
        self.merge()
        given = (f"--var={each}" for each in variables)
        return self._run(["push", "-s", f"{_VARIABLE}={KEY}", *given])

    def open_pull_request(self) -> WorkflowRun:
        """Run the workflow as a pull request of the same repository does, with the secrets."""
        return self._run([*self._pull_request(), "-s", f"{_VARIABLE}={KEY}"])

    def open_pull_request_from_fork(self) -> WorkflowRun:
        """Run the workflow without secrets, in a network namespace without a network."""
        namespace = ["unshare", "--map-root-user", "--net", sys.executable, "-c", _WITH_LOOPBACK]
        if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode:
            skip_or_fail("a network namespace is not permitted")
        return self._run(self._pull_request(), namespace)

    def _pull_request(self) -> list[str]:
        event = self._work / "pull_request.json"
        branches = {"number": 7, "head": {"ref": "topic"}, "base": {"ref": "main"}}
        event.write_text(json.dumps({"number": 7, "pull_request": branches}), encoding="utf-8")
        return ["pull_request", "-e", str(event)]

    def _run(self, event: Sequence[str], namespace: Sequence[str] = ()) -> WorkflowRun:
        options = ["--platform=ubuntu-latest=-self-hosted", "--defaultbranch=main"]
        options += [f"--local-repository={name}={path}" for name, path in self._actions.items()]
        caches, actions = self._work / "caches", self._work / "actions"
        options += [f"--cache-server-path={caches}", "--cache-server-addr=127.0.0.1"]
        before = self._emulator.requests
        done = subprocess.run(
            [*namespace, "act", *event, *options, f"--action-cache-path={actions}"],
            cwd=self.folder,
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        return WorkflowRun(done.returncode, self._emulator.requests - before, done.stdout)

    def _environ(self) -> dict[str, str]:
        """Return an environment that has no secret and no settings of the user."""
        programs = (str(Path(sys.executable).parent), os.environ["PATH"])
        (self._work / "home").mkdir(parents=True, exist_ok=True)
        return {
            "HOME": str(self._work / "home"),
            "PATH": os.pathsep.join(programs),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "HOME_OF_NPM": os.environ.get("ACTIONS_CACHE_HOME", ""),
            "NO_MKDOCS_2_WARNING": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_QUIET": "1",
        }

    def _substitute(self, name: str) -> Path:
        """Write the substitute of an action, and return its folder."""
        folder = self._work / "substitutes" / name
        if name == _OWN:
            path = folder / PREVIEW.relative_to(ROOT)
            shutil.copytree(PREVIEW, path, dirs_exist_ok=True)
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        if name == "actions/cache":
            _write_cache(folder)
        else:
            is_upload = name == "actions/upload-artifact"
            text = _UPLOAD.format(folder=self._work) if is_upload else _IDLE
            (folder / "action.yml").write_text(text, encoding="utf-8")
        return folder

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def _git(self, *arguments: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        environ = self._environ() | {"GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", *author, *arguments], cwd=self.folder, env=environ, check=True)


def require_tools() -> None:
    """Skip the test, or fail it in CI, if a program is missing."""
    bin_ = Path(sys.executable).parent
    for program in ("act", "git", "node"):
        if shutil.which(program) is None and not (bin_ / program).exists():
            skip_or_fail(f"{program} is not installed")
    modules = Path(os.environ.get("ACTIONS_CACHE_HOME", ".")) / "node_modules"
    if not (modules / "@actions/cache").is_dir():
        skip_or_fail("ACTIONS_CACHE_HOME has no npm package @actions/cache")


def _write_cache(folder: Path) -> None:
    script = Path(__file__).with_name("cache.mjs").read_text(encoding="utf-8")
    kinds: dict[str, Any] = {
        "": "main: restore.mjs, post: post.mjs",
        "restore": "main: ../restore.mjs",
        "save": "main: ../save.mjs",
    }
    for kind, runs in kinds.items():
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / "action.yml").write_text(_CACHE.format(runs=runs), encoding="utf-8")
    for step in ("restore", "save", "post"):
        (folder / f"{step}.mjs").write_text(f'const step = "{step}";\n{script}', encoding="utf-8")
