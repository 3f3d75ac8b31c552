"""Builds of pages as authors write them: accepted, or answered with the line and the next step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from mkdocs.exceptions import Abort

from tests.support import Built, Site, recorded

CASES = yaml.safe_load(Path(__file__).with_name("author_mistakes.yml").read_text())
CANARY = "canary4f1c9e"
NAMES = ("width", "height", "class", "style", "sizes")


def images(built: Built) -> list[dict[str, str]]:
    """Return the attributes of each image of the home page."""
    tags = re.findall(r"<img [^>]*>", built.page("index.html"))
    return [dict(re.findall(r' ([a-z]+)="([^"]*)"', tag)) for tag in tags]


def test_sizes_of_existing_images_are_accepted(site: Site) -> None:
    """Turning `![…](file.png){ width="500px" }` into a prompt changes only the address."""
    site.options["variants"] = {"blur": False}
    written = ['width="500px"', "width=500 height=300", 'style="width:300px"', "width=50%"]
    site.write(
        "index.md", "# A\n\n" + "\n\n".join(f"![A](imagegen:){{ {each} }}" for each in written)
    )
    built = site.build(strict=True)
    assert [tuple(image.get(name) for name in NAMES) for image in images(built)] == [
        ("500", "333", "imagegen", None, "(min-width: 524px) 500px, calc(100vw - 24px)"),
        ("500", "300", "imagegen", None, "auto, (min-width: 524px) 500px, calc(100vw - 24px)"),
        (
            "300",
            "200",
            "imagegen",
            "width:300px",
            "auto, (min-width: 324px) 300px, calc(100vw - 24px)",
        ),
        ("1536", "1024", "imagegen imagegen-w50", None, "(max-width: 1536px) 50vw, 768px"),
    ]
    assert "1 sketch drawn" in built.summary  # every size is of the same original


@pytest.mark.parametrize("case", CASES["pages"])
def test_mistake_on_a_page_has_its_line_and_the_next_step(site: Site, case: dict[str, str]) -> None:
    site.write("index.md", f"# A\n\n{case['markdown']}\n")
    built = site.build()
    assert built.warnings == [f"imagegen: {case['message']}"]
    assert 'src="assets/imagegen/missing-' in built.page("index.html")


def test_unclosed_block_hides_only_the_image_block_below_it(site: Site) -> None:
    """Neither the code nor the image block after it is lost, and the page shows a placeholder."""
    site.write(
        "index.md",
        "# A\n\n```yaml\nkey: value\n\n```imagegen\nA kite\n```\n\n```imagegen\nA table\n```\n",
    )
    built = site.build()
    assert built.summary == "imagegen: 2 images: 1 sketch drawn, 1 invalid"
    assert re.findall(r'alt="([^"]*)"', built.page("index.html")) == [
        "A table",
        "Image prompt with an error",
    ]


def test_every_mistake_of_the_front_matter_has_its_line(site: Site) -> None:
    site.write(
        "index.md",
        "---\ntitle: A\nimagegen:\n  qualty: low\n  prompts:\n    hero:\n      prompt: A\n"
        "      size: 1024px\n---\n# A\n\n![](imagegen:hero)\n",
    )
    start = "imagegen: docs/index.md:"
    assert [text.removeprefix(start).partition(" (")[0] for text in site.build().warnings] == [
        '4: front matter: unknown option "qualty"; did you mean "quality"?',
        '8: front matter: `prompts.hero.size`: unsupported value "1024px"',
        "12: image prompt: the page's front matter has an error; fix it first",
    ]


@pytest.mark.parametrize("case", CASES["configurations"])
def test_mistake_in_the_configuration_stops_the_build(site: Site, case: dict[str, Any]) -> None:
    site.options.update(case["options"])
    with recorded() as records, pytest.raises(Abort):
        site.build()
    texts = [each.getMessage() for each in records]
    assert texts == [f"Config value 'plugins': Plugin 'imagegen' {case['message']}"]
    assert CANARY not in "".join(texts)
    assert not (site.folder / "site").exists()


def test_misspelled_model_is_named_while_sketches_are_drawn(site: Site) -> None:
    site.options["model"] = "openai/gpt-image-1-mni"
    site.write("index.md", "# A\n\n![A](imagegen:)\n\n![B](imagegen:?model=gpt-image-2)\n")
    site.write("other.md", "# B\n\n![C](imagegen:?model=gpt-image-2)\n")
    known = "is not a known model ID; did you mean"
    assert site.build().warnings == [
        f'imagegen: mkdocs.yml: "openai/gpt-image-1-mni" {known} "openai/gpt-image-1-mini"?',
        f'imagegen: docs/index.md:5: "gpt-image-2" {known} "openai/gpt-image-2"?',
    ]
    assert site.build(strict=True).warnings == []


def test_sketch_of_a_directive_is_checked_against_its_own_model(site: Site) -> None:
    """A size that only the model of the image supports is not reported for that of the site."""
    site.write("index.md", "# A\n\n![A](imagegen:?model=openai/gpt-image-2&size=2048x1152)\n")
    assert not [text for text in site.build(strict=True).infos if "does not support" in text]
    site.write("index.md", "# A\n\n![A](imagegen:?model=openai/gpt-image-2&size=640x481)\n")
    (info,) = (text for text in site.build(strict=True).infos if "does not support" in text)
    assert 'a sketch is shown, but openai/gpt-image-2 does not support size "640x481"' in info
