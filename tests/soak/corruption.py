"""Corrupted entries of the store of originals: never wrong bytes, nothing outside touched.

A round damages the record, the image, both, or the folder they are in, asks the store in every
way there is, and puts the entry back as it was.
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
from mkdocs_imagegen.originals.record import MAX_RECORD_BYTES, Record
from mkdocs_imagegen.originals.store import MAX_ORIGINAL_BYTES, Original, OriginalStore
from tests.originals.support import key_of, record
from tests.soak.figures import Figure

_ENTRIES = 4
_MAX_ROUND_S = 5.0
_HUNG_S = 30.0
_HUGE_ONE_IN = 300
_QUARANTINED_ROUNDS = 50
_GIT_LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
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
    """One original, and where it belongs."""

    record: Record
    content: bytes
    record_path: Path
    record_content: bytes

    @property
    def image(self) -> Path:
        return self.record_path.with_name(self.record.file_name)

    def restore(self) -> None:
        """Put it back, whatever is there now."""
        _remove(self.record_path.parent)
        self.record_path.parent.mkdir()
        self.image.write_bytes(self.content)
        self.record_path.write_bytes(self.record_content)


@dataclass(frozen=True, slots=True)
class Ground:
    """The store's folders, its entries, and what lies outside."""

    folder: Path
    entries: tuple[Entry, ...]
    chance: random.Random

    @property
    def outside(self) -> Path:
        return self.folder / "outside"

    def store(self) -> OriginalStore:
        return OriginalStore(self.folder / "originals", self.folder / "quarantine")


Damage = Callable[[Path, Ground], None]


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Damage an entry so many times, and count what the store makes of it."""
    ground = _ground(folder)
    counts: Counter[str] = Counter()
    slowest = [0.0]
    watch = _Watch(ground.outside)
    work = threading.Thread(
        target=_rounds, args=(rounds, ground, counts, slowest, watch), daemon=True
    )
    work.start()
    hung = _wait(work, counts)
    return [
        Figure("entries damaged", counts["rounds"], least=rounds),
        Figure(
            "kinds of damage", len({name for name in counts if name.startswith("by ")}), least=1
        ),
        Figure("entries served whole", counts["served"]),
        Figure("entries missed", counts["missed"], least=1),
        Figure("refusals (StoreError)", counts["refused"]),
        Figure("wrong bytes served", counts["wrong"], most=0),
        Figure("exceptions other than StoreError", counts["uncaught"], most=0),
        Figure("files outside touched", counts["touched"], most=0),
        Figure("files outside opened through an entry", counts["opened"], most=0),
        Figure("files deleted", counts["deleted"], most=0),
        Figure("rounds that hung", hung, most=0),
        Figure("slowest round in seconds", slowest[0], most=_MAX_ROUND_S),
    ]


def _wait(work: threading.Thread, counts: Counter[str]) -> int:
    """Wait for the end; 1 where nothing happens any more."""
    done, since = -1, time.monotonic()
    while work.is_alive() and time.monotonic() - since < _HUNG_S:
        work.join(0.2)
        if counts["rounds"] != done:
            done, since = counts["rounds"], time.monotonic()
    return int(work.is_alive())


def _rounds(
    rounds: int, ground: Ground, counts: Counter[str], slowest: list[float], watch: _Watch
) -> None:
    before_outside = _state(ground.outside)
    for _ in range(rounds):
        entry = ground.chance.choice(ground.entries)
        _damage(entry, ground, counts)
        before = _inodes(ground)
        begun = time.monotonic()
        with watch:
            _ask(ground, entry, counts)
        slowest[0] = max(slowest[0], time.monotonic() - begun)
        counts["opened"] += watch.taken() * (not entry.record_path.parent.is_symlink())
        counts["deleted"] += len(before - _inodes(ground))
        if _state(ground.outside) != before_outside:
            counts["touched"] += 1
            _fill_outside(ground)
            before_outside = _state(ground.outside)
        entry.restore()
        counts["rounds"] += 1
        if counts["rounds"] % _QUARANTINED_ROUNDS == 0:
            _remove(ground.folder / "quarantine")


def _ask(ground: Ground, entry: Entry, counts: Counter[str]) -> None:
    """Ask for the entry in every way; each is a look at the damage as it was left."""
    key, subject = entry.record.key, entry.record.subject
    store = ground.store()
    ways: list[Callable[[], Original | None]] = [
        lambda: store.find(key),
        lambda: store.find_by_subject(subject, "a/b"),
        lambda: store.find_verified(key),
    ]
    ground.chance.shuffle(ways)
    for way in ways:
        _judged(lambda way=way: _look(way(), store, ground), counts)
    _judged(lambda: str(list(store.records()))[:0], counts)


def _look(original: Original | None, store: OriginalStore, ground: Ground) -> str:
    """What is served: ``missed``, ``served`` or ``wrong``."""
    content = None if original is None else store.read(original)
    if original is None or content is None:
        return "missed"
    truth = {each.record.key: each.content for each in ground.entries}
    is_right = content == truth[original.record.key] == original.path.read_bytes()
    return "served" if is_right else "wrong"


def _judged(way: Callable[[], str | None], counts: Counter[str]) -> None:
    try:
        counts[way() or "listed"] += 1
    except StoreError:
        counts["refused"] += 1
    except Exception as error:  # noqa: BLE001 - that there is none is what is counted
        print(f"uncaught: {error!r}", file=sys.stderr)  # noqa: T201 - says which
        counts["uncaught"] += 1


def _damage(entry: Entry, ground: Ground, counts: Counter[str]) -> None:
    """Damage one file, both, or the folder."""
    if ground.chance.random() < 0.06:
        _apply(ground.chance.choice(_ON_FOLDERS), entry.record_path.parent, ground, counts)
        return
    which = ground.chance.choice([(True, False), (False, True), (True, True)])
    if which[0]:
        _apply(_chosen(ground, [*_ON_ANY, *_ON_RECORDS * 2]), entry.record_path, ground, counts)
    if which[1]:
        _apply(_chosen(ground, _ON_ANY), entry.image, ground, counts)


def _chosen(ground: Ground, damages: Sequence[Damage]) -> Damage:
    is_huge = ground.chance.randrange(_HUGE_ONE_IN) == 0
    return _huge if is_huge else ground.chance.choice(damages)


def _apply(damage: Damage, path: Path, ground: Ground, counts: Counter[str]) -> None:
    damage(path, ground)
    counts[f"by {damage.__name__}"] += 1


def _bits(path: Path, ground: Ground) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(ground.chance.randint(1, 4)):
        content[ground.chance.randrange(len(content))] ^= 1 << ground.chance.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, ground: Ground) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: ground.chance.choice([0, 1, len(content) - 1, len(content) // 2])])


def _zeros(path: Path, ground: Ground) -> None:
    content = path.read_bytes()
    begin, end = sorted(ground.chance.sample(range(len(content) + 1), 2))
    path.write_bytes(content[:begin] + bytes(end - begin) + content[end:])


def _put_in(path: Path, ground: Ground) -> None:
    content, at = path.read_bytes(), ground.chance.randrange(400)
    path.write_bytes(content[:at] + ground.chance.randbytes(9) + content[at:])


def _turned(path: Path, ground: Ground) -> None:
    content, at = path.read_bytes(), ground.chance.randrange(400)
    path.write_bytes(content[at:] + content[:at])


def _other_s(path: Path, ground: Ground) -> None:
    """Another entry's record or image in its place."""
    other = ground.chance.choice(ground.entries)
    path.write_bytes(ground.chance.choice([other.content, other.record_content]))


