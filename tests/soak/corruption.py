"""Damaged originals: the store returns no wrong bytes, and changes and deletes no file.

A round damages the record, the image, both, or their folder, calls all methods of the store that
read, and restores the original. An intact image is found with any
record but a Git LFS pointer or one of a newer version.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import stat
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.judge import MAX_ORIGINAL_BYTES, Original
from mkdocs_imagegen.originals.record import MAX_RECORD_BYTES, VERSION, ImageFacts, Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from tests.originals.support import record
from tests.soak.figures import Figure

_ENTRIES = 4
_MAX_ROUND_CPU_S = 5.0
_HUNG_S = 60.0
_HUGE_ONE_IN = 300
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
_PASSWD = b"root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
_TEXTS = [
    *("", ".", "..", "../../outside/passwd", "/etc/passwd", "..\\..\\outside", "C:\\x", "CON"),
    *("%2e%2e/", "a\0b", "a\nb", "\ud800", "\u202e", "x" * 5000, "image/png", "image/svg+xml"),
    *(
        "0" * 64,
        "0" * 64 + "\n",
        "A" * 64,
        "\uff10" * 64,
        "../" + "a" * 61,
        "Infinity",
        "sNaN",
        "1e999",
    ),
]
_VALUES = [None, True, False, 0, 1, -1, 1.5, 10**30, [], {}, [[]], {"a": 1}, *_TEXTS]
_LITERALS = ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-0", "tru", "'x'", '"\\ud800"']


@dataclass(frozen=True, slots=True)
class Entry:
    """One original, with its request and the content of its files."""

    request: ImageRequest
    record: Record
    content: bytes
    record_path: Path
    record_content: bytes

    @property
    def image(self) -> Path:
        return self.record_path.with_name(self.record.file_name)

    def restore(self) -> None:
        """Write both files again."""
        _remove(self.record_path.parent)
        self.record_path.parent.mkdir()
        self.image.write_bytes(self.content)
        self.record_path.write_bytes(self.record_content)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Folders of the store, its originals, and files outside."""

    folder: Path
    entries: tuple[Entry, ...]
    rng: random.Random

    @property
    def outside(self) -> Path:
        return self.folder / "outside"

    @property
    def originals(self) -> Path:
        return self.folder / "originals"

    def store(self) -> OriginalStore:
        return OriginalStore(self.originals, _facts)


def _facts(_: bytes) -> ImageFacts:
    """Return the facts of any content; decoders have a soak of their own."""
    return ImageFacts("image/webp", Size(3, 2), has_alpha=False)


