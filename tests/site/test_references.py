"""Reference images: files of the site, and generated images."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from mkdocs_imagegen.cli.main import main
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.pipeline.reference_files import ReferenceFiles
from mkdocs_imagegen.request import ImageRequest
from tests.serving import serving as live
from tests.support import Built, Site
from tests.waiting import MAX_WAIT_S

MODEL = "openai/gpt-image-2"  # one that does not end soon, of which builds would warn


def png(size: tuple[int, int] = (64, 48), colour: Any = (200, 30, 30), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(file, kind)
    return file.getvalue()


def put(site: Site, name: str, content: bytes) -> Path:
    path = site.docs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def fence(prompt: str, **options: str) -> str:
    said = "".join(f"{name}: {value}\n" for name, value in options.items())
    return f"```imagegen\n{said}---\n{prompt}\n```\n"


def build(site: Site, emulator: Emulator, **options: Any) -> Built:
    with EmulatorServer(emulator) as server:
        # One name for all of a test's servers: a sketch counts where its server drew it.
        site.options["gateway"] = {"url": server.url, "auth": "none", "timeout": MAX_WAIT_S}
        site.options.update({"report": "report.json", "model": MODEL, **options})
        return site.build()


def asked(emulator: Emulator) -> list[tuple[str, str | None]]:
    return [(each.path.rsplit("/", 1)[-1], each.prompt) for each in emulator.log if each.prompt]


@pytest.fixture
def free() -> Emulator:
    return Emulator(require_key=False)


def test_reference_to_a_file_is_generated_once(site: Site, free: Emulator) -> None:
    put(site, "guide/cup.png", png())
    site.write("guide/page.md", f"# Page\n\n{fence('A cup', reference='cup.png')}")
    built = build(site, free)
    assert built.warnings == []
    assert asked(free) == [("edits", "A cup")]
    assert [each["state"] for each in site.report()["pictures"]] == ["made"]
    (image,) = site.report()["pictures"]
    with_it = image["key"]
    put(site, "guide/cup.png", png(colour=(30, 30, 200)))
    assert with_it != _key_of_next(site)
    put(site, "guide/cup.png", png())
    assert with_it == _key_of_next(site)


def _key_of_next(site: Site) -> str:
    site.options["generate"] = False
    site.build()
    (image,) = site.report()["pictures"]
    return str(image["key"])


def test_moved_reference_file_generates_no_image(site: Site) -> None:
    put(site, "cup.png", png())
    site.write("index.md", f"# Page\n\n{fence('A cup', reference='cup.png')}")
    assert "1 sketch drawn" in site.build(strict=True).summary
    (site.docs / "cup.png").rename(site.docs / "mug.jpg")
    site.write("index.md", f"# Page\n\n{fence('A cup', reference='/mug.jpg')}")
    assert "1 image: 1 sketch reused" in site.build(strict=True).summary


def test_repeat_build_needs_only_the_reference_file(site: Site) -> None:
    put(site, "cup.png", png())
    site.write("index.md", f"# Page\n\n{fence('A cup', reference='cup.png')}")
    first = site.build(strict=True).files()
    assert site.build(strict=True).files() == first


def test_seventeenth_reference_is_an_error(site: Site, free: Emulator) -> None:
    names = [f"p{number}.png" for number in range(17)]
    for number, name in enumerate(names):
        put(site, name, png(colour=(number, 0, 0)))
    site.write("index.md", f"# Page\n\n{fence('Many', reference=', '.join(names[:16]))}")
    assert build(site, free).warnings == []
    assert asked(free) == [("edits", "Many")]
    site.write("index.md", f"# Page\n\n{fence('Many', reference=', '.join(names))}")
    assert "supported: up to 16" in site.build().warnings[0]


def test_mask_of_the_right_size_is_sent(site: Site, free: Emulator) -> None:
    put(site, "cup.png", png())
    put(site, "mask.png", png(colour=(0, 0, 0, 0)))
    site.write("index.md", f"# P\n\n{fence('A cup', reference='cup.png', mask='mask.png')}")
    assert build(site, free).warnings == []
    assert free.bill.images == 1


MISTAKES = {
    "no such file": (
        {"reference": "/imgs/cup.png"},
        'file docs/imgs/cup.png does not exist .*mean "/img/cup.png"',
    ),
    "outside": ({"reference": "../../secret.png"}, "is outside the docs folder"),
    "through a link": ({"reference": "link.png"}, "/link.png is outside the docs folder"),
    "text": ({"reference": "text.png"}, "/text.png cannot be used as a reference image"),
    "half an image": ({"reference": "half.png"}, "half.png: the bytes are not a valid image"),
    "a GIF": ({"reference": "cup.gif"}, "/cup.gif cannot be used as a reference image"),
    "an address": ({"reference": "https://example.org/a.png"}, "is outside the docs folder"),
    "a folder": ({"reference": "/img"}, "file docs/img does not exist"),
    "no reference": ({"mask": "mask.png"}, "needs a reference image"),
    "another size": (
        {"reference": "img/cup.png", "mask": "mask.png"},
        "mask mask.png is 10x10, but the first reference image is 64x48",
    ),
    "opaque": ({"reference": "img/cup.png", "mask": "full.png"}, "no transparent pixels"),
    "a JPEG": ({"reference": "img/cup.png", "mask": "mask.jpg"}, "mask.jpg cannot be used"),
    "no such id": (
        {"reference": "#cups"},
        'image "/index.md#cups" does not exist.*mean "/index.md#cup"',
    ),
    "no such prompt": (
        {"reference": "cups"},
        'reference "cups" has an error: unknown prompt name "cups"',
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("options", "said"), MISTAKES.values(), ids=MISTAKES)
def test_invalid_reference_warns_and_sends_no_request(
    site: Site, free: Emulator, options: dict[str, str], said: str
) -> None:
    put(site, "img/cup.png", png())
    put(site, "text.png", b"no image")
    put(site, "half.png", png()[:70])
    put(site, "cup.gif", png(kind="GIF"))
    put(site, "mask.png", png((10, 10), (0, 0, 0, 0)))
    put(site, "full.png", png())
    put(site, "mask.jpg", png(kind="JPEG"))
    (site.folder / "secret.png").write_bytes(png())
    (site.docs / "link.png").symlink_to(site.folder / "secret.png")
    page = f"# Page\n\n{fence('A cup', **options)}\n{fence('A plain cup', id='cup')}"
    site.write("index.md", page)
    built = build(site, free)
    assert asked(free) == [("generations", "A plain cup")]
    (warning,) = [each for each in built.warnings if "index.md:3" in each]
    assert re.search(said, warning), warning


def test_reference_to_an_image_of_a_later_page(site: Site, free: Emulator) -> None:
    site.write("a.md", f"# A\n\n{fence('A fox runs', reference='b.md#fox')}")
    site.write("b.md", f"# B\n\n{fence('A fox', id='fox')}")
    assert build(site, free).warnings == []
    assert asked(free) == [("generations", "A fox"), ("edits", "A fox runs")]
    site.options["generate"] = False
    assert site.build(strict=True).warnings == []


@pytest.mark.parametrize(
    ("pages", "is_found"),
    [
        (["b.md", "b.de.md"], True),
        (["b.pt-BR.md"], True),
        (["b.de.md", "b.fr.md"], False),
        (["b.1.md"], False),
        (["c.de.md"], False),
    ],
)
def test_reference_to_a_translated_page_needs_a_single_translation(
    site: Site, free: Emulator, pages: list[str], is_found: bool
) -> None:
    site.write("a.md", f"# A\n\n{fence('A fox runs', reference='b.md#fox')}")
    for page in pages:
        site.write(page, f"# B\n\n{fence(f'A fox in {page}', id='fox')}")
    warnings = [text for text in build(site, free).warnings if "image prompt" in text]
    assert ['image "/b.md#fox" does not exist' in text for text in warnings] == (
        [] if is_found else [True]
    )
    assert ("edits", "A fox runs") in asked(free) or not is_found


def test_chain_of_references_is_generated_from_its_end(site: Site, free: Emulator) -> None:
    steps = [fence("One", reference="#two"), fence("Two", id="two", reference="#three")]
    site.write("index.md", "# P\n\n" + "\n".join([*steps, fence("Three", id="three")]))
    assert build(site, free).warnings == []
    assert [prompt for _, prompt in asked(free)] == ["Three", "Two", "One"]
    states = [each["state"] for each in site.report()["pictures"]]
    assert states == ["made"] * 3


def test_cycle_of_references_is_an_error_that_names_it(site: Site, free: Emulator) -> None:
    ring = [fence("One", id="one", reference="#two"), fence("Two", id="two", reference="#one")]
    site.write("index.md", "# P\n\n" + "\n".join([*ring, fence("Three", reference="#one")]))
    built = build(site, free)
    assert free.log == ()
    assert len(built.warnings) == 3
    assert all("form a cycle: /index.md#" in each for each in built.warnings)
    assert "/index.md#one -> /index.md#two -> /index.md#one" in built.warnings[0]


def test_reference_to_itself_is_a_cycle(site: Site) -> None:
    site.options["prompts"] = {"snake": {"prompt": "A snake", "reference": "snake"}}
    site.write("index.md", "# P\n\n![](imagegen:snake)\n")
    assert "snake -> snake" in site.build().warnings[0]


def test_reference_to_a_named_prompt_that_no_page_shows(site: Site, free: Emulator) -> None:
    site.options["prompts"] = {"hero": {"prompt": "A knight", "size": "1024x1024"}}
    site.write("index.md", f"# P\n\n{fence('The knight sleeps', reference='hero')}")
    assert build(site, free).warnings == []
    assert asked(free) == [("generations", "A knight"), ("edits", "The knight sleeps")]
    prompts = [each["prompt"] for each in site.report()["pictures"]]
    assert sorted(prompts) == ["A knight", "The knight sleeps"]


def test_missing_reference_image_is_the_reason_for_a_missing_image(site: Site) -> None:
    site.options["generate"] = False
    site.write(
        "index.md", f"# P\n\n{fence('A fox runs', reference='#fox')}\n{fence('A fox', id='fox')}"
    )
    site.options["report"] = "report.json"
    (warning,) = site.build().warnings
    assert "2 images are missing: generate is false (docs/index.md:3, docs/index.md:9)" in warning
    follows = site.report()["pictures"][0]["warnings"][0]
    assert 'reference image "/index.md#fox" is missing: generate is false' in follows


def test_budget_of_one_image_generates_the_reference_image(site: Site, free: Emulator) -> None:
    page = f"{fence('A fox runs', reference='#fox')}\n{fence('A fox', id='fox')}"
    site.write("index.md", f"# P\n\n{page}")
    build(site, free, budget={"images": 1, "usd": None})
    assert asked(free) == [("generations", "A fox")]
    assert free.bill.images == 1


def test_reference_to_a_hidden_image_is_an_error(site: Site, free: Emulator) -> None:
    hidden = f"<!--\n{fence('A fox', id='fox')}-->\n"
    site.write("index.md", f"# P\n\n{fence('A fox runs', reference='#fox')}\n{hidden}")
    assert "#fox" in build(site, free).warnings[0]
    assert free.log == ()


def test_preset_sets_the_reference_of_its_images(site: Site, free: Emulator) -> None:
    put(site, "style.webp", png(kind="WEBP"))
    site.options["presets"] = {"house": {"reference": ["/style.webp"]}}
    plain = fence("A tree", preset="house", reference="none")
    site.write("a/b.md", f"# P\n\n{fence('A house', preset='house')}\n{plain}")
    assert build(site, free).warnings == []
    assert sorted(asked(free)) == [("edits", "A house"), ("generations", "A tree")]


def test_dark_image_has_the_same_reference(site: Site, free: Emulator) -> None:
    put(site, "cup.png", png())
    site.write("index.md", f"# P\n\n{fence('A cup', reference='cup.png', dark='at night')}")
    assert build(site, free).warnings == []
    assert [path for path, _ in asked(free)] == ["edits", "edits"]


def test_response_of_an_interrupted_build_is_stored_without_its_reference(
    site: Site, free: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cup = put(site, "cup.png", png())
    site.write("index.md", f"# P\n\n{fence('A cup', reference='cup.png')}")
    with monkeypatch.context() as broken:
        broken.setattr("mkdocs_imagegen.spending.journal.Journal.end", lambda *_: None)
        build(site, free)
    for path in [*site.records, *site.originals.rglob("*.webp")]:
        path.unlink()
    cup.unlink()
    built = site.build()
    assert any("stored an image that an earlier build generated" in each for each in built.infos)
    assert not list((site.originals / "work/journal").iterdir())
    assert free.bill.images == 1


FOX = f"# P\n\n{fence('A fox runs', reference='#fox')}\n{fence('A fox', id='fox')}"


def test_server_generates_the_reference_image_first(site: Site, free: Emulator) -> None:
    """The reference image of a draft is a draft."""
    site.write("index.md", FOX)
    options = {"serve": "generate", "serve_delay": 0.2, "draft": {"quality": "low"}}
    site.options.update({"model": MODEL} | options)
    with EmulatorServer(free) as gateway:
        site.options["gateway"] = {"url": gateway.url, "auth": "none"}
        with live(site) as server:
            server.wait_for_text("Waiting for a reference image")
            server.wait_for_image()
    assert asked(free) == [("generations", "A fox"), ("edits", "A fox runs")]


def test_plan_and_check_count_the_reference_image(site: Site) -> None:
    site.write("index.md", FOX)
    plan = command(site, "plan")
    assert (plan["makes"], [each["state"] for each in plan["pictures"]]) == (2, ["missing"] * 2)
    assert len(command(site, "check", code=1)["lacking"]) == 2


def test_candidates_have_the_references_of_the_image(site: Site, free: Emulator) -> None:
    put(site, "cup.png", png())
    site.write("index.md", f"# P\n\n{fence('A cup', reference='cup.png', id='cup')}")
    build(site, free)
    with EmulatorServer(free) as gateway:
        site.options["gateway"] = {"url": gateway.url, "auth": "none"}
        sheet = str(site.folder / "sheet.html")
        command(site, "candidates", "index.md#cup", "-n", "2", "--output", sheet)
    assert asked(free) == [("edits", "A cup")] * 3


def test_reference_file_that_changes_during_the_build_is_not_sent(
    site: Site, free: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cup = put(site, "cup.png", png())
    site.write("index.md", f"# P\n\n{fence('A cup', reference='cup.png')}")
    found = ReferenceFiles.check

    def check(self: ReferenceFiles, request: ImageRequest) -> None:
        found(self, request)
        cup.write_bytes(png(colour=(0, 0, 1)))

    monkeypatch.setattr(ReferenceFiles, "check", check)
    built = build(site, free)
    assert "cup.png was changed during the build; build again" in built.warnings[0]
    assert free.log[-1].path == "/v1/models"
    assert free.bill.images == 0


def command(site: Site, name: str, *arguments: str, code: int = 0) -> Any:
    given = [name, "--config-file", str(site.save()), "--json", *arguments]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_chain_of_references_is_found_again(site: Site) -> None:
    chain = "\n\n".join(
        f"![Image {name}](imagegen:){{ {options} }}"
        for name, options in (("c", "id=c"), ("b", "id=b reference=#c"), ("a", "reference=#b"))
    )
    site.write("index.md", f"# Page\n\n{chain}\n")
    assert "3 sketches drawn" in site.build(strict=True).summary
    for _ in range(2):
        built = site.build(strict=True)
        assert "3 images: 3 sketches reused" in built.summary
        assert built.warnings == []
