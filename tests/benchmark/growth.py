"""Cost of an image in small and large sites."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from tests.benchmark.comparing import difference_row
from tests.benchmark.figures import Goal, Row, differences, median_of, ratios
from tests.benchmark.rounds import Bench, Contestant, Round, run_rounds, values
from tests.benchmark.sites import SECTION, TINY, add_plugin, fill, site_of, tiny_prompt

NAMES = ("growth",)
_MAX_PAIRS = 4
_NOTE = (
    "pages of half a kilobyte, a template of one line, images of 96x64 in four files, so that only "
    "costs that grow are measured"
)


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Measure sites of a tenth, of once and of ten times the pages."""
    bench = replace(bench, pairs=min(bench.pairs, _MAX_PAIRS))
    sizes = (bench.few, bench.pages, bench.pages * 10)
    contestants = [each for pages in sizes for each in _contestants(bench, pages)]
    rounds = run_rounds(bench, "growth", contestants)
    rows = [row for pages in sizes for row in _rows_of(rounds, pages)]
    return [*rows, _grown(rounds, sizes[2], sizes[1]), _grown(rounds, sizes[2], sizes[0])]


def _contestants(bench: Bench, pages: int) -> list[Contestant]:
    bench.tell(f"growth: a site of {pages} pages and images")
    folder = bench.folder / f"growth{pages}"
    plain = site_of(folder / "plain", pages, text=SECTION, bare=True)
    ours = site_of(folder / "ours", pages, tiny_prompt, text=SECTION, bare=True)
    fill(add_plugin(ours, **TINY), pages)
    return [
        Contestant(f"plain {pages}", plain.folder),
        Contestant(f"again {pages}", plain.folder),
        Contestant(f"ours {pages}", ours.folder),
    ]


def _rows_of(rounds: Sequence[Round], pages: int) -> list[Row]:
    plain, again, ours = (f"{name} {pages}" for name in ("plain", "again", "ours"))
    label = f"{pages} pages and images"
    max_mib = (60e6 + 2e3 * pages) / 2**20

    def row(figure: str, unit: str, scale: float, field: str, goal: Goal | None = None) -> Row:
        return difference_row(
            rounds, "growth", f"{label}, {figure}", ours, against=plain, label="plain",
            unit=unit, scale=scale, field=field, goal=goal, control=(plain, again), note=_NOTE,
        )  # fmt: skip

    return [
        row("extra CPU per image", "ms", 1000 / pages, "cpu_s"),
        row("extra memory per image", "KiB", 1024 / pages, "peak_mib"),
        row("extra memory", "MiB", 1.0, "peak_mib", Goal(max_mib)),
    ]


def _grown(rounds: Sequence[Round], large: int, small: int) -> Row:
    """Return the cost of an image in the large site over that in the small one."""
    more = {pages: _extra_per_image(rounds, pages) for pages in (large, small)}
    drift = {pages: _control(rounds, pages) for pages in (large, small)}
    return Row(
        "growth",
        f"extra CPU per image, {large} pages",
        f"{small} pages",
        median_of(ratios(more[large], more[small])),
        median_of(ratios(drift[large], drift[small])),
        Goal(1.0, or_no_difference=True),
        runs={f"ours {pages}": values for pages, values in more.items()},
        note=_NOTE,
    )


def _extra_per_image(rounds: Sequence[Round], pages: int) -> list[float]:
    """Return the CPU seconds per image beyond the plain build."""
    ours, plain = values(rounds, f"ours {pages}"), values(rounds, f"plain {pages}")
    return differences(ours, plain, 1 / pages)


def _control(rounds: Sequence[Round], pages: int) -> list[float]:
    """Return the ratios of two equal builds."""
    return ratios(values(rounds, f"again {pages}"), values(rounds, f"plain {pages}"))
