"""Sites with Material's own social cards, drawn by Cairo with a local font."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageFont

from tests.site.test_other_plugins import assert_no_token
from tests.site.test_previews import FRONT, card, tags
from tests.support import Site
from tests.tools import skip_or_fail

pytestmark = pytest.mark.hosts

THEIRS = "https://example.org/docs/assets/images/social/"
OURS = "https://example.org/docs/assets/imagegen/"


def put_fonts(folder: Path) -> None:
    """Pillow's own font in the folder of the fonts that the plugin has fetched."""
    font = ImageFont.load_default(size=10)
    assert isinstance(font, ImageFont.FreeTypeFont)
    folder.mkdir(parents=True)
    for style in ("Regular", "Bold"):
        (folder / f"{style}.ttf").write_bytes(font.font_bytes)


def refuse(address: str) -> None:
    pytest.fail(f"a test asks the network for {address}")


@pytest.fixture
def social(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site with one page that sets a preview, and one that does not."""
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError):
        skip_or_fail("CairoSVG or Cairo is not installed")
    monkeypatch.setattr("requests.get", refuse)
    put_fonts(site.folder / ".cache/plugin/social/fonts/Roboto")
    site.config["theme"] = {
        "name": "material",
        "font": False,
        "icon": {"logo": "material/ferry"},
    }
    site.write("index.md", "# Home\n\n![A harbour](imagegen:)\n")
    site.write("guide/own.md", f"{FRONT}# Own\n")
    site.write("guide/none.md", "---\nimagegen: {preview: false}\n---\n# None\n")
    return site


@pytest.mark.parametrize("default", ["", "On {title}"], ids=["no default", "a default"])
@pytest.mark.parametrize("order", ["before us", "after us"])
def test_preview_replaces_the_card_of_material_only_if_the_page_has_its_own(
    social: Site, order: str, default: str
) -> None:
    ours = social.config["plugins"]
    social.options["previews"] = {"default": default} if default else {}
    social.config["plugins"] = ["social", *ours] if order == "before us" else [*ours, "social"]
    built = social.build(strict=True)
    assert_no_token(built)
    for page in ("index.html", "guide/none/index.html", "guide/own/index.html"):
        said = tags(built, page)  # none of them twice
        asked = "own" in page
        assert said["og:image"].startswith(OURS if asked else THEIRS)
        assert said["og:image:type"] == ("image/jpeg" if asked else "image/png")
        assert ("twitter:image" in said) is not asked
        assert card(built, said["og:image"]).size == (1200, 630)
