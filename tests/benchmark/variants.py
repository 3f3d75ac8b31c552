"""Variants of fifty originals compared to @11ty/eleventy-img, and AVIF compared to WebP."""

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
from mkdocs_imagegen.option_parsers import Size
from tests.benchmark.comparing import ratio_row
from tests.benchmark.figures import Estimate, Goal, Row
from tests.benchmark.photographs import HEIGHT, WIDTH, image, kind_of
from tests.benchmark.processes import RunError
from tests.benchmark.rounds import Bench, Contestant, run_rounds
from tests.benchmark.sites import DERIVED, SHOWN, add_plugin, fill, site_of

if TYPE_CHECKING:
    import numpy as np

NAMES = ("variants", "bytes")
PACKAGE = "@11ty/eleventy-img@6.0.4"
_MAX_IMAGES = 50
_PAGES_PER_IMAGE = 20
_MAX_PAIRS = 6
_FILES_PER_IMAGE = 6
_SCRIPT = Path(__file__).with_name("eleventy.mjs")
_QUALITIES = (10, 25, 40, 50, 60, 70, 80, 90, 97)
_NPM_S = 600


def measure(bench: Bench, names: Collection[str]) -> list[Row]:
    """Run the named benchmarks with fifty images, fewer for small sites."""
    number = max(1, min(_MAX_IMAGES, bench.pages // _PAGES_PER_IMAGE))
    bench.tell(f"variants: drawing {number} originals")
    originals = bench.folder / "originals"
    originals.mkdir()
    for index in range(number):
        (originals / f"{kind_of(index)}{index:02}.png").write_bytes(image(index))
    rows = _costs(bench, originals) if "variants" in names else []
    return rows + (_bytes(originals) if "bytes" in names else [])


def _costs(bench: Bench, originals: Path) -> list[Row]:
    """Compare a build, MkDocs included, to a program that derives files and has no other task."""
    files = sorted(originals.iterdir())
    bench = replace(bench, pairs=min(bench.pairs, _MAX_PAIRS))
    site = _site_of(bench.folder / "variants", files)
    mine = [Contestant(name, site, fresh=("site", DERIVED)) for name in ("ours", "ours again")]
    theirs, note = _eleventy(bench, originals)
    rounds = run_rounds(bench, "variants", [*mine, *theirs], pinned=False)
    folders = [site / "site" / SHOWN, *(each.folder / "made" for each in theirs)]
    _check_counts(folders, _FILES_PER_IMAGE * len(files))
    rows = []
    for field, label, max_ratio in (("cpu_s", "CPU", 0.70), ("peak_mib", "memory", 0.45)):
        rows.append(
            ratio_row(
                rounds, "variants", f"files of {len(files)} originals, {label}", "ours",
                against="eleventy-img" if theirs else "ours again",
                goal=Goal(max_ratio) if theirs else None, field=field, note=note,
                control=("ours", "ours again"),
            )
        )  # fmt: skip
    return rows


def _check_counts(folders: list[Path], number: int) -> None:
    """Raise an error unless all folders have the expected number of files."""
    counts = [
        sum(path.suffix not in {".svg", ".css"} for path in folder.iterdir()) for folder in folders
    ]
    if set(counts) != {number}:
        raise RunError(f"not {number} files in each of {folders}: {counts}")


def _site_of(folder: Path, files: list[Path]) -> Path:
    """Create a page with all images, with their originals and without their variants."""
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
    """Return the other program, if it can be installed, and a note."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return [], "without eleventy-img: node and npm are not installed"
    modules = bench.npm or Path(tempfile.gettempdir()) / "mkdocs-imagegen-npm"
    if not (modules / "node_modules/@11ty/eleventy-img").is_dir():
        bench.tell(f"variants: npm install {PACKAGE} in {modules}")
        command = [npm, "install", "--prefix", str(modules), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_NPM_S)
        if done.returncode != 0:
            return [], f"without eleventy-img: {done.stderr.strip().splitlines()[-1]}"
    folder = bench.folder / "eleventy"
    folder.mkdir()
    theirs = (node, str(_SCRIPT), str(originals), "made", str(modules.resolve()))
    note = (
        f"compared to {PACKAGE} with equal sizes, formats, qualities and AVIF speed; ours is a "
        "whole `mkdocs build` with all originals"
    )
    return [Contestant("eleventy-img", folder, theirs, fresh=("made",))], note


def _bytes(originals: Path) -> list[Row]:
    """Compare the size of AVIF and WebP at the similarity of WebP at quality 80."""
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
            note="geometric mean [minimum, maximum] of the images; "
            f"{len(found) - len(shares)} without an AVIF of that similarity are left out",
        )
    ]


def _share(path: Path) -> float | None:
    """Return the ratio for one image; None if AVIF does not reach the similarity of WebP."""
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
    """Encode an image; return similarity and size of the file."""
    ((_, made),) = encode_variants(
        image, [Variant(Size(*image.size), Encoding(kind, quality, speed))]
    )
    return similarity(luma(image), luma(Image.open(io.BytesIO(made)))), len(made)


def luma(image: Image.Image) -> np.ndarray:
    """Return the luma of an image."""
    import numpy as np

    return np.asarray(image.convert("L"), dtype=np.float64)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Return the SSIM with a window of 8x8 pixels."""
    import numpy as np

    def mean(numbers: np.ndarray) -> np.ndarray:
        sums = np.pad(numbers.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return (sums[8:, 8:] - sums[:-8, 8:] - sums[8:, :-8] + sums[:-8, :-8]) / 64

    a, b = mean(one), mean(other)
    both = 2 * (mean(one * other) - a * b) + 58.5225
    each = mean(one * one) - a * a + mean(other * other) - b * b + 58.5225
    return float((((2 * a * b + 6.5025) * both) / ((a * a + b * b + 6.5025) * each)).mean())
