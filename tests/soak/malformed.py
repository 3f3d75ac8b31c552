"""Malformed images as answers: refused in our words, or good to the last variant.

Each image goes the way of a real answer: as ``b64_json`` through the wire, through the decoder,
and, where it is accepted, through everything that makes a page's files of it. That happens in a
process of its own, whose memory is measured, and which a decoder may bring down.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import multiprocessing
import random
import resource
import struct
import subprocess
import sys
import tarfile
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as LateError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from PIL import Image, ImageCms

from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.gateway.wire import decode_response
from mkdocs_imagegen.imaging.decode import ImageInfo, inspect_image
from mkdocs_imagegen.imaging.encode import encode_blur, encode_variants, open_srgb
from mkdocs_imagegen.imaging.variants import MIMES, plan_variants
from mkdocs_imagegen.layout import Focus, Layout
from mkdocs_imagegen.options import MAX_PIXELS, Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings, VariantSettings
from tests.originals.support import record
from tests.soak.figures import Figure
from tests.tools import lacking

_CHUNK = 100
_CHUNK_S = 120.0
_PILLOWS_SHARE = 4
_MAX_PILLOW_BYTES = 2_000_000
_TWICE_THE_MOST_MIB = 2 * 4 * MAX_PIXELS / 2**20 + 50
"""Pixels of four bytes, as they were decoded and as they are resized, and some more."""
_REQUEST = ImageRequest("openai/gpt-image-1-mini", "A red balloon", Size(1024, 1024))
_FORMATS = ("avif", "webp", "jpeg", "png")
_SCRIPT = b"<script>alert(1)</script>"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@dataclass(slots=True)
class Seen:
    """What became of some images."""

    images: int = 0
    refused: int = 0
    accepted: int = 0
    uncaught: list[str] = field(default_factory=list)
    failed_later: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mib: float = 0.0

    def add(self, other: Seen) -> None:
        self.images += other.images
        self.refused += other.refused
        self.accepted += other.accepted
        self.uncaught += other.uncaught
        self.failed_later += other.failed_later
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.peak_mib = max(self.peak_mib, other.peak_mib)


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Answer with so many malformed images; one in four is of Pillow's own tests."""
    pillows = pillows_images(folder)
    chance = random.Random(20261123)  # noqa: S311 - the same images every time
    chance.shuffle(pillows)
    theirs = pillows[: rounds // _PILLOWS_SHARE]
    total, lost = _sent(_images(theirs, rounds - len(theirs), chance))
    largest = [_flat_png(7000, 7000, colours) for colours in (_COLOURS, _WITH_ALPHA)]
    large, lost_too = _sent(iter(largest))
    usual_mib, large_mib = total.peak_mib, large.peak_mib
    total.add(large)
    for each in [*total.uncaught, *total.failed_later][:20]:
        print(each, file=sys.stderr)  # noqa: T201 - says which
    return [
        Figure("images sent", total.images, least=rounds),
        Figure("of Pillow's own tests", len(theirs), least=1),
        Figure("images refused", total.refused, least=1),
        Figure("images accepted", total.accepted, least=1),
        Figure("exceptions other than ours", len(total.uncaught), most=0),
        Figure("accepted images that fail later", len(total.failed_later), most=0),
        Figure("processes brought down or hung", lost + lost_too, most=0),
        Figure("slowest image in seconds of CPU", total.slowest_s, most=5),
        Figure("growth of peak memory in MiB", usual_mib, most=300),
        Figure("the same for images just within the limits", large_mib, most=_TWICE_THE_MOST_MIB),
    ]


def pillows_images(folder: Path) -> list[bytes]:
    """The images of Pillow's own tests, out of the source of the version that is installed."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "pillow"]
    wanted = f"pillow=={version('pillow')}"
    try:
        subprocess.run(
            [*command, "--quiet", "--dest", str(folder), wanted],
            check=True,
            capture_output=True,
            timeout=90,
        )
        (archive,) = folder.glob("*.tar.gz")
    except (subprocess.SubprocessError, OSError, ValueError):
        lacking(f"the source of {wanted} cannot be had")
    return list(_in_archive(archive))


def _in_archive(archive: Path) -> Iterator[bytes]:
    with tarfile.open(archive) as members:
        for member in members:
            is_image = "/Tests/images/" in member.name and member.isfile()
            if is_image and member.size <= _MAX_PILLOW_BYTES:
                file = members.extractfile(member)
                yield file.read() if file else b""


def _sent(images: Iterator[bytes]) -> tuple[Seen, int]:
    """What became of all images, and how many processes were lost."""
    total, lost = Seen(), 0
    pool = _pool()
    while chunk := [each for _, each in zip(range(_CHUNK), images, strict=False)]:
        try:
            total.add(pool.submit(answer_with, chunk).result(_CHUNK_S))
        except (BrokenProcessPool, LateError) as error:
            print(f"a process was lost: {error!r}", file=sys.stderr)  # noqa: T201 - says why
            lost += 1
            _end(pool)
            pool = _pool()
    pool.shutdown()
    return total, lost


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _warm_up)


def _end(pool: ProcessPoolExecutor) -> None:
    for process in multiprocessing.active_children():
        process.kill()
    pool.shutdown(wait=True, cancel_futures=True)


_before_mib = 0.0


def _warm_up() -> None:
    """Import and use what every build needs, so that only images count as growth."""
    warnings.simplefilter("ignore")  # the decoders' remarks about broken files
    global _before_mib  # noqa: PLW0603 - of this process alone
    for name in _FORMATS:
        answer_with([_written(Image.new("RGB", _REQUEST.size), name)])
    _before_mib = _peak_mib()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def answer_with(images: Sequence[bytes]) -> Seen:
    """Send each image all the way to a page's files."""
    seen = Seen()
    for content in images:
        begun = time.process_time()
        _answer_with(content, seen)
        seen.images += 1
        seen.slowest_s = max(seen.slowest_s, time.process_time() - begun)
    seen.peak_mib = _peak_mib() - _before_mib
    return seen


def _answer_with(content: bytes, seen: Seen) -> None:
    what = f"{len(content)} bytes, {content[:16]!r}, {hashlib.sha256(content).hexdigest()[:12]}"
    body = json.dumps({"data": [{"b64_json": base64.b64encode(content).decode()}]}).encode()
    try:
        decoded = inspect_image(decode_response(body, _REQUEST, GatewaySettings()).image)
    except ImagegenError:
        seen.refused += 1
        return
    except Exception as error:  # noqa: BLE001 - that there is none is what is counted
        seen.uncaught.append(f"{error!r}: {what}")
        return
    seen.accepted += 1
    try:
        _make_files(content, decoded)
    except Exception as error:  # noqa: BLE001 - as above
        seen.failed_later.append(f"{error!r}: {what}")


def _make_files(content: bytes, decoded: ImageInfo) -> None:
    """One small variant in some format, and the blurred pixels, as for a page.

    Raises:
        ValueError: what was made is no image of the planned size.
    """
    original = record(
        content=content,
        mime=decoded.mime,
        width=decoded.size.width,
        height=decoded.size.height,
        has_alpha=decoded.has_alpha,
    )
    name = _FORMATS[zlib.crc32(content) % len(_FORMATS)]
    layout = Layout(Size(48, 32), Focus(50, 50))
    planned = plan_variants(original, layout, VariantSettings(formats=(name,), widths=()), "keep")
    image = open_srgb(content)
    for variant, made in encode_variants(image, planned.variants[0]):
        if inspect_image(made).size != variant.size or inspect_image(made).mime != MIMES[name]:
            raise ValueError(f"a variant of {variant.size} came out otherwise")
    inspect_image(encode_blur(image, planned.size, planned.focus))


def _images(theirs: Sequence[bytes], ours: int, chance: random.Random) -> Iterator[bytes]:
    yield from theirs
    seeds, fixed = _seeds(chance), _fixed()
    yield from fixed[:ours]
    for _ in range(ours - len(fixed)):
        make = chance.choice(_WAYS)
        yield make(chance.choice(seeds), chance)


def _seeds(chance: random.Random) -> list[bytes]:
    """Small good images of every format and kind of pixels."""
    noise = Image.frombytes("RGB", (40, 30), chance.randbytes(3600)).resize((80, 60))
    soft = noise.convert("RGBA")
    soft.putalpha(noise.convert("L"))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = {"icc_profile": profile, "exif": exif.tobytes()}
    seeds = [_written(noise.convert(mode), "png") for mode in ("1", "L", "LA", "P", "I;16", "RGB")]
    for name in _FORMATS:
        seeds += [_written(noise, name), _written(noise, name, **facts)]
    seeds += [_written(soft, name, **facts) for name in ("png", "webp", "avif")]
    seeds += [_written(soft.quantize(), "png", transparency=3), _written(noise, "png", interlace=1)]
    seeds += [_written(noise, "jpeg", progressive=True, comment=_SCRIPT)]
    seeds += [_written(noise.convert(mode), "jpeg") for mode in ("CMYK", "L")]
    seeds += [_written(noise, "mpo", save_all=True, append_images=[noise])]
    for name in ("webp", "avif", "png"):
        seeds.append(_written(noise, name, save_all=True, append_images=[soft.convert("RGB")]))
    return [*seeds, _written(noise, "webp", lossless=True)]


def _written(image: Image.Image, name: str, **options: object) -> bytes:
    output = io.BytesIO()
    image.save(output, name.upper(), **options)
    return output.getvalue()


def _fixed() -> list[bytes]:
    """Bombs, other formats, and what only begins like an image."""
    small = Image.new("RGB", (20, 10), "red")
    starts = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x1cftypavif"]
    others = ["gif", "tiff", "bmp", "ico", "pdf", "eps", "ppm", "tga", "pcx", "jpeg2000"]
    texts = [b"", b"\0", _SVG, b"<!doctype html><title>502</title>", b"{}", b"%PDF-1.7\n", _SCRIPT]
    bombs = [_flat_png(*size) for size in _BOMB_SIZES]
    zipped = _png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000), 9))
    return [
        *(*texts, *starts, *(start + bytes(5000) for start in starts)),
        *(start + _written(small, "png") for start in starts),
        *(_written(small, name) for name in others),
        *bombs,
        _after_header(_written(small, "png"), zipped),
        _without_palette(_written(small.convert("P"), "png")),
    ]


