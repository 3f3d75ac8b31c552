"""Other plugins that add images to pages, and the server that draws their diagrams."""

from __future__ import annotations

import http.server
import importlib.util
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ImageFont

from tests.benchmark.processes import BUILD, RunError, cost_of
from tests.benchmark.sites import no_text, page_of, site_of
from tests.serving import serving_http
from tests.support import Site

_MODULES = {"kroki": "kroki", "puml": "mkdocs_puml", "social": "cairosvg"}
_SIGNS = {"kroki": "kroki-generated-", "puml": "puml-container", "social": "assets/images/social/"}
"""Text in a page with an image of each plugin."""

_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120" viewBox="0 0 240 120">'
    b'<rect x="10" y="10" width="90" height="50" fill="#eef"/><text x="20" y="40">Alice</text>'
    b'<rect x="140" y="60" width="90" height="50" fill="#efe"/><text x="150" y="90">Bob</text>'
    b'<path d="M100 35L140 85" stroke="#333"/></svg>'
)


NAMES = tuple(_MODULES)


def installed() -> list[str]:
    """Return the names of the installed plugins."""
    return [name for name, module in _MODULES.items() if _is_installed(module)]


def _is_installed(module: str) -> bool:
    if importlib.util.find_spec(module) is None:
        return False
    try:
        importlib.import_module(module)
    except OSError:  # CairoSVG without Cairo
        return False
    return True


def site_with(name: str, folder: Path, pages: int, server: str) -> Site:
    """Create a site with one plugin, and build it once to fill its cache."""
    site = _MAKERS[name](folder, pages, server)
    site.save()
    cost_of(BUILD, site.folder)
    page = (site.folder / "site" / page_of(pages - 1)).with_suffix("") / "index.html"
    if _SIGNS[name] not in page.read_text():
        raise RunError(f"{name} added no image to {page}")
    return site


def _kroki(folder: Path, pages: int, server: str) -> Site:
    """Create a site with kroki and POST, because with GET its images are not cached."""
    site = site_of(folder, pages, lambda number: f"```kroki-mermaid\n{_graph(number)}```\n")
    options = {"server_url": server, "http_method": "POST", "fail_fast": True}
    site.config["plugins"].append({"kroki": options | {"cache_dir": ".cache/kroki"}})
    return site


def _puml(folder: Path, pages: int, server: str) -> Site:
    site = site_of(
        folder, pages, lambda number: f"```puml\n@startuml\n{_graph(number)}@enduml\n```\n"
    )
    cache = {"backend": "local", "local": {"path": ".cache/puml"}}
    options = {"puml_url": server, "cache": cache, "verbose": False}
    site.config["plugins"].append({"plantuml": options})
    return site


def _social(folder: Path, pages: int, _server: str) -> Site:
    """Create a site with cards, and with Pillow's font in the cache, so that none is downloaded."""
    site = site_of(folder, pages, no_text)
    font = ImageFont.load_default(size=10)
    assert isinstance(font, ImageFont.FreeTypeFont)  # as Pillow was built with FreeType
    fonts = folder / ".cache/plugin/social/fonts/Roboto"
    fonts.mkdir(parents=True)
    for style in ("Regular", "Bold"):
        (fonts / f"{style}.ttf").write_bytes(font.font_bytes)
    site.config["theme"] = site.config["theme"] | {"icon": {"logo": "material/ferry"}}
    site.config["plugins"].append("social")
    return site


_MAKERS = {"kroki": _kroki, "puml": _puml, "social": _social}


def _graph(number: int) -> str:
    return f"Alice -> Bob: message {number}\nBob -> Alice: answer {number}\n"


class _DiagramHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body_read = self.rfile.read(int(self.headers.get("content-length", 0)))
        # All images differ, as real ones do.
        number = zlib.crc32(self.path.encode() + body_read)
        body = _SVG.replace(b"Alice", b"A%d" % number)
        self.send_response(200)
        self.send_header("content-type", "image/svg+xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server expects

    def log_message(self, *_: object) -> None:
        """Log no request."""


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096  # one plugin opens all connections at the same time


@contextmanager
def diagram_server() -> Iterator[str]:
    """Serve a small diagram for every request, and yield the URL."""
    with serving_http(_Server(("127.0.0.1", 0), _DiagramHandler)) as url:
        yield url
