"""The files of fifty originals, beside @11ty/eleventy-img, and AVIF beside WebP."""

from __future__ import annotations

import importlib.util
import io
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from mkdocs_imagegen.imaging.encode import encode_variants
from mkdocs_imagegen.imaging.variants import Encoding, Variant
from mkdocs_imagegen.options import Size
from tests.benchmark.comparing import ratio_row
from tests.benchmark.figures import Estimate, Goal, Row
from tests.benchmark.photographs import HEIGHT, WIDTH, image, kind_of
from tests.benchmark.processes import RunError
from tests.benchmark.rounds import Bench, Contestant, run_rounds
from tests.benchmark.sites import SHOWN, add_plugin, fill, site_of

if TYPE_CHECKING:
    import numpy as np

NAMES = ("variants", "bytes")
PACKAGE = "@11ty/eleventy-img@6.0.4"
_MOST_IMAGES = 50
_PAGES_FOR_A_IMAGE = 20
_MAX_PAIRS = 6
_FILES_OF_ONE = 6
_SCRIPT = Path(__file__).with_name("eleventy.mjs")
_QUALITIES = (10, 25, 40, 50, 60, 70, 80, 90, 97)
_NPM_S = 600
_DERIVED = ".cache/plugin/imagegen/derived"


def measure(bench: Bench, names: Collection[str]) -> list[Row]:
    """The rows of those that are named; of fifty images, fewer where the sites are small."""
    number = max(1, min(_MOST_IMAGES, bench.pages // _PAGES_FOR_A_IMAGE))
    bench.tell(f"variants: drawing {number} originals")
    originals = bench.folder / "originals"
    originals.mkdir()
    for index in range(number):
        (originals / f"{kind_of(index)}{index:02}.png").write_bytes(image(index))
    rows = _costs(bench, originals) if "variants" in names else []
    return rows + (_bytes(originals) if "bytes" in names else [])


def _costs(bench: Bench, originals: Path) -> list[Row]:
    """A whole build of ours, MkDocs included, beside a program that does nothing else."""
    files = sorted(originals.iterdir())
    bench = replace(bench, pairs=min(bench.pairs, _MAX_PAIRS))
    site = _site_of(bench.folder / "variants", files)
    mine = [Contestant(name, site, fresh=("site", _DERIVED)) for name in ("ours", "ours again")]
    theirs, note = _eleventy(bench, originals)
    rounds = run_rounds(bench, "variants", [*mine, *theirs], pinned=False)
    made = [site / "site" / SHOWN, *(each.folder / "made" for each in theirs)]
    _check_made(made, _FILES_OF_ONE * len(files))
    rows = []
    for what, words, most in (("cpu_s", "CPU", 0.70), ("peak_mib", "memory", 0.45)):
        rows.append(
            ratio_row(
                rounds, "variants", f"files of {len(files)} originals, {words}", "ours",
                against="eleventy-img" if theirs else "ours again",
                goal=Goal(most) if theirs else None, what=what, note=note,
                control=("ours", "ours again"),
            )
        )  # fmt: skip
    return rows


def _check_made(folders: list[Path], number: int) -> None:
    """See that all have made as many files."""
    counts = [sum(path.suffix != ".svg" for path in folder.iterdir()) for folder in folders]
    if set(counts) != {number}:
        raise RunError(f"not {number} files in each of {folders}: {counts}")


def _site_of(folder: Path, files: list[Path]) -> Path:
    """A page with all of them, whose originals are there and whose files are not."""
    prompts = "\n".join(_prompt(index) for index in range(len(files)))
    site = add_plugin(site_of(folder, 0, text=prompts, bare=True))

    def record(prompt: str, _width: int, _height: int) -> bytes:
        return files[int(prompt.rsplit(" ", 1)[1])].read_bytes()

    fill(site, len(files), record, output_format="png")
    return folder


def _prompt(index: int) -> str:
    background = "background: transparent\n" if kind_of(index) == "alpha" else ""
    return f"```imagegen\nsize: {WIDTH}x{HEIGHT}\n{background}---\nOriginal number {index}\n```\n"


def _eleventy(bench: Bench, originals: Path) -> tuple[list[Contestant], str]:
    """The other program, where it can be had, and what a reader has to know."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return [], "eleventy-img is left out: node and npm are not installed"
    modules = bench.npm or Path(tempfile.gettempdir()) / "mkdocs-imagegen-npm"
    if not (modules / "node_modules/@11ty/eleventy-img").is_dir():
        bench.tell(f"variants: npm install {PACKAGE} in {modules}")
        command = [npm, "install", "--prefix", str(modules), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_NPM_S)
        if done.returncode != 0:
            return [], f"eleventy-img is left out: {done.stderr.strip().splitlines()[-1]}"
    folder = bench.folder / "eleventy"
    folder.mkdir()
    theirs = (node, str(_SCRIPT), str(originals), "made", str(modules.resolve()))
    note = (
        f"beside {PACKAGE}, equal sizes, formats, qualities and AVIF speed; ours is a whole "
        "`mkdocs build` with the originals there"
    )
    return [Contestant("eleventy-img", folder, theirs, fresh=("made",))], note


def _bytes(originals: Path) -> list[Row]:
    """AVIF's bytes over those of WebP, at the similarity that WebP has at quality 80."""
    if not importlib.util.find_spec("numpy"):
        return [Row("bytes", "AVIF", "WebP 80", None, note="numpy is not installed")]
    found = [_share(path) for path in sorted(originals.iterdir())]
    shares = [each for each in found if each is not None]
    value = Estimate(statistics.geometric_mean(shares), min(shares), max(shares), len(shares))
    return [
        Row(
            "bytes",
            f"AVIF, {len(shares)} images of 960x640",
            "WebP 80, equal SSIM",
            value,
            goal=Goal(0.80),
            runs={"shares": shares},
            note="the geometric mean [the least, the most] of the images; "
            f"{len(found) - len(shares)} are left out, to which no AVIF comes near enough",
        )
    ]


def _share(path: Path) -> float | None:
    """One image's share; None where WebP's similarity lies outside those of AVIF."""
    import numpy as np

    image = Image.open(path).convert("RGB").resize((960, 640), Image.Resampling.LANCZOS)
    goal, webp = _measured(image, "webp", 80)
    curve = [_measured(image, "avif", quality, speed=8) for quality in _QUALITIES]
    likeness = np.maximum.accumulate([like for like, _ in curve])
    if not likeness[0] <= goal <= likeness[-1]:
        return None
    sizes = np.log([size for _, size in curve])
    return float(np.exp(np.interp(goal, likeness, sizes))) / webp


def _measured(image: Image.Image, kind: str, quality: int, speed: int = 0) -> tuple[float, int]:
    """How like the image a file of it is, and how many bytes it has."""
    ((_, made),) = encode_variants(
        image, [Variant(Size(*image.size), Encoding(kind, quality, speed))]
    )
    return similarity(luma(image), luma(Image.open(io.BytesIO(made)))), len(made)


def luma(image: Image.Image) -> np.ndarray:
    """A image's brightness, as numbers."""
    import numpy as np

    return np.asarray(image.convert("L"), dtype=np.float64)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """SSIM with a window of 8x8 pixels."""
    import numpy as np

    def mean(numbers: np.ndarray) -> np.ndarray:
        sums = np.pad(numbers.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return (sums[8:, 8:] - sums[:-8, 8:] - sums[8:, :-8] + sums[:-8, :-8]) / 64

    a, b = mean(one), mean(other)
    both = 2 * (mean(one * other) - a * b) + 58.5225
    each = mean(one * one) - a * a + mean(other * other) - b * b + 58.5225
    return float((((2 * a * b + 6.5025) * both) / ((a * a + b * b + 6.5025) * each)).mean())
