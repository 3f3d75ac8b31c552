"""`mkdocs serve` in a process of its own, for the tests of what happens beside a server."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.support import Site

_HOOK = """\
from pathlib import Path

def on_post_build(config):
    with Path(__file__).with_name("builds.log").open("a") as file:
        file.write("built\\n")
"""
_MAX_TRIES = 5
_OURS = re.compile(r'src="([^"]*assets/imagegen/[^"]*)"')


@dataclass
class Server:
    """A server that runs, what it has said, and what it serves."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    @property
    def said(self) -> str:
        return self.log.read_text()

    def builds(self) -> int:
        """Counted by a hook: MkDocs drops a line of its log that repeats another."""
        path = self.log.with_name("builds.log")
        return len(path.read_text().splitlines()) if path.exists() else 0

    def wait_for_builds(self, number: int, seconds: float = 30) -> None:
        self.wait_until(lambda: self.builds() >= number, seconds)

    def wait_until(self, is_so: Callable[[], object], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)

    def get(self, path: str = "") -> str:
        """What is served there; waits for a build that is under way."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310 - our own
            return str(answer.read().decode())

    def quote_value(self, page: str = "") -> list[str]:
        """The paths of our files that a page shows in its images."""
        return [each.lstrip("./") for each in _OURS.findall(self.get(page))]

    def words(self, page: str = "") -> str:
        """What the stand-ins of a page say; read again where a build replaced them meanwhile."""
        for _ in range(_MAX_TRIES - 1):
            with suppress(urllib.error.HTTPError):
                return self._words(page)
        return self._words(page)

    def _words(self, page: str) -> str:
        stand_ins = [self.get(each) for each in self.quote_value(page) if each.endswith(".svg")]
        return "\n".join(" ".join(re.findall(">([^<]+)</text>", each)) for each in stand_ins)

    def wait_for_image(self, page: str = "", seconds: float = 30) -> None:
        """Wait until a page shows images and no stand-in."""

        def has_image() -> bool:
            names = self.quote_value(page)
            return bool(names) and not any(name.endswith(".svg") for name in names)

        self.wait_until(has_image, seconds)

    def wait_for_words(self, words: str, page: str = "", seconds: float = 30) -> None:
        self.wait_until(lambda: words in self.words(page), seconds)

    def end(self, number: int = signal.SIGINT, seconds: float = 30) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)


@contextmanager
def serving(
    site: Site, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server, once its first build is done."""
    log = site.folder / "serve.log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site.config |= {"dev_addr": f"127.0.0.1:{port}", "site_url": "", "hooks": ["hook.py"]}
    (site.folder / "hook.py").write_text(_HOOK)
    site.save()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "--livereload", *arguments],
            cwd=site.folder,
            env=os.environ | {"NO_MKDOCS_2_WARNING": "1"} | dict(environ or {}),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, log, f"http://127.0.0.1:{port}/")
    try:
        server.wait_until(lambda: "Serving on" in server.said)
        yield server
        if process.poll() is None:
            server.end()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=10)


@contextmanager
def answering(server: ThreadingHTTPServer) -> Iterator[str]:
    """The address of a server that answers in a thread of its own."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
