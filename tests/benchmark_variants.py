"""What variants cost, beside @11ty/eleventy-img: ``python -m tests.benchmark_variants``.

Makes 50 originals and measures, each in a process of its own, CPU time, peak memory and bytes of
our default files, cold and warm, and of the same files by eleventy-img, if ``--eleventy`` names a
folder where ``npm install @11ty/eleventy-img@6.0.4`` was run. With numpy also the similarity, and
AVIF's bytes beside WebP's at the same similarity. Last, the memory of a warm build.
"""
# ruff: noqa: T201 - printing is what this is for

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.pictures.derive import Deriver
from mkdocs_imagegen.pictures.derived import DerivedStore
from mkdocs_imagegen.pictures.encode import encode
from mkdocs_imagegen.pictures.variants import Encoding, Variant, plan
from mkdocs_imagegen.settings import VariantSettings
from mkdocs_imagegen.shapes import Shape
from mkdocs_imagegen.values import Size
from tests.originals.support import original

SIZE = Size(1536, 1024)
KINDS = ("photo", "photo", "flat", "sketch", "alpha")
QUALITIES = (25, 40, 50, 60, 70, 80, 90)


_LAUNCHER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True)
class Cost:
    """What one process cost."""

    cpu_s: float
    peak_mib: float


def cost_of(command: list[str], folder: Path | None = None) -> Cost:
    """Run a program to its end, from a small process: a child's peak counts its parent's."""
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    launcher = [sys.executable, "-S", "-c", _LAUNCHER, *command]
    done = subprocess.run(launcher, cwd=folder, env=environ, stdout=subprocess.PIPE, check=True)
    cpu_s, peak_kib = map(float, done.stdout.split()[-2:])
    return Cost(cpu_s, peak_kib / 1024)


def draw_originals(folder: Path, number: int) -> None:
    """Photo-like noise and gradients, flat shapes with text, sketches, and transparent ones."""
    folder.mkdir()
    for index in range(number):
        kind = KINDS[index % len(KINDS)]
        draw_one = {"photo": photo, "flat": flat, "sketch": sketch, "alpha": alpha}[kind]
        (folder / f"{kind}{index:02}.png").write_bytes(draw_one(index))


def photo(index: int) -> bytes:
    """Light that fades, things of all sizes, and grain."""
    from PIL import Image, ImageChops, ImageFilter

    image = Image.merge("RGB", [Image.linear_gradient("L").rotate(90 * each) for each in range(3)])
    image = image.resize(SIZE)
    for size in (6, 30, 150):
        noise = Image.effect_noise((SIZE.width // size, SIZE.height // size), 60 + index)
        noise = noise.resize(SIZE, Image.Resampling.BICUBIC).convert("RGB")
        image = ImageChops.overlay(image, noise)
    grain = Image.effect_noise(SIZE, 4).filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")
    return png(ImageChops.overlay(image, grain))


def flat(index: int) -> bytes:
    """Boxes with words and lines between them, as documentation has them."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    for row in range(4):
        for column in range(4):
            left, top = 60 + column * 370, 60 + row * 240
            color = f"hsl({(index * 37 + row * 60 + column * 25) % 360}, 60%, 80%)"
            pen.line((left + 150, top + 80, left + 500, top + 320), "black", 3)
            pen.rounded_rectangle((left, top, left + 300, top + 160), 14, color, "black", 3)
            words = f"Step {row}.{column}\nof number {index}"
            pen.text((left + 24, top + 40), words, "black", ImageFont.load_default(26 + row * 4))
    return png(image)


def sketch(index: int, background: str = "auto") -> bytes:
    """A drawing of the emulator's."""
    from mkdocs_imagegen.emulator.sketch import draw

    prompt = f"A harbour with {index} boats at dusk"
    return draw(prompt, *SIZE, background=background, output_format="png", seed=str(index))


def alpha(index: int) -> bytes:
    """The same with nothing around it."""
    return sketch(index, "transparent")


def png(image) -> bytes:
    """The picture as a PNG."""
    output = io.BytesIO()
    image.save(output, "PNG", compress_level=3)
    return output.getvalue()


def derive(originals: Path, output: Path) -> None:
    """Make or find the files of all originals, with as many workers as a build has."""
    store = DerivedStore(output / "derived", print)
    deriver = Deriver(store, output / "site")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda path: derive_one(deriver, path), sorted(originals.iterdir())))
    store.close()


def derive_one(deriver: Deriver, path: Path) -> None:
    """As a build does it: its bytes are only read where files are missing."""
    facts = dict(zip(("width", "height"), SIZE, strict=True))
    has_alpha = path.name.startswith("alpha")
    digest = hashlib.sha256(path.name.encode()).hexdigest()
    of = original(mime="image/png", has_alpha=has_alpha, sha256=digest, **facts)
    planned = plan(of, Shape(SIZE), VariantSettings(), "keep")
    if deriver.find(planned) is None:
        deriver.make(planned, path.read_bytes())


def megabytes(folder: Path) -> float:
    """Of the pictures in a folder."""
    endings = {".avif", ".webp", ".jpg", ".jpeg"}
    files = (path for path in folder.rglob("*") if path.suffix in endings)
    return sum(path.stat().st_size for path in files) / 1e6