def _gone(path: Path, _: Ground) -> None:
    path.unlink()


def _pointer(path: Path, ground: Ground) -> None:
    path.write_bytes(ground.chance.choice([_GIT_LFS, _GIT_LFS.replace(b"\n", b"\r\n")]))


def _linked(path: Path, ground: Ground) -> None:
    other = ground.chance.choice(ground.entries)
    targets = [*sorted(ground.outside.rglob("*")), other.record_path, other.image, path, "nowhere"]
    path.unlink()
    path.symlink_to(ground.chance.choice(targets))


def _linked_to_itself_elsewhere(path: Path, ground: Ground) -> None:
    """A link to a file outside that holds exactly the right bytes."""
    path.unlink()
    path.symlink_to(ground.outside / "copies" / path.name)


def _hard_linked(path: Path, ground: Ground) -> None:
    path.unlink()
    path.hardlink_to(ground.outside / "passwd")


def _pipe(path: Path, _: Ground) -> None:
    path.unlink()
    os.mkfifo(path)


def _socket(path: Path, _: Ground) -> None:
    path.unlink()
    os.mknod(path, stat.S_IFSOCK | 0o600)


def _folder(path: Path, ground: Ground) -> None:
    path.unlink()
    path.mkdir()
    if ground.chance.random() < 0.5:
        (path / path.name).write_bytes(b"inside")


def _huge(path: Path, ground: Ground) -> None:
    limit = MAX_RECORD_BYTES if path.suffix == ".json" else MAX_ORIGINAL_BYTES
    with path.open("r+b") as file:
        file.truncate(limit + ground.chance.randrange(2))


def _field(path: Path, ground: Ground) -> None:
    """A field with another value, or without one, or one that nobody knows."""
    fields = json.loads(path.read_bytes())
    name = ground.chance.choice([*fields, "unheard_of", "__class__", "file_name"])
    fields[name] = ground.chance.choice(_VALUES)
    if ground.chance.random() < 0.1:
        del fields[name]
    path.write_text(json.dumps(fields))


