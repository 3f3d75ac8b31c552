"""Builds without a network: the same bytes, and no socket.

A site is built once with a server. Then it is built again in another folder, with OFFLINE set,
without a key and in an empty network namespace, from the files of the first build. The build of a
fork has no such files. If the kernel refuses a namespace, an audit hook refuses every call that
needs the network, and the name of the figure says so.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.figures import Figure
from tests.support import ORIGINALS, Site
from tests.waiting import MAX_WAIT_S

_BUILD_S = 240.0
_KEY = "soak-key-of-no-server"
_EPOCH = "1790000000"
_PAGES = 4
_NAMESPACE = ("unshare", "--map-root-user", "--net")
_HOOK = '''"""Log every use of the network to a file, and refuse it if SOCKET_REFUSED is set."""

import os
import socket
import sys

LOG, REFUSES = os.environ["SOCKET_LOG"], os.environ.get("SOCKET_REFUSED")
OUTSIDE = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
LOCAL = (socket.AF_UNIX,)


def hear(event, arguments):
    is_made = event == "socket.__new__" and arguments[1] not in LOCAL
    is_used = event in OUTSIDE and arguments[0].family not in LOCAL
    if is_made or is_used or event in NAMES:
        with open(LOG, "a") as log:
            log.write(f"{event} {arguments[1:]}\\n")
        if REFUSES:
            raise OSError(f"{event}: no network")


sys.addaudithook(hear)
'''


@dataclass(frozen=True, slots=True)
class Build:
    """Result of one build."""

    site: Path
    exit_code: int
    sockets: int
    output: str


class Machine:
    """Machine that builds sites, with a network or without.

    Args:
        folder: Folder of its own files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._builds = 0
        (folder / "hook").mkdir()
        (folder / "hook" / "sitecustomize.py").write_text(_HOOK)
        self.refusal = _why_no_namespace()

    @property
    def way(self) -> str:
        """Description of the missing network."""
        return f"with sockets refused, because {self.refusal}" if self.refusal else "in a namespace"

    def build(self, site: Site, *, has_network: bool, **environ: str) -> Build:
        """Build a site with the command of MkDocs."""
        self._builds += 1
        log = self._folder / f"sockets-{self._builds}"
        command = [sys.executable, "-m", "mkdocs", "build"]
        more = environ | {"SOCKET_LOG": str(log)}
        if not has_network and not self.refusal:
            command = [*_NAMESPACE, *command]
        elif not has_network:
            more["SOCKET_REFUSED"] = "1"
        site.save()
        done = subprocess.run(
            command,
            cwd=site.folder,
            env=self._environ() | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=_BUILD_S,
        )
        sockets = len(log.read_text().splitlines()) if log.exists() else 0
        return Build(site.folder / "site", done.returncode, sockets, done.stdout + done.stderr)

    def _environ(self) -> Mapping[str, str]:
        unset = ("AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN", "OFFLINE", "CI")
        clean = {name: value for name, value in os.environ.items() if name not in unset}
        hook = str(self._folder / "hook")
        fixed = {"SOURCE_DATE_EPOCH": _EPOCH, "NO_MKDOCS_2_WARNING": "1"}
        return clean | fixed | {"PYTHONPATH": os.pathsep.join([hook, clean.get("PYTHONPATH", "")])}


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build sites with a server, without a network, and as a fork does."""
    folder = folder / "machine"
    folder.mkdir()
    machine = Machine(folder)
    online, offline, forks = [], [], []
    differences = unmarked = 0
    for number in range(rounds):
        site = _create_site(number, folder / f"online-{number}")
        with EmulatorServer(Emulator()) as server:
            site.options["gateway"]["url"] = server.url
            online.append(machine.build(site, has_network=True, SOAK_KEY=_KEY))
        elsewhere = _moved(number, site, folder / f"offline-{number}")
        offline.append(machine.build(elsewhere, has_network=False, OFFLINE="1"))
        differences += _differences(online[-1].site, offline[-1].site)
        fork = _forked(site, folder / f"fork-{number}")
        forks.append(machine.build(fork, has_network=False))
        unmarked += _PAGES - len(list(forks[-1].site.glob("assets/imagegen/missing-*.svg")))
    _print_failures([each for each in (*online, *offline, *forks) if each.exit_code])
    return [
        Figure(f"builds {machine.way}", len(offline) + len(forks), min_value=2 * rounds),
        Figure("sockets of the builds with a server", _sockets(online), min_value=rounds),
        Figure("images of the builds with a server", _images(online), min_value=_PAGES * rounds),
        Figure("sockets of the offline builds", _sockets(offline), max_value=0),
        Figure("files that differ offline", differences, max_value=0),
        Figure("sockets of the forks' builds", _sockets(forks), max_value=0),
        Figure("images of the forks without a placeholder", unmarked, max_value=0),
        Figure("images of the forks", _images(forks), max_value=0),
        Figure("builds that failed", _failed(online, offline, forks), max_value=0),
    ]


def _sockets(builds: Sequence[Build]) -> int:
    return sum(each.sockets for each in builds)


def _failed(*groups: Sequence[Build]) -> int:
    return sum(each.exit_code != 0 for builds in groups for each in builds)


def _images(builds: Sequence[Build]) -> int:
    files = (path for each in builds for path in each.site.glob("assets/imagegen/*"))
    return sum(path.suffix not in {".svg", ".css"} for path in files)


def _print_failures(failed: Sequence[Build]) -> None:
    for each in failed[:3]:
        print(f"exit {each.exit_code}:\n{each.output}", file=sys.stderr)  # noqa: T201 - details


def _create_site(number: int, folder: Path) -> Site:
    """Create a site; theme and originals folder take turns."""
    site = Site(folder)
    for page in range(_PAGES):
        prompt = f"Prompt {page} of site {number}"
        site.write(f"page{page}.md", f"# Page {page}\n\n```imagegen\n{prompt}\n```\n")
    site.config["theme"] = {"name": "material" if number % 2 else "mkdocs", "font": False}
    if not number % 2:
        del site.config["theme"]["font"]
    site.options["gateway"] = {"key_env": "SOAK_KEY", "timeout": MAX_WAIT_S}
    if number % 3 == 1:
        site.options["originals_dir"] = "originals"
    return site


def _moved(number: int, site: Site, folder: Path) -> Site:
    """Copy a site to another machine, with its cache or without it."""
    return _copied(site, folder, "site", *((".cache",) if number % 3 else ()))


def _forked(site: Site, folder: Path) -> Site:
    return _copied(site, folder, "site", ".cache", "originals", ORIGINALS)


def _copied(site: Site, folder: Path, *without: str) -> Site:
    shutil.copytree(site.folder, folder, ignore=shutil.ignore_patterns(*without))
    copied = Site.__new__(Site)
    copied.config_name = site.config_name
    copied.folder, copied.docs, copied.config = folder, folder / "docs", site.config
    return copied


def _differences(one: Path, other: Path) -> int:
    """Return the number of files that exist in one folder only, or that differ."""
    names = {path.relative_to(each) for each in (one, other) for path in each.rglob("*")}
    files = sorted(str(name) for name in names if not (one / name).is_dir())
    _, different, unreadable = filecmp.cmpfiles(one, other, files, shallow=False)
    for name in [*different, *unreadable][:5]:
        print(f"differs: {name}", file=sys.stderr)  # noqa: T201 - details
    return len(different) + len(unreadable)


def _why_no_namespace() -> str:
    """Return the reason for which there is no network namespace; ``""`` if there is one."""
    try:
        done = subprocess.run(
            [*_NAMESPACE, "true"], capture_output=True, text=True, check=False, timeout=MAX_WAIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unshare does not run ({type(error).__name__})"
    return f"the kernel refuses one ({done.stderr.strip()})" if done.returncode else ""