def compare_costs(folder: Path, eleventy: Path | None) -> None:
    """Print what the files of all originals cost, by us and by eleventy-img."""
    originals, ours, theirs = folder / "originals", folder / "ours", folder / "theirs"
    command = [sys.executable, "-m", "tests.benchmark_variants", "--derive", originals, ours]
    costs = {name: cost_of([*map(str, command)]) for name in ("ours, cold", "ours, warm")}
    if eleventy and shutil.which("node"):
        script = Path(__file__).with_suffix(".mjs")
        command = ["node", script, originals, theirs, eleventy]
        for name in ("eleventy-img, cold", "eleventy-img, warm"):
            costs[name] = cost_of([*map(str, command)], folder)
    for name, cost in costs.items():
        made = megabytes(ours / "site" if name.startswith("ours") else theirs)
        print(f"{name:22} {cost.cpu_s:7.2f} CPU s {cost.peak_mib:7.0f} MiB {made:7.2f} MB")
    for state in ("cold", "warm"):
        if f"eleventy-img, {state}" in costs:
            us, them = costs[f"ours, {state}"], costs[f"eleventy-img, {state}"]
            shares = f"CPU {us.cpu_s / them.cpu_s:.2f}, memory {us.peak_mib / them.peak_mib:.2f}"
            print(f"ratio, {state:15} {shares} (cold goals: 0.75, 0.50)")


def luma(content: bytes):
    """The picture's brightness, as numbers."""
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=np.float64)


def similarity(one, other) -> float:
    """SSIM with a window of 8x8 pixels."""
    import numpy as np

    def mean(values):
        sums = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return (sums[8:, 8:] - sums[:-8, 8:] - sums[8:, :-8] + sums[:-8, :-8]) / 64

    a, b = mean(one), mean(other)
    both = 2 * (mean(one * other) - a * b) + 58.5225
    each = mean(one * one) - a * a + mean(other * other) - b * b + 58.5225
    return float((((2 * a * b + 6.5025) * both) / ((a * a + b * b + 6.5025) * each)).mean())


def compare_formats(originals: Iterable[Path]) -> None:
    """Print AVIF's bytes beside WebP's at the similarity of WebP's default quality."""
    import numpy as np
    from PIL import Image

    shares: dict[str, list[float]] = {}
    defaults: dict[str, list[float]] = {}
    for path in originals:
        image = Image.open(path).convert("RGB").resize((960, 640), Image.Resampling.LANCZOS)
        exact = np.asarray(image.convert("L"), dtype=np.float64)

        def measured(kind, quality, speed=0, image=image, exact=exact) -> tuple[float, int]:
            wanted = Variant(Size(*image.size), Encoding(kind, quality, speed))
            ((_, made),) = encode(image, [wanted])
            return similarity(exact, luma(made)), len(made)

        goal, webp = measured("webp", 80)
        curve = [measured("avif", each, 8) for each in QUALITIES]
        likeness, sizes = zip(*curve, strict=True)
        likeness = np.maximum.accumulate(likeness)
        inside = likeness[0] <= goal <= likeness[-1]
        avif = float(np.exp(np.interp(goal, likeness, np.log(sizes))))
        kind = path.name.rstrip("0123456789.png") if inside else "outside"
        shares.setdefault(kind, []).append(avif / webp)
        kinds = {"avif 60": curve[QUALITIES.index(60)], "webp 80": (goal, webp)}
        kinds["jpeg 82"] = measured("jpeg", 82)
        for name, (like, _) in kinds.items():
            defaults.setdefault(name, []).append(like)
    for name, values in defaults.items():
        print(f"SSIM of {name}: mean {statistics.mean(values):.4f}, least {min(values):.4f}")
    for kind, values in shares.items():
        mean, worst = statistics.geometric_mean(values), max(values)
        print(f"AVIF / WebP bytes, equal SSIM, {kind:8} {mean:.2f}, worst {worst:.2f}")
    every = [share for values in shares.values() for share in values]
    print(f"AVIF / WebP bytes, equal SSIM, all      {statistics.geometric_mean(every):.2f}", end="")
    print(f", worst {max(every):.2f} (goals: 0.80, 1.05)")


def compare_memory(folder: Path, number: int) -> None:
    """Print the peak of a warm build with many pictures, and of the same without."""
    from tests.support import Site

    site = Site(folder)
    site.options["variants"] = {"widths": [32]}
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
    pages = {f"page{index}.md": index for index in range(number // 10)}
    for name, index in pages.items():
        fences = (
            f"```imagegen\nsize: 96x64\n---\nNumber {index}.{each}\n```" for each in range(10)
        )
        site.write(name, f"# Page {index}\n\n" + "\n\n".join(fences))
    site.save()
    cold, warm = (cost_of(build, folder) for _ in range(2))
    for name in pages:
        path = site.docs / name
        path.write_text(path.read_text().replace("```imagegen", "```text"))
    plain = cost_of(build, folder)
    more = warm.peak_mib - plain.peak_mib
    print(f"build of {number} pictures: cold {cold.peak_mib:.0f} MiB, warm {warm.peak_mib:.0f} MiB")
    print(f"without pictures {plain.peak_mib:.0f} MiB; warm {more:+.0f} MiB (goal: +57, 60 MB)")
    print(f"warm {warm.cpu_s:.2f} CPU s, without pictures {plain.cpu_s:.2f} CPU s")


def main() -> None:
    """Measure, and print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--derive", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--eleventy", type=Path, help="a folder with node_modules")
    parser.add_argument("--originals", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=1000)
    arguments = parser.parse_args()
    if arguments.derive:
        derive(*arguments.derive)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_originals(folder / "originals", arguments.originals)
        compare_costs(folder, arguments.eleventy)
        try:
            compare_formats(sorted((folder / "originals").iterdir()))
        except ImportError:
            print("similarity is not measured: numpy is not installed")
        compare_memory(folder / "site", arguments.pictures)


if __name__ == "__main__":
    main()