Damage = Callable[[Path, Workspace], None]


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Damage originals, and count the results of the store."""
    workspace = _ground(folder)
    counts: Counter[str] = Counter()
    slowest_s = [0.0]
    watch = _Watch(workspace.outside)
    work = threading.Thread(
        target=_rounds, args=(rounds, workspace, counts, slowest_s, watch), daemon=True
    )
    work.start()
    hung = _wait(work, counts)
    return [
        Figure("originals damaged", counts["rounds"], min_value=rounds),
        Figure(
            "kinds of damage", len({name for name in counts if name.startswith("by ")}), min_value=1
        ),
        Figure("originals returned", counts["returned"]),
        Figure("originals missed", counts["missed"], min_value=1),
        Figure("errors (StoreError)", counts["refused"]),
        Figure("wrong bytes returned", counts["wrong"], max_value=0),
        Figure("other exceptions than StoreError", counts["uncaught"], max_value=0),
        Figure("files outside touched", counts["touched"], max_value=0),
        Figure("files outside opened through an original", counts["opened"], max_value=0),
        Figure("files changed or deleted", counts["changed"], max_value=0),
        Figure("intact images not returned", counts["not returned"], max_value=0),
        Figure("rounds that hung", hung, max_value=0),
        Figure("slowest round in seconds of CPU", slowest_s[0], max_value=_MAX_ROUND_CPU_S),
    ]


def _wait(work: threading.Thread, counts: Counter[str]) -> int:
    """Wait for the end; return 1 if a round hangs."""
    done, since = -1, time.monotonic()
    while work.is_alive() and time.monotonic() - since < _HUNG_S:
        work.join(0.2)
        if counts["rounds"] != done:
            done, since = counts["rounds"], time.monotonic()
    return int(work.is_alive())


def _rounds(
    rounds: int, workspace: Workspace, counts: Counter[str], slowest_s: list[float], watch: _Watch
) -> None:
    before_outside = _state(workspace.outside)
    for _ in range(rounds):
        entry = workspace.rng.choice(workspace.entries)
        _damage(entry, workspace, counts)
        before = _files(workspace.originals)
        begun = time.thread_time()
        with watch:
            _read_all(workspace, entry, counts)
        slowest_s[0] = max(slowest_s[0], time.thread_time() - begun)
        counts["opened"] += watch.taken() * (not entry.record_path.parent.is_symlink())
        counts["changed"] += len(before - _files(workspace.originals))
        if _state(workspace.outside) != before_outside:
            counts["touched"] += 1
            _fill_outside(workspace)
            before_outside = _state(workspace.outside)
        entry.restore()
        counts["rounds"] += 1


def _read_all(workspace: Workspace, entry: Entry, counts: Counter[str]) -> None:
    """Call all methods of the store that read, in a random order."""
    key = entry.record.key
    is_findable = _is_findable(entry)
    store = workspace.store()
    reads: dict[str, Callable[[], Original | None]] = {
        "key": lambda: store.find(key),
        "subject": lambda: store.find_by_subject(entry.request),
        "request": lambda: store.find_exact(entry.request, ""),
        "verdict": lambda: (verdict := store.audit(key)) and verdict.original,
    }
    for name in workspace.rng.sample(list(reads), len(reads)):
        found = _count(lambda read=reads[name]: _result(read(), store, workspace), counts)
        counts["not returned"] += name == "request" and is_findable and found != "returned"
    _count(lambda: str(list(store.records()))[:0], counts)


def _is_findable(entry: Entry) -> bool:
    """Return True if the image is intact, and its record does not forbid to use it."""
    is_file = entry.image.is_file() and not entry.image.is_symlink()
    is_intact = is_file and entry.image.read_bytes() == entry.content
    return is_intact and not _forbids(entry.record_path)


def _forbids(path: Path) -> bool:
    """Return True if a record is a Git LFS pointer or of a newer version."""
    if not path.is_file() or path.is_symlink():
        return False
    content = path.read_bytes()
    with contextlib.suppress(ValueError, RecursionError, KeyError, TypeError):
        version = json.loads(content)["version"]
        return type(version) is int and version > VERSION
    return content.startswith(_LFS_POINTER[:20]) and len(content) <= MAX_RECORD_BYTES


def _result(original: Original | None, store: OriginalStore, workspace: Workspace) -> str:
    """Return ``missed``, ``returned`` or ``wrong``."""
    if original is None:
        return "missed"
    found, content = store.read(original)
    truth = {each.record.key: each.content for each in workspace.entries}
    is_right = content == truth[found.record.key] == found.path.read_bytes()
    return "returned" if is_right else "wrong"


def _count(read: Callable[[], str], counts: Counter[str]) -> str:
    try:
        result = read() or "listed"
    except StoreError:
        result = "refused"
    except Exception as error:  # noqa: BLE001 - counted as a fault
        print(f"uncaught: {error!r}", file=sys.stderr)  # noqa: T201 - details
        result = "uncaught"
    counts[result] += 1
    return result


def _damage(entry: Entry, workspace: Workspace, counts: Counter[str]) -> None:
    """Damage one file, both, or the folder."""
    if workspace.rng.random() < 0.06:
        _apply(workspace.rng.choice(_ON_FOLDERS), entry.record_path.parent, workspace, counts)
        return
    which = workspace.rng.choice([(True, False), (False, True), (True, True)])
    if which[0]:
        _apply(
            _chosen(workspace, [*_ON_ANY, *_ON_RECORDS * 2]), entry.record_path, workspace, counts
        )
    if which[1]:
        _apply(_chosen(workspace, _ON_ANY), entry.image, workspace, counts)


def _chosen(workspace: Workspace, damages: Sequence[Damage]) -> Damage:
    is_huge = workspace.rng.randrange(_HUGE_ONE_IN) == 0
    return _huge if is_huge else workspace.rng.choice(damages)


def _apply(damage: Damage, path: Path, workspace: Workspace, counts: Counter[str]) -> None:
    damage(path, workspace)
    counts[f"by {damage.__name__}"] += 1


def _bits(path: Path, workspace: Workspace) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(workspace.rng.randint(1, 4)):
        content[workspace.rng.randrange(len(content))] ^= 1 << workspace.rng.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, workspace: Workspace) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: workspace.rng.choice([0, 1, len(content) - 1, len(content) // 2])])


def _zeros(path: Path, workspace: Workspace) -> None:
    content = path.read_bytes()
    begin, end = sorted(workspace.rng.sample(range(len(content) + 1), 2))
    path.write_bytes(content[:begin] + bytes(end - begin) + content[end:])


def _put_in(path: Path, workspace: Workspace) -> None:
    content, at = path.read_bytes(), workspace.rng.randrange(400)
    path.write_bytes(content[:at] + workspace.rng.randbytes(9) + content[at:])


def _turned(path: Path, workspace: Workspace) -> None:
    content, at = path.read_bytes(), workspace.rng.randrange(400)
    path.write_bytes(content[at:] + content[:at])


def _of_another(path: Path, workspace: Workspace) -> None:
    """Replace the file by a file of another original."""
    other = workspace.rng.choice(workspace.entries)
    path.write_bytes(workspace.rng.choice([other.content, other.record_content]))


def _gone(path: Path, _: Workspace) -> None:
    path.unlink()


def _pointer(path: Path, workspace: Workspace) -> None:
    path.write_bytes(workspace.rng.choice([_LFS_POINTER, _LFS_POINTER.replace(b"\n", b"\r\n")]))


def _linked(path: Path, workspace: Workspace) -> None:
    other = workspace.rng.choice(workspace.entries)
    targets = [
        *sorted(workspace.outside.rglob("*")),
        other.record_path,
        other.image,
        path,
        "nowhere",
    ]
    path.unlink()
    path.symlink_to(workspace.rng.choice(targets))


def _linked_to_copy(path: Path, workspace: Workspace) -> None:
    """Replace the file by a link to an equal file outside."""
    path.unlink()
    path.symlink_to(workspace.outside / "copies" / path.name)


def _hard_linked(path: Path, workspace: Workspace) -> None:
    path.unlink()
    path.hardlink_to(workspace.outside / "passwd")


def _pipe(path: Path, _: Workspace) -> None:
    path.unlink()
    os.mkfifo(path)


def _socket(path: Path, _: Workspace) -> None:
    path.unlink()
    os.mknod(path, stat.S_IFSOCK | 0o600)


def _folder(path: Path, workspace: Workspace) -> None:
    path.unlink()
    path.mkdir()
    if workspace.rng.random() < 0.5:
        (path / path.name).write_bytes(b"inside")


def _huge(path: Path, workspace: Workspace) -> None:
    limit = MAX_RECORD_BYTES if path.suffix == ".json" else MAX_ORIGINAL_BYTES
    with path.open("r+b") as file:
        file.truncate(limit + workspace.rng.randrange(2))


def _field(path: Path, workspace: Workspace) -> None:
    """Change, add or delete a field."""
    fields = json.loads(path.read_bytes())
    name = workspace.rng.choice([*fields, "unknown", "__class__", "file_name"])
    fields[name] = workspace.rng.choice(_VALUES)
    if workspace.rng.random() < 0.1:
        del fields[name]
    path.write_text(json.dumps(fields))


def _literal(path: Path, workspace: Workspace) -> None:
    """Write a field with an invalid literal or deep nesting, or twice."""
    fields = json.loads(path.read_bytes())
    name = workspace.rng.choice(list(fields))
    depth = workspace.rng.choice([10, 200, *range(930, 1000), 20_000])
    deep = ["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth]
    value = workspace.rng.choice([*_LITERALS, *deep])
    is_twice = workspace.rng.random() < 0.3
    text = json.dumps(fields if is_twice else fields | {name: "@"}).replace('"@"', value)
    path.write_text(f'{{"{name}": {value}, {text[1:]}' if is_twice else text)


def _whole_text(path: Path, workspace: Workspace) -> None:
    text = path.read_text()
    begin = "[" * 100_000
    path.write_bytes(
        workspace.rng.choice(
            [
                *(b"[]", b"null", b"0", b'"x"', b"{}", b"\xff\xfe", b"\0" * 500, begin.encode()),
                *(b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode("utf-32")),
                *(text.encode() + b"x", text.encode() * 2, b"/* */" + text.encode()),
            ]
        )
    )


def _folder_is_file(path: Path, _: Workspace) -> None:
    shutil.rmtree(path)
    path.write_bytes(b"")


def _folder_is_pipe(path: Path, _: Workspace) -> None:
    shutil.rmtree(path)
    os.mkfifo(path)


def _folder_is_linked(path: Path, workspace: Workspace) -> None:
    shutil.rmtree(path)
    path.symlink_to(workspace.rng.choice([workspace.outside / "decoys", path, "/nowhere"]))


def _strangers(path: Path, workspace: Workspace) -> None:
    """Add files with invalid names, and a record of another folder."""
    names = ["x", "Z" * 64, "é" * 64, "0" * 63, "0" * 64, ".".join("ab" * 20)]
    for name in names:
        (path / f"{name}.json").write_bytes(workspace.rng.choice(workspace.entries).record_content)
    other = workspace.rng.choice(workspace.entries)
    (path / other.record_path.name).write_bytes(other.record_content)


_ON_ANY: list[Damage] = [
    *(_bits, _bits, _cut, _zeros, _put_in, _turned, _of_another, _gone, _pointer, _linked, _linked),
    *(_linked_to_copy, _hard_linked, _pipe, _socket, _folder),
]
_ON_RECORDS: list[Damage] = [*[_field] * 8, *[_literal] * 3, _whole_text, _whole_text]
_ON_FOLDERS: list[Damage] = [_folder_is_file, _folder_is_pipe, _folder_is_linked, _strangers]


class _Watch:
    """Counter of opened files in a folder, while it is entered."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)
        self._is_on = False
        self._opened = 0
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._is_on and event == "open" and isinstance(arguments[0], str):
            real = os.path.realpath(arguments[0])
            self._opened += real.startswith(self._folder + os.sep)

    def taken(self) -> int:
        opened, self._opened = self._opened, 0
        return opened

    def __enter__(self) -> None:
        self._is_on = True

    def __exit__(self, *_: object) -> None:
        self._is_on = False


