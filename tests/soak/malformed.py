"""Malformed images in responses: refused with an `ImagegenError`, or usable for all variants.

Each image takes the path of a real response: as ``b64_json`` through the wire and the decoder and,
if it is accepted, through the encoders. This happens in a process of its own, because its memory is
measured and because a decoder can crash it.
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
from mkdocs_imagegen.imaging.decode import decode_image, inspect_image
from mkdocs_imagegen.imaging.encode import convert_to_srgb, encode_blur, encode_variants
from mkdocs_imagegen.imaging.variants import plan_variants
from mkdocs_imagegen.option_parsers import MAX_PIXELS, Size
from mkdocs_imagegen.originals.record import ImageFacts
from mkdocs_imagegen.page_layout import Focus, Layout
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings, VariantSettings
from tests.originals.support import record
from tests.soak.figures import Figure
from tests.tools import skip_or_fail

_CHUNK = 100
_CHUNK_S = 240.0
_PILLOW_SHARE = 4
_MAX_PILLOW_BYTES = 2_000_000
_MAX_LARGE_MIB = 2 * 4 * MAX_PIXELS / 2**20 + 50
"""Decoded and resized pixels of four bytes each, and a margin."""
_REQUEST = ImageRequest("openai/gpt-image-1-mini", "A red balloon", Size(1024, 1024))
_FORMATS = ("avif", "webp", "jpeg", "png")
_SCRIPT = b"<script>alert(1)</script>"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@dataclass(slots=True)
class Counts:
    """Results of some images."""

    images: int = 0
    refused: int = 0
    accepted: int = 0
    uncaught: list[str] = field(default_factory=list)
    failed_later: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mib: float = 0.0

    def add(self, other: Counts) -> None:
        self.images += other.images
        self.refused += other.refused
        self.accepted += other.accepted
        self.uncaught += other.uncaught
        self.failed_later += other.failed_later
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.peak_mib = max(self.peak_mib, other.peak_mib)


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Respond with malformed images; one in four is from the tests of Pillow."""
    pillow_images = download_pillow_images(folder)
    rng = random.Random(20261123)  # noqa: S311 - repeatable
    rng.shuffle(pillow_images)
    downloaded = pillow_images[: rounds // _PILLOW_SHARE]
    total, lost = _send(_images(downloaded, rounds - len(downloaded), rng))
    largest = [_flat_png(7000, 7000, color_type) for color_type in (_RGB, _RGBA)]
    large, lost_too = _send(iter(largest))
    usual_mib, large_mib = total.peak_mib, large.peak_mib
    total.add(large)
    for each in [*total.uncaught, *total.failed_later][:20]:
        print(each, file=sys.stderr)  # noqa: T201 - details
    return [
        Figure("images sent", total.images, min_value=rounds),
        Figure("images from the tests of Pillow", len(downloaded), min_value=1),
        Figure("images refused", total.refused, min_value=1),
        Figure("images accepted", total.accepted, min_value=1),
        Figure("other exceptions than ImagegenError", len(total.uncaught), max_value=0),
        Figure("accepted images that fail in an encoder", len(total.failed_later), max_value=0),
        Figure("processes that crashed or hung", lost + lost_too, max_value=0),
        Figure("slowest image in seconds of CPU", total.slowest_s, max_value=5),
        Figure("growth of peak memory in MiB", usual_mib, max_value=300),
        Figure("growth for images within the limits in MiB", large_mib, max_value=_MAX_LARGE_MIB),
    ]


def download_pillow_images(folder: Path) -> list[bytes]:
    """Return the images of Pillow's tests, from the source of the installed version."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "pillow"]
    requirement = f"pillow=={version('pillow')}"
    try:
        subprocess.run(
            [*command, "--quiet", "--dest", str(folder), requirement],
            check=True,
            capture_output=True,
            timeout=240,
        )
        (archive,) = folder.glob("*.tar.gz")
    except (subprocess.SubprocessError, OSError, ValueError):
        skip_or_fail(f"the source of {requirement} cannot be downloaded")
    return list(_in_archive(archive))


def _in_archive(archive: Path) -> Iterator[bytes]:
    with tarfile.open(archive) as members:
        for member in members:
            is_image = "/Tests/images/" in member.name and member.isfile()
            if is_image and member.size <= _MAX_PILLOW_BYTES:
                file = members.extractfile(member)
                yield file.read() if file else b""


def _send(images: Iterator[bytes]) -> tuple[Counts, int]:
    """Return the results of all images, and the number of lost processes."""
    total, lost = Counts(), 0
    pool = _pool()
    while chunk := [each for _, each in zip(range(_CHUNK), images, strict=False)]:
        try:
            total.add(pool.submit(respond_with, chunk).result(_CHUNK_S))
        except (BrokenProcessPool, LateError) as error:
            print(f"a process was lost: {error!r}", file=sys.stderr)  # noqa: T201 - details
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
    """Import and use all decoders, so that only images count as growth."""
    warnings.simplefilter("ignore")  # decoders warn about broken files
    global _before_mib  # noqa: PLW0603 - one value per process
    for name in _FORMATS:
        respond_with([_written(Image.new("RGB", _REQUEST.size), name)])
    _before_mib = _peak_mib()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def respond_with(images: Sequence[bytes]) -> Counts:
    """Respond with each image, and derive files of those that are accepted."""
    counts = Counts()
    for content in images:
        begun = time.process_time()
        _respond_with(content, counts)
        counts.images += 1
        counts.slowest_s = max(counts.slowest_s, time.process_time() - begun)
    counts.peak_mib = _peak_mib() - _before_mib
    return counts


def _respond_with(content: bytes, counts: Counts) -> None:
    description = (
        f"{len(content)} bytes, {content[:16]!r}, {hashlib.sha256(content).hexdigest()[:12]}"
    )
    body = json.dumps({"data": [{"b64_json": base64.b64encode(content).decode()}]}).encode()
    try:
        decoded = inspect_image(decode_response(body, _REQUEST, GatewaySettings()).image)
    except ImagegenError:
        counts.refused += 1
        return
    except Exception as error:  # noqa: BLE001 - counted as a fault
        counts.uncaught.append(f"{error!r}: {description}")
        return
    counts.accepted += 1
    try:
        _derive_files(content, decoded)
    except Exception as error:  # noqa: BLE001 - counted as a fault
        counts.failed_later.append(f"{error!r}: {description}")


def _derive_files(content: bytes, decoded: ImageFacts) -> None:
    """Derive one small variant and the blurred pixels.

    Raises:
        ValueError: If a variant does not have the planned size and format.
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
    image = convert_to_srgb(decode_image(content))
    for variant, made in encode_variants(image, planned.variants[0]):
        if inspect_image(made).size != variant.size or inspect_image(made).mime != f"image/{name}":
            raise ValueError(f"a variant does not have the size {variant.size}")
    inspect_image(encode_blur(image, planned.size, planned.focus))


def _images(downloaded: Sequence[bytes], count: int, rng: random.Random) -> Iterator[bytes]:
    yield from downloaded
    seeds, fixed = _seeds(rng), _fixed()
    yield from fixed[:count]
    for _ in range(count - len(fixed)):
        make = rng.choice(_WAYS)
        yield make(rng.choice(seeds), rng)


def _seeds(rng: random.Random) -> list[bytes]:
    """Return small valid images of every format and color mode."""
    noise = Image.frombytes("RGB", (40, 30), rng.randbytes(3600)).resize((80, 60))
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
    """Return decompression bombs, other formats, and files with the first bytes of an image."""
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


_GRAYSCALE, _RGB, _RGBA = 0, 2, 6
_BYTES_A_PIXEL = {_GRAYSCALE: 1, _RGB: 3, _RGBA: 4}
_BOMB_SIZES = [
    *((1, 1), (7000, 7000), (8192, 6103), (8192, 6104), (8193, 1), (1, 8193), (49_000_000, 1)),
    *((1, 49_000_000), (9400, 9400), (14_000, 14_000), (30_000, 30_000), (2**31 - 1, 1)),
    *((1, 2**31 - 1), (2**31 - 1, 2**31 - 1)),
]
"""Sizes within the limits, beyond them, and far beyond."""
_MAX_BOMB_BYTES = 200_000_000


def _flat_png(width: int, height: int, color_type: int = _GRAYSCALE) -> bytes:
    """Return an image of one color in few bytes; far beyond the limits it is truncated."""
    left = min(height * (1 + width * _BYTES_A_PIXEL[color_type]), _MAX_BOMB_BYTES)
    squeeze, block = zlib.compressobj(6), bytes(1_000_000)
    squeezed = [squeeze.compress(block) for _ in range(left // len(block))]
    data = b"".join([*squeezed, squeeze.compress(bytes(left % len(block))), squeeze.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*each) for each in chunks)


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _after_header(png: bytes, chunk: bytes) -> bytes:
    return png[:33] + chunk + png[33:]


def _without_palette(png: bytes) -> bytes:
    original = (each for each in _chunks(png) if each[0] != b"PLTE")
    return png[:8] + b"".join(_png_chunk(*each) for each in original)


def _bits(seed: bytes, rng: random.Random) -> bytes:
    content = bytearray(seed)
    for _ in range(rng.choice([1, 1, 2, 5, 30])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _header_bits(seed: bytes, rng: random.Random) -> bytes:
    """Flip bits in the first bytes: sizes, color types and lengths."""
    return _bits(seed[:200], rng) + seed[200:]


def _cut(seed: bytes, rng: random.Random) -> bytes:
    return seed[: rng.randrange(len(seed))]


def _hole(seed: bytes, rng: random.Random) -> bytes:
    begin, end = sorted(rng.sample(range(len(seed) + 1), 2))
    return seed[:begin] + rng.choice([b"", bytes(end - begin)]) + seed[end:]


def _numbers(seed: bytes, rng: random.Random) -> bytes:
    """Replace a number of two or four bytes by an extreme one."""
    at, kind = rng.randrange(len(seed) - 4), rng.choice(["<H", ">H", "<I", ">I"])
    most = 256 ** struct.calcsize(kind) - 1
    number = struct.pack(kind, rng.choice([0, 1, most, most // 2, most // 2 + 1, 5000]))
    return seed[:at] + number + seed[at + len(number) :]


def _joined(seed: bytes, rng: random.Random) -> bytes:
    return seed[: rng.randrange(len(seed))] + seed[rng.randrange(len(seed)) :]


def _polyglot(seed: bytes, rng: random.Random) -> bytes:
    tail = rng.choice([_SCRIPT, _SVG, b"PK\x05\x06" + bytes(18), b"%PDF-1.7\n", seed])
    return rng.choice([seed + tail, tail + seed])


def _valid_checksums(seed: bytes, rng: random.Random) -> bytes:
    """Change one chunk of a PNG and correct its checksum, so that decoders read on."""
    chunks = list(_chunks(seed))
    if not chunks:
        return _bits(seed, rng)
    at = rng.randrange(len(chunks))
    name, data = chunks[at]
    changed = (_numbers, _bits) if len(data) > 4 else (lambda *_: data,)
    chunks[at] = (name, rng.choice(changed)(data, rng))
    if rng.random() < 0.2:
        chunks.insert(at, rng.choice(chunks))
    return seed[:8] + b"".join(_png_chunk(*each) for each in chunks)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8 if png.startswith(b"\x89PNG") else len(png)
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


_WAYS: Sequence[Callable[[bytes, random.Random], bytes]] = [
    *(
        _bits,
        _header_bits,
        _cut,
        _hole,
        _numbers,
        _joined,
        _polyglot,
        _valid_checksums,
        _valid_checksums,
    ),
]
