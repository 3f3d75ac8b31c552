"""A build in CI: the originals are committed, and the cache of their files is empty."""

from __future__ import annotations

import io
import shutil
from collections.abc import Collection
from dataclasses import replace

from PIL import Image

from tests.benchmark.comparing import ratio_row
from tests.benchmark.figures import Goal, Row, median_of
from tests.benchmark.gateway import PreparedImages, gateway, with_number
from tests.benchmark.photographs import KINDS, image
from tests.benchmark.processes import BUILD, cost_of, ours
from tests.benchmark.rounds import Bench, Contestant, run_rounds, values
from tests.benchmark.sites import DERIVED, add_plugin, check_shown, prompt, site_of
from tests.support import Site

NAMES = ("ci",)
_PAGES_PER_IMAGE = 5
_MAX_PAIRS = 6
_FASTEST = "fastest.yml"


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Measure 200 originals, fewer for small sites."""
    bench = replace(bench, pairs=min(bench.pairs, _MAX_PAIRS))
    number = max(1, bench.pages // _PAGES_PER_IMAGE)
    bench.tell(f"ci: {number} originals")
    site = _site_of(bench, number)
    default = Contestant("ours", site.folder, fresh=("site", DERIVED))
    contestants = [default, replace(default, name="again")]
    contestants.append(replace(default, name="fastest", command=(*BUILD, "-f", _FASTEST)))
    if bench.against:
        contestants.append(replace(default, name="before", checkout=bench.against))
    rounds = run_rounds(bench, "ci", contestants, pinned=False)
    check_shown(site, number)
    figure, control = f"files of {number} originals", ("ours", "again")
    spent_s = [each / number for each in values(rounds, "ours")]
    rows = [
        Row("ci", f"{figure}, CPU per original", "-", median_of(spent_s), unit="s"),
        ratio_row(
            rounds, "ci", f"{figure}, effort fastest, CPU", "fastest", against="ours",
            label="effort fast", goal=Goal(0.60), control=control,
        ),
    ]  # fmt: skip
    if bench.against:
        before = ratio_row(
            rounds, "ci", f"{figure}, CPU", "ours", against="before",
            label=f"checkout {bench.against.name}", goal=Goal(0.88), control=control,
        )  # fmt: skip
        rows.append(before)
    return rows


def _site_of(bench: Bench, number: int) -> Site:
    """Create a page with originals of all kinds, and a second configuration."""
    text = "\n".join(map(prompt, range(number)))
    site = add_plugin(site_of(bench.folder / "ci", 0, text=text, bare=True))
    indexes = range(min(number, 2 * len(KINDS)))
    drawn = [with_number(Image.open(io.BytesIO(image(index)))) for index in indexes]
    with gateway(PreparedImages(drawn)) as address:
        site.options["gateway"] = address
        site.save()
        cost_of(ours("generate"), site.folder)
    site.options.update(generate=False, variants={"effort": "fastest"})
    shutil.copy(site.save(), site.folder / _FASTEST)
    del site.options["variants"]
    site.save()
    return site
