"""Builds where there is no network: the same bytes, and no socket.

A site is built once beside a server. Then it is built again in another folder, with OFFLINE set,
without a key and in an empty network namespace, from what the first build kept. A fork's build has
nothing at all. Where the kernel refuses a namespace, every call that needs the network is refused
by an audit hook instead, and the figure's name says so.
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
from mkdocs_imagegen.emulator.server import serve
from tests.soak.figures import Figure
from tests.support import Site

_BUILD_S = 120.0
_KEY = "soak-key-of-no-server"
_EPOCH = "1790000000"
_PAGES = 4
_NAMESPACE = ("unshare", "--map-root-user", "--net")
_HOOK = '''"""Notes every use of the network in a file, and refuses it where that is asked for."""

import os
import socket
import sys

NOTES, REFUSES = os.environ["SOCKET_NOTES"], os.environ.get("SOCKET_REFUSED")
OUTSIDE = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
LOCAL = (socket.AF_UNIX,)


def hear(event, arguments):
    is_made = event == "socket.__new__" and arguments[1] not in LOCAL
    is_used = event in OUTSIDE and arguments[0].family not in LOCAL
    if is_made or is_used or event in NAMES:
        with open(NOTES, "a") as notes:
            notes.write(f"{event} {arguments[1:]}\\n")
        if REFUSES:
            raise OSError(f"{event}: there is no network")


sys.addaudithook(hear)
'''


@dataclass(frozen=True, slots=True)
class Build:
    """What one build left behind."""

    site: Path
    exit_code: int
    sockets: int
    said: str


class Machine:
    """Builds sites, with a network or without.

    Args:
        folder: where its own files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._builds = 0
        (folder / "hook").mkdir()
        (folder / "hook" / "sitecustomize.py").write_text(_HOOK)
        self.refusal = _why_no_namespace()

    @property
    def way(self) -> str:
        """How the network is taken away."""
        return f"with sockets refused, since {self.refusal}" if self.refusal else "in a namespace"

    def build(self, site: Site, *, has_network: bool, **environ: str) -> Build:
        """Build a site as the command line does."""
        self._builds += 1
        notes = self._folder / f"sockets-{self._builds}"
        command = [sys.executable, "-m", "mkdocs", "build"]
        more = environ | {"SOCKET_NOTES": str(notes)}
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
        sockets = len(notes.read_text().splitlines()) if notes.exists() else 0
        return Build(site.folder / "site", done.returncode, sockets, done.stdout + done.stderr)

    def _environ(self) -> Mapping[str, str]:
        ours = ("AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN", "OFFLINE", "CI")
        clean = {name: value for name, value in os.environ.items() if name not in ours}
        hook = str(self._folder / "hook")
        fixed = {"SOURCE_DATE_EPOCH": _EPOCH, "NO_MKDOCS_2_WARNING": "1"}
        return clean | fixed | {"PYTHONPATH": os.pathsep.join([hook, clean.get("PYTHONPATH", "")])}


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build so many sites beside a server, without a network, and as a fork does."""
    folder = folder / "machine"
    folder.mkdir()
    machine = Machine(folder)
    online, offline, forks = [], [], []
    differences = unmarked = 0
    for number in range(rounds):
        site = _site(number, folder / f"online-{number}")
        with serve(Emulator()) as server:
            site.options["gateway"]["url"] = server.url
            online.append(machine.build(site, has_network=True, SOAK_KEY=_KEY))
        elsewhere = _moved(number, site, folder / f"offline-{number}")
        offline.append(machine.build(elsewhere, has_network=False, OFFLINE="1"))
        differences += _differences(online[-1].site, offline[-1].site)
        fork = _forked(site, folder / f"fork-{number}")
        forks.append(machine.build(fork, has_network=False))
        unmarked += _PAGES - len(list(forks[-1].site.glob("assets/imagegen/missing-*.svg")))
    _tell([each for each in (*online, *offline, *forks) if each.exit_code])
    return [
        Figure(f"builds {machine.way}", len(offline) + len(forks), least=2 * rounds),
        Figure("sockets of the builds beside a server", _sockets(online), least=rounds),
        Figure("images of the builds beside a server", _images(online), least=_PAGES * rounds),
        Figure("sockets of the offline builds", _sockets(offline), most=0),
        Figure("files that differ offline", differences, most=0),
        Figure("sockets of the forks' builds", _sockets(forks), most=0),
        Figure("images of the forks without a placeholder", unmarked, most=0),
        Figure("images of the forks", _images(forks), most=0),
        Figure("builds that failed", _failed(online, offline, forks), most=0),
    ]


def _sockets(builds: Sequence[Build]) -> int:
    return sum(each.sockets for each in builds)


def _failed(*groups: Sequence[Build]) -> int:
    return sum(each.exit_code != 0 for builds in groups for each in builds)


def _images(builds: Sequence[Build]) -> int:
    files = (path for each in builds for path in each.site.glob("assets/imagegen/*"))
    return sum(path.suffix != ".svg" for path in files)


def _tell(failed: Sequence[Build]) -> None:
    for each in failed[:3]:
        print(f"exit {each.exit_code}:\n{each.said}", file=sys.stderr)  # noqa: T201 - says why


def _site(number: int, folder: Path) -> Site:
    """A site; the themes and where the originals are kept take turns."""
    site = Site(folder)
    for page in range(_PAGES):
        prompt = f"Prompt {page} of site {number}"
        site.write(f"page{page}.md", f"# Page {page}\n\n```imagegen\n{prompt}\n```\n")
    site.config["theme"] = {"name": "material" if number % 2 else "mkdocs", "font": False}
    if not number % 2:
        del site.config["theme"]["font"]
    site.options["gateway"] = {"key_env": "SOAK_KEY", "timeout": 30}
    if number % 3 == 1:
        site.options["originals_dir"] = "pictures"
    return site


def _moved(number: int, site: Site, folder: Path) -> Site:
    """The same site on another machine, with what it has kept: all, or the originals alone."""
    moved = _copied(site, folder, "site", *(("derived",) if number % 3 else ()))
    if number % 3 == 1:
        shutil.rmtree(folder / ".cache", ignore_errors=True)
    return moved


def _forked(site: Site, folder: Path) -> Site:
    return _copied(site, folder, "site", ".cache", "pictures")


def _copied(site: Site, folder: Path, *without: str) -> Site:
    shutil.copytree(site.folder, folder, ignore=shutil.ignore_patterns(*without))
    copied = Site.__new__(Site)
    copied.folder, copied.docs, copied.config = folder, folder / "docs", site.config
    return copied


def _differences(one: Path, other: Path) -> int:
    """How many files are in one only, or differ in any byte."""
    names = {path.relative_to(each) for each in (one, other) for path in each.rglob("*")}
    files = sorted(str(name) for name in names if not (one / name).is_dir())
    _, different, unreadable = filecmp.cmpfiles(one, other, files, shallow=False)
    for name in [*different, *unreadable][:5]:
        print(f"differs: {name}", file=sys.stderr)  # noqa: T201 - says which
    return len(different) + len(unreadable)


def _why_no_namespace() -> str:
    """Why there can be no empty network namespace; ``""`` where there can."""
    try:
        done = subprocess.run(
            [*_NAMESPACE, "true"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unshare cannot be run ({type(error).__name__})"
    return f"the kernel refuses one ({done.stderr.strip()})" if done.returncode else ""