_GREY, _COLOURS, _WITH_ALPHA = 0, 2, 6
_BYTES_A_PIXEL = {_GREY: 1, _COLOURS: 3, _WITH_ALPHA: 4}
_BOMB_SIZES = [
    *((1, 1), (7000, 7000), (8192, 6103), (8192, 6104), (8193, 1), (1, 8193), (49_000_000, 1)),
    *((1, 49_000_000), (9400, 9400), (14_000, 14_000), (30_000, 30_000), (2**31 - 1, 1)),
    *((1, 2**31 - 1), (2**31 - 1, 2**31 - 1)),
]
"""Just within the limits, just beyond them, and far beyond."""
_MAX_BOMB_BYTES = 200_000_000


def _flat_png(width: int, height: int, colours: int = _GREY) -> bytes:
    """A image of one colour that takes few bytes; one far beyond the limits is cut off."""
    left = min(height * (1 + width * _BYTES_A_PIXEL[colours]), _MAX_BOMB_BYTES)
    squeeze, block = zlib.compressobj(6), bytes(1_000_000)
    squeezed = [squeeze.compress(block) for _ in range(left // len(block))]
    data = b"".join([*squeezed, squeeze.compress(bytes(left % len(block))), squeeze.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*each) for each in chunks)


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _after_header(png: bytes, chunk: bytes) -> bytes:
    return png[:33] + chunk + png[33:]


def _without_palette(png: bytes) -> bytes:
    original = (each for each in _chunks(png) if each[0] != b"PLTE")
    return png[:8] + b"".join(_png_chunk(*each) for each in original)


def _bits(seed: bytes, chance: random.Random) -> bytes:
    content = bytearray(seed)
    for _ in range(chance.choice([1, 1, 2, 5, 30])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def _header_bits(seed: bytes, chance: random.Random) -> bytes:
    """The first bytes hold sizes, kinds of pixels and lengths."""
    return _bits(seed[:200], chance) + seed[200:]


def _cut(seed: bytes, chance: random.Random) -> bytes:
    return seed[: chance.randrange(len(seed))]


def _hole(seed: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.sample(range(len(seed) + 1), 2))
    return seed[:begin] + chance.choice([b"", bytes(end - begin)]) + seed[end:]


def _numbers(seed: bytes, chance: random.Random) -> bytes:
    """A number of two or four bytes becomes an extreme one."""
    at, kind = chance.randrange(len(seed) - 4), chance.choice(["<H", ">H", "<I", ">I"])
    most = 256 ** struct.calcsize(kind) - 1
    number = struct.pack(kind, chance.choice([0, 1, most, most // 2, most // 2 + 1, 5000]))
    return seed[:at] + number + seed[at + len(number) :]


def _joined(seed: bytes, chance: random.Random) -> bytes:
    return seed[: chance.randrange(len(seed))] + seed[chance.randrange(len(seed)) :]


def _polyglot(seed: bytes, chance: random.Random) -> bytes:
    tail = chance.choice([_SCRIPT, _SVG, b"PK\x05\x06" + bytes(18), b"%PDF-1.7\n", seed])
    return chance.choice([seed + tail, tail + seed])


def _true_sums(seed: bytes, chance: random.Random) -> bytes:
    """Of a PNG, one chunk's data changed and its sum made right, so that more is believed."""
    chunks = list(_chunks(seed))
    if not chunks:
        return _bits(seed, chance)
    at = chance.randrange(len(chunks))
    name, data = chunks[at]
    changed = (_numbers, _bits) if len(data) > 4 else (lambda *_: data,)
    chunks[at] = (name, chance.choice(changed)(data, chance))
    if chance.random() < 0.2:
        chunks.insert(at, chance.choice(chunks))
    return seed[:8] + b"".join(_png_chunk(*each) for each in chunks)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8 if png.startswith(b"\x89PNG") else len(png)
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


_WAYS: Sequence[Callable[[bytes, random.Random], bytes]] = [
    *(_bits, _header_bits, _cut, _hole, _numbers, _joined, _polyglot, _true_sums, _true_sums),
]
