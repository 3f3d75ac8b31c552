"""`mkdocs serve` in a process of its own, and HTTP servers in a thread."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.support import Site
from tests.waiting import MAX_WAIT_S, wait_until

_HOOK = """\
from pathlib import Path

def on_post_build(config):
    with Path(__file__).with_name("builds.log").open("a") as file:
        file.write("built\\n")
"""
_IMAGE_FILE = re.compile(r'src="([^"]*assets/imagegen/[^"]*)"')


@dataclass
class Server:
    """A running `mkdocs serve`, with its output and its pages."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    @property
    def output(self) -> str:
        return self.log.read_text()

    def builds(self) -> int:
        """Return the number of builds, counted by a hook: MkDocs drops repeated log lines."""
        path = self.log.with_name("builds.log")
        return len(path.read_text().splitlines()) if path.exists() else 0

    def wait_for_builds(self, number: int) -> None:
        self.wait_until(lambda: self.builds() >= number)

    def wait_until(self, is_met: Callable[[], object], timeout_s: float = MAX_WAIT_S) -> None:
        """Wait for a condition; fail at once if the server ends."""

        def is_met_or_ended() -> object:
            assert self.process.poll() is None, self.output
            return is_met()

        wait_until(is_met_or_ended, lambda: self.output, timeout_s=timeout_s)

    def get(self, path: str = "") -> str:
        """Return the text at a path; waits for a build in progress."""
        return self.read(path).decode()

    def read(self, path: str) -> bytes:
        """Return the bytes at a path; waits for a build in progress."""
        url = self.url + path
        with urllib.request.urlopen(url, timeout=MAX_WAIT_S) as response:  # noqa: S310 - loopback
            return bytes(response.read())

    def image_files(self, page: str = "") -> list[str]:
        """Return the paths of the images of a page that the plugin wrote."""
        return [each.lstrip("./") for each in _IMAGE_FILE.findall(self.get(page))]

    def placeholder_text(self, page: str = "") -> str:
        """Return the text of a page's placeholders."""
        texts: list[str] = []
        self.wait_until(lambda: self._read_placeholders(page, texts))
        return "\n".join(texts)

    def _read_placeholders(self, page: str, texts: list[str]) -> bool:
        """Return False if a build replaced a placeholder between page and image."""
        texts.clear()
        with suppress(urllib.error.HTTPError):
            placeholders = [each for each in self.image_files(page) if each.endswith(".svg")]
            svgs = [self.get(each) for each in placeholders]
            texts += [" ".join(re.findall(">([^<]+)</text>", each)) for each in svgs]
            return True
        return False

    def wait_for_image(self, page: str = "", timeout_s: float = MAX_WAIT_S) -> None:
        """Wait until a page shows images and no placeholder."""

        def has_image() -> bool:
            names = self.image_files(page)
            return bool(names) and not any(name.endswith(".svg") for name in names)

        self.wait_until(has_image, timeout_s)

    def wait_for_text(self, text: str, page: str = "") -> None:
        """Wait until a placeholder of a page contains a text."""
        self.wait_until(lambda: text in self.placeholder_text(page))

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=MAX_WAIT_S)


@contextmanager
def serving(
    site: Site,
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    program: Sequence[str] = (sys.executable, "-m", "mkdocs"),
) -> Iterator[Server]:
    """Run a server, and yield it after its first build."""
    log = site.folder / "serve.log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site.config |= {"dev_addr": f"127.0.0.1:{port}", "site_url": "", "hooks": ["hook.py"]}
    (site.folder / "hook.py").write_text(_HOOK)
    site.save()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*program, "serve", "--livereload", *arguments],
            cwd=site.folder,
            env=os.environ | {"NO_MKDOCS_2_WARNING": "1"} | dict(environ or {}),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, log, f"http://127.0.0.1:{port}/")
    try:
        server.wait_until(lambda: "Serving on" in server.output)
        yield server
        if process.poll() is None:
            server.end()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def serving_http(server: ThreadingHTTPServer) -> Iterator[str]:
    """Run a server in a thread, and yield its URL."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