def _literal(path: Path, ground: Ground) -> None:
    """A field with a value that JSON does not have, or deep nesting; or the field twice."""
    fields = json.loads(path.read_bytes())
    name = ground.chance.choice(list(fields))
    depth = ground.chance.choice([10, 200, *range(930, 1000), 20_000])
    deep = ["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth]
    value = ground.chance.choice([*_LITERALS, *deep])
    is_twice = ground.chance.random() < 0.3
    text = json.dumps(fields if is_twice else fields | {name: "@"}).replace('"@"', value)
    path.write_text(f'{{"{name}": {value}, {text[1:]}' if is_twice else text)


def _whole_text(path: Path, ground: Ground) -> None:
    text = path.read_text()
    begin = "[" * 100_000
    path.write_bytes(
        ground.chance.choice(
            [
                *(b"[]", b"null", b"0", b'"x"', b"{}", b"\xff\xfe", b"\0" * 500, begin.encode()),
                *(b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode("utf-32")),
                *(text.encode() + b"x", text.encode() * 2, b"/* */" + text.encode()),
            ]
        )
    )


def _folder_is_file(path: Path, _: Ground) -> None:
    shutil.rmtree(path)
    path.write_bytes(b"")


def _folder_is_pipe(path: Path, _: Ground) -> None:
    shutil.rmtree(path)
    os.mkfifo(path)


def _folder_is_linked(path: Path, ground: Ground) -> None:
    shutil.rmtree(path)
    path.symlink_to(ground.chance.choice([ground.outside / "decoys", path, "/nowhere"]))


def _strangers(path: Path, ground: Ground) -> None:
    """Files of names that no entry has, or of an entry that belongs elsewhere."""
    names = ["x", "Z" * 64, "é" * 64, "0" * 63, "0" * 64, ".".join("ab" * 20)]
    for name in names:
        (path / f"{name}.json").write_bytes(ground.chance.choice(ground.entries).record_content)
    other = ground.chance.choice(ground.entries)
    (path / other.record_path.name).write_bytes(other.record_content)


_ON_ANY: list[Damage] = [
    *(_bits, _bits, _cut, _zeros, _put_in, _turned, _other_s, _gone, _pointer, _linked, _linked),
    *(_linked_to_itself_elsewhere, _hard_linked, _pipe, _socket, _folder),
]
_ON_RECORDS: list[Damage] = [*[_field] * 8, *[_literal] * 3, _whole_text, _whole_text]
_ON_FOLDERS: list[Damage] = [_folder_is_file, _folder_is_pipe, _folder_is_linked, _strangers]


class _Watch:
    """Counts the files below a folder that are opened while it is entered."""

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


def _ground(folder: Path) -> Ground:
    store = OriginalStore(folder / "originals", folder / "quarantine")
    chance = random.Random(20261123)  # noqa: S311 - the same damage every time
    entries = []
    for number in range(_ENTRIES):
        content = b"RIFF\x00\x00\x00\x00WEBP" + chance.randbytes(400 + number)
        # Two share a subject, so that one can stand for the other.
        facts = record(str(number), content, subject=key_of(f"subject {number // 2}"))
        store.put(facts, content)
        record_path = store.folder / facts.key[:2] / f"{facts.key}.json"
        entries.append(Entry(facts, content, record_path, record_path.read_bytes()))
    ground = Ground(folder, tuple(entries), chance)
    _fill_outside(ground)
    return ground


def _fill_outside(ground: Ground) -> None:
    """Files that are nobody's business, some of them under the names of entries."""
    _remove(ground.outside)
    (ground.outside / "copies").mkdir(parents=True)
    (ground.outside / "decoys").mkdir()
    (ground.outside / "passwd").write_bytes(_PASSWD)
    for entry in ground.entries:
        (ground.outside / "copies" / entry.record_path.name).write_bytes(entry.record_content)
        (ground.outside / "copies" / entry.image.name).write_bytes(entry.content)
        (ground.outside / "decoys" / entry.record_path.name).write_bytes(b"{}")
        (ground.outside / "decoys" / entry.image.name).write_bytes(_PASSWD)


def _state(folder: Path) -> list[tuple[str, int, int, int, int]]:
    """Names, numbers, rights, lengths and times of all below."""
    facts = ((each.path, each.stat(follow_symlinks=False)) for each in _below(folder))
    return sorted((p, s.st_ino, s.st_mode, s.st_size, s.st_mtime_ns) for p, s in facts)


def _inodes(ground: Ground) -> set[int]:
    """The numbers of all files in the store and in quarantine; they last through a move."""
    folders = (ground.folder / "originals", ground.folder / "quarantine")
    return {each.inode() for folder in folders if folder.exists() for each in _below(folder)}


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
