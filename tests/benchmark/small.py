"""Commands and small builds: `plan`, the start of a build, one response."""

from __future__ import annotations

from collections.abc import Collection

from tests.benchmark.comparing import AGAIN, PLAIN, difference_row, ratio_row
from tests.benchmark.figures import Goal, Row
from tests.benchmark.gateway import gateway, webp
from tests.benchmark.photographs import photograph
from tests.benchmark.processes import ours
from tests.benchmark.rounds import Bench, Contestant, run_rounds
from tests.benchmark.sites import TINY, add_plugin, fill, site_of, tiny_prompt
from tests.support import ORIGINALS

NAMES = ("plan", "start", "response")
_PROMPTS_PER_PAGE = 5
_RESPONSE_BYTES = 1_500_000
_MAX_IMAGES, _PAGES_PER_IMAGE = 20, 10
_NOTE = "CPU of `generate`, which stores originals; the emulator is another process"


def measure(bench: Bench, names: Collection[str]) -> list[Row]:
    """Run the named benchmarks."""
    functions = {"plan": plan, "start": start, "response": response}
    return [row for name, run in functions.items() if name in names for row in run(bench)]


def plan(bench: Bench) -> list[Row]:
    """Compare `plan` and `check` to a plain build of the pages."""
    pages = max(1, bench.pages // _PROMPTS_PER_PAGE)
    folder = bench.folder / "plan"
    bench.tell(f"plan: a site of {pages} pages")

    def prompts(number: int) -> str:
        numbers = range(number * _PROMPTS_PER_PAGE, (number + 1) * _PROMPTS_PER_PAGE)
        return "\n".join(map(tiny_prompt, numbers))

    plain = site_of(folder / "plain", pages)
    site = add_plugin(site_of(folder / "ours", pages, prompts), **TINY)
    fill(site, pages * _PROMPTS_PER_PAGE)
    contestants = [Contestant(PLAIN, plain.folder), Contestant(AGAIN, plain.folder)]
    contestants += [Contestant(name, site.folder, ours(name)) for name in ("plan", "check")]
    rounds = run_rounds(bench, "plan", contestants)
    figure = f"{pages * _PROMPTS_PER_PAGE} images on {pages} pages, CPU"
    return [
        ratio_row(
            rounds, "plan", f"{name}: {figure}", name, label="plain build", goal=Goal(1.1),
            note="all images are reused",
        )
        for name in ("plan", "check")
    ]  # fmt: skip


def start(bench: Bench) -> list[Row]:
    """Measure the cost of the plugin in a site without images."""
    plain = site_of(bench.folder / "start plain", 0, bare=True)
    site = add_plugin(site_of(bench.folder / "start ours", 0, bare=True))
    contestants = [Contestant(PLAIN, plain.folder), Contestant(AGAIN, plain.folder)]
    rounds = run_rounds(bench, "start", [*contestants, Contestant("ours", site.folder)])
    figure = "one page without images, extra CPU"
    return [difference_row(rounds, "start", figure, "ours", unit="ms", scale=1000.0)]


def response(bench: Bench) -> list[Row]:
    """Measure from socket to stored original, in processes that generate N and 2N images."""
    number = max(2, min(_MAX_IMAGES, bench.pages // _PAGES_PER_IMAGE))
    large, folders = _LargeImages(), {}
    with gateway(large) as address:
        for name, images in (("n", number), ("2n", 2 * number)):
            prompts = "\n".join(map(_large_prompt, range(images)))
            site = site_of(bench.folder / f"response {name}", 0, text=prompts, bare=True)
            folders[name] = add_plugin(site, gateway=address).folder
        removed = ("site", ".cache", ORIGINALS)
        contestants = [
            Contestant(name, folders[name.split()[0]], ours("generate"), removed)
            for name in ("n", "n again", "2n")
        ]
        rounds = run_rounds(bench, "response", contestants)
    figure = f"a response of {_RESPONSE_BYTES / 1e6:.1f} MB, CPU per image"
    row = difference_row(
        rounds,
        "response",
        figure,
        "2n",
        against="n",
        label="-",
        unit="ms",
        scale=1000.0 / number,
        goal=Goal(10.0),
        control=("n", "n again"),
        note=f"{2 * number} images minus {number}; {_NOTE}",
    )
    return [row]


def _large_prompt(number: int) -> str:
    return f"```imagegen\nsize: 1536x1024\n---\nLarge image number {number}\n```\n"


class _LargeImages:
    """Photographs that give responses of a fixed size; base64 takes a quarter of it."""

    def __init__(self) -> None:
        self._image = photograph(0)
        alone = len(webp(self._image, 70, b"x"))
        self._padding = max(1, _RESPONSE_BYTES * 3 // 4 - alone)
        self._content = webp(self._image, 70, b"x" * self._padding)

    def __call__(self, prompt: str, width: int, height: int) -> bytes:
        assert (width, height) == self._image.size
        mark = prompt.encode().rjust(64, b"x")
        return self._content.replace(b"x" * len(mark), mark, 1)
