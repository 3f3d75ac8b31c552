"""Other plugins that put images into pages, and the server that draws for them."""

from __future__ import annotations

import http.server
import importlib.util
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ImageFont

from tests.benchmark.processes import BUILD, RunError, cost_of
from tests.benchmark.sites import nothing, page_of, site_of
from tests.serving import serving_http
from tests.support import Site

_MODULES = {"kroki": "kroki", "puml": "mkdocs_puml", "social": "cairosvg"}
_SIGNS = {"kroki": "kroki-generated-", "puml": "puml-container", "social": "assets/images/social/"}
"""What a page has in it, if they did their work."""

_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120" viewBox="0 0 240 120">'
    b'<rect x="10" y="10" width="90" height="50" fill="#eef"/><text x="20" y="40">Alice</text>'
    b'<rect x="140" y="60" width="90" height="50" fill="#efe"/><text x="150" y="90">Bob</text>'
    b'<path d="M100 35L140 85" stroke="#333"/></svg>'
)


NAMES = tuple(_MODULES)


def installed() -> list[str]:
    """Those that can run here."""
    return [name for name, module in _MODULES.items() if _is_there(module)]


def _is_there(module: str) -> bool:
    if importlib.util.find_spec(module) is None:
        return False
    try:
        importlib.import_module(module)
    except OSError:  # CairoSVG without Cairo
        return False
    return True


def site_with(name: str, folder: Path, pages: int, server: str) -> Site:
    """A site with one of them, built once, so that its cache is warm."""
    site = _MAKERS[name](folder, pages, server)
    site.save()
    cost_of(BUILD, site.folder)
    page = (site.folder / "site" / page_of(pages - 1)).with_suffix("") / "index.html"
    if _SIGNS[name] not in page.read_text():
        raise RunError(f"{name} has put no image into {page}")
    return site


def _kroki(folder: Path, pages: int, server: str) -> Site:
    """With POST, as only then its images are kept and become files of the site."""
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
    """With Pillow's own font where it keeps those that it has fetched, so that it fetches none."""
    site = site_of(folder, pages, nothing)
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


class _Drawing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.rfile.read(int(self.headers.get("content-length", 0)))
        # Each image is another one, as it would be.
        number = zlib.crc32(self.path.encode() + asked)
        body = _SVG.replace(b"Alice", b"A%d" % number)
        self.send_response(200)
        self.send_header("content-type", "image/svg+xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096  # one of them opens all its connections at once


@contextmanager
def diagram_server() -> Iterator[str]:
    """The address of a server that answers every request with a small diagram."""
    with serving_http(_Server(("127.0.0.1", 0), _Drawing)) as url:
        yield url