def _ground(folder: Path) -> Workspace:
    store = OriginalStore(folder / "originals", _facts)
    rng = random.Random(20261123)  # noqa: S311 - the same damage every time
    entries = []
    for number in range(_ENTRIES):
        content = b"RIFF\x00\x00\x00\x00WEBP" + rng.randbytes(400 + number)
        # Two share a subject, so that one can stand for the other.
        prompt, quality = f"Prompt {number // 2}", ("low", "high")[number % 2]
        request = ImageRequest("a/b", prompt, Size(3, 2), quality)
        facts = record(content=content, key=request.key, subject=request.subject_key)
        store.put(facts, content)
        record_path = store.folder / facts.key[:2] / f"{facts.key}.json"
        entries.append(Entry(request, facts, content, record_path, record_path.read_bytes()))
    workspace = Workspace(folder, tuple(entries), rng)
    _fill_outside(workspace)
    return workspace


def _fill_outside(workspace: Workspace) -> None:
    """Write files outside the store, some with the names of originals."""
    _remove(workspace.outside)
    (workspace.outside / "copies").mkdir(parents=True)
    (workspace.outside / "decoys").mkdir()
    (workspace.outside / "passwd").write_bytes(_PASSWD)
    for entry in workspace.entries:
        (workspace.outside / "copies" / entry.record_path.name).write_bytes(entry.record_content)
        (workspace.outside / "copies" / entry.image.name).write_bytes(entry.content)
        (workspace.outside / "decoys" / entry.record_path.name).write_bytes(b"{}")
        (workspace.outside / "decoys" / entry.image.name).write_bytes(_PASSWD)


def _state(folder: Path) -> list[tuple[str, int, int, int, int]]:
    """Return names, inodes, modes, lengths and times of all files in a folder."""
    facts = ((each.path, each.stat(follow_symlinks=False)) for each in _below(folder))
    return sorted((p, s.st_ino, s.st_mode, s.st_size, s.st_mtime_ns) for p, s in facts)


def _files(folder: Path) -> set[tuple[str, int, int, int, int]]:
    """Return the same of a folder without its subfolders: a lost record is written again."""
    return {each for each in _state(folder) if not stat.S_ISDIR(each[2])}


def _below(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
