"""Steps of a scenario: edits, damage, faults, processes and commands."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.soak.scenarios.gateway import random_faults
from tests.soak.scenarios.invariants import checked_run
from tests.soak.scenarios.world import MODELS, QUALITIES, SIGNALS, Fence, World, remove

_MAX_PAGES = 4
_KEY_DIGITS = 16
_FOLDER_DIGITS = 2


def begin(world: World) -> None:
    """Write the first pages."""
    for number in range(world.rng.randint(2, 3)):
        count = world.rng.randint(2, 4)
        world.pages[f"page{number}"] = [Fence(world.new_prompt()) for _ in range(count)]


def random_step(world: World) -> None:
    """Take one step."""
    names, weights = list(_STEPS), [weight for weight, _ in _STEPS.values()]
    (name,) = world.rng.choices(names, weights)
    world.log.append(name)
    _STEPS[name][1](world)


def _edit_pages(world: World) -> None:
    rng = world.rng
    for _ in range(rng.randint(1, 3)):
        page = f"page{rng.randrange(_MAX_PAGES)}"
        fences = world.pages.setdefault(page, [])
        kind = rng.randrange(5)
        if kind == 0 and fences:
            fences.pop(rng.randrange(len(fences)))
        elif kind == 1 and fences:
            rng.choice(fences).prompt = world.new_prompt()
        elif kind == 2 and world.fences:
            fences.append(Fence(rng.choice(world.fences)[1].prompt))
        else:
            fences.append(Fence(world.new_prompt()))
        if not fences:
            del world.pages[page]


def _add_prompts(world: World) -> None:
    """Mostly add some prompts, so that a build has something to generate."""
    for _ in range(world.rng.choice([0, 1, 2, 4])):
        page = f"page{world.rng.randrange(_MAX_PAGES)}"
        world.pages.setdefault(page, []).append(Fence(world.new_prompt()))


def _edit_fence(world: World) -> None:
    if world.fences:
        _, fence = world.rng.choice(world.fences)
        name, values = world.rng.choice(
            [("model", MODELS), ("quality", QUALITIES), ("caption", ("A caption", "Another"))]
        )
        if name in fence.options and world.rng.random() < 0.5:
            del fence.options[name]
        else:
            fence.options[name] = world.rng.choice(values)


_OPTIONS: dict[str, Sequence[object]] = {
    "generate": ("auto", "auto", "auto", True, False),
    "on_missing": ("placeholder", "placeholder", "warn", "error"),
    "budget": (*[{"images": None, "usd": None}] * 3, {"images": 2, "usd": None}),
    "model": (MODELS[0], *MODELS),
    "quality": (QUALITIES[0], *QUALITIES),
}


def _edit_option(world: World) -> None:
    name = world.rng.choice(list(_OPTIONS))
    world.site.options[name] = world.rng.choice(_OPTIONS[name])
    world.log[-1] += f" {name}: {world.site.options[name]}"


def _move_originals(world: World) -> None:
    world.choose_folder("originals_dir")
    world.log[-1] += f" {world.originals}"


def _move_cache(world: World) -> None:
    world.choose_folder("cache_dir")
    world.log[-1] += f" {world.cache}"


def _delete_cache(world: World) -> None:
    """Delete the cache folder, which forgets the folders that no configuration names any more."""
    remove(world.cache)
    world.noted.pop(world.cache, None)


def _damage_cache(world: World) -> None:
    files = sorted(path for path in world.cache.rglob("*") if path.is_file())
    for path in world.rng.sample(files, min(3, len(files))):
        _damage(world, path)


def _damage_images(world: World) -> None:
    """Flip a bit of some images in place, cut them, or delete them."""
    images = sorted(
        path
        for path in world.all().files
        if path.suffix in (".jpg", ".png") and len(path.parent.name) == _FOLDER_DIGITS
    )
    for path in world.rng.sample(images, min(world.rng.randint(1, 2), len(images))):
        world.edit(lambda path=path: _damage(world, path))
        world.log[-1] += f" {path.name[:8]}"


def _damage_records(world: World) -> None:
    """Delete or cut some records, leave a conflict in them, or add a field to them."""
    records = _records(world)
    for path in world.rng.sample(records, min(world.rng.randint(1, 3), len(records))):
        content = path.read_bytes()
        kind = world.rng.choice(["delete", "cut", "conflict", "field"])
        world.log[-1] += f" {path.name[:8]} {kind}"
        path.unlink()  # as editors and git do: the file can have another name elsewhere
        if kind == "cut":
            path.write_bytes(content[: world.rng.randrange(len(content))])
        elif kind == "conflict":
            path.write_bytes(_conflict(content, world.rng.choice(records)))
        elif kind == "field":
            path.write_bytes(content.replace(b"{\n", b'{\n  "author": "Ada",\n', 1))


def _conflict(content: bytes, other: Path) -> bytes:
    """Return a record as git leaves it, with the lines of one side or of both."""
    theirs = other.read_bytes() if other.exists() else b"{}\n"
    head, _, tail = content.partition(b'  "sha256"')
    line, _, rest = (b'  "sha256"' + tail).partition(b"\n")
    if not tail or not theirs.endswith(b"\n"):
        return b"<<<<<<< HEAD\n" + content + b"=======\n" + theirs + b"\n>>>>>>> branch\n"
    changed = b'  "sha256": "' + b"0" * 64 + b'",'
    return head + b"<<<<<<< HEAD\n" + line + b"\n=======\n" + changed + b"\n>>>>>>> branch\n" + rest


def _records(world: World) -> list[Path]:
    found = (path for folder in world.all_folders for path in folder.glob(f"??/{64 * '?'}.json"))
    return sorted(found)


def _damage(world: World, path: Path) -> None:
    kind = world.rng.choice(["flip", "cut", "delete"])
    if kind == "delete":
        path.unlink()
        return
    content = bytearray(path.read_bytes())
    if content and kind == "flip":
        content[world.rng.randrange(len(content))] ^= 1 << world.rng.randrange(8)
    path.write_bytes(content if kind == "flip" else content[: len(content) // 2])


def _build(world: World) -> None:
    checked_run(world)


def _build_with_faults(world: World) -> None:
    _add_prompts(world)
    faults = random_faults(world.rng)
    world.log[-1] += f" {' '.join(faults)}"
    world.gateway.plan(faults)
    checked_run(world)
    world.gateway.plan([])


def _kill(world: World) -> None:
    _add_prompts(world)
    checked_run(world, number=signal.SIGKILL)


def _interrupt(world: World) -> None:
    _add_prompts(world)
    checked_run(world, number=world.rng.choice(SIGNALS))


def _build_together(world: World) -> None:
    _add_prompts(world)
    checked_run(world, others=world.rng.randint(1, 2), number=world.rng.choice([0, 0, 9, 15]))


def _build_offline(world: World) -> None:
    checked_run(world, environ={"OFFLINE": "1"})


def _plan(world: World) -> None:
    checked_run(world, ["mkdocs-imagegen", "plan", "--json"])


def _verify(world: World) -> None:
    checked_run(world, ["mkdocs-imagegen", "verify"])


def _repair(world: World) -> None:
    checked_run(world, ["mkdocs-imagegen", "verify", "--repair"])


def _prune(world: World) -> None:
    checked_run(world, ["mkdocs-imagegen", "prune", "--grace-days", "0"])


def _generate(world: World) -> None:
    if world.rng.random() < 0.3:
        world.gateway.plan(random_faults(world.rng))
    checked_run(world, ["mkdocs-imagegen", "generate"])
    world.gateway.plan([])


def _generate_again(world: World) -> None:
    if not world.fences:
        return
    key = world.request_of(world.rng.choice(world.fences)[1]).key
    if world.rng.random() < 0.3:
        world.gateway.plan(random_faults(world.rng))
    world.log[-1] += f" {key[:8]}"
    number = world.rng.choice([0, 0, 0, 9, 15])
    command = ["mkdocs-imagegen", "generate", key[:_KEY_DIGITS], "--again"]
    checked_run(world, command, again=key, number=number)
    world.gateway.plan([])


_STEPS: dict[str, tuple[int, Callable[[World], None]]] = {
    "edit pages": (8, _edit_pages),
    "edit a prompt's options": (4, _edit_fence),
    "edit an option": (5, _edit_option),
    "move originals": (4, _move_originals),
    "move the cache": (1, _move_cache),
    "delete the cache": (2, _delete_cache),
    "damage the cache": (2, _damage_cache),
    "damage records": (4, _damage_records),
    "damage images": (3, _damage_images),
    "build": (6, _build),
    "build with faults": (4, _build_with_faults),
    "kill a build": (5, _kill),
    "interrupt a build": (3, _interrupt),
    "build several times at once": (3, _build_together),
    "build offline": (1, _build_offline),
    "plan": (1, _plan),
    "verify": (1, _verify),
    "verify --repair": (2, _repair),
    "prune": (1, _prune),
    "generate": (2, _generate),
    "generate --again": (3, _generate_again),
}
"""Weight and function of each step."""


def finish(world: World) -> None:
    """Build twice with a network, and once without it."""
    world.log.append("finish")
    for name in ("generate", "on_missing", "budget"):
        world.site.options[name] = _OPTIONS[name][0]
    checked_run(world)
    charges = len(world.gateway.charges())
    checked_run(world)
    world.expect(len(world.gateway.charges()) == charges, "the second last build has charged")
    site = world.site.folder / "site"
    before = _contents(site)
    requests = world.gateway.requests
    checked_run(world, environ={"OFFLINE": "1"})
    world.expect(world.gateway.requests == requests, "an offline build has sent a request")
    after = _contents(site)
    differing = [name for name in before | after if before.get(name) != after.get(name)]
    world.expect(not differing, f"the offline site differs: {differing[:3]}")
    world.log.append(json.dumps({"charges": charges}))


def _contents(site: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(site.rglob("*")) if path.is_file())
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in paths}
