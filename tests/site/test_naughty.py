"""Bad input causes no traceback, no broken markup and no file outside the site."""

from __future__ import annotations

import json
from contextlib import suppress

import html5lib
import pytest
from mkdocs.exceptions import Abort

from tests.paid import PaidSite
from tests.site.naughty import naughty_strings
from tests.support import Built, Site, recorded

HARMLESS = frozenset(
    {"alt", "class", "decoding", "fetchpriority", "height", "id", "loading", "src", "style"}
    | {"title", "width"}
)
STRINGS = naughty_strings()
FORMS = {
    "prompt": "`````imagegen\n{0}\n`````",
    "alt": "`````imagegen\nalt: {0}\n---\nA cat\n`````",
    "caption": "`````imagegen\ncaption: {0}\ntitle: {0}\n---\nA cat\n`````",
    "name": "`````imagegen\nname: {0}\n---\n`````",
    "option": "`````imagegen\nsize: {0}\nquality: {0}\nid: {0}\nclass: {0}\n---\nA cat\n`````",
    "unknown": "`````imagegen\n{0}: {0}\n---\nA cat\n`````",
    "picture": "![{0}](imagegen:)",
    "target": "![x](<imagegen:{0}>)",
    "attribute": '![x](imagegen:){ alt="{0}" size="{0}" }',
}


def body_of(built: Built, page: str):
    tree = html5lib.parse(built.page(page), namespaceHTMLElements=False)
    return next(element for element in tree.iter() if element.get("role") == "main")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_five_hundred_naughty_strings_build(site: Site, form: str) -> None:
    assert len(STRINGS) == 500
    # MkDocs itself stops at this one, with or without us, where it does not stand in code.
    strings = [each for each in STRINGS if "<![" not in each or FORMS[form].startswith("`")]
    site.options["generate"] = False
    pages = [strings[start : start + 50] for start in range(0, 500, 50)]
    for number, on_page in enumerate(pages):
        blocks = [FORMS[form].replace("{0}", each) for each in on_page]
        site.write(f"page{number}.md", "\n\n----\n\n".join(["# Page", *blocks, "The end"]))
    built = site.build()
    assert not [text for text in built.warnings if "Traceback" in text]
    ours = 0
    for number in range(len(pages)):
        for element in body_of(built, f"page{number}/index.html").iter("img"):
            if "assets/imagegen/" in element.get("src", ""):
                ours += 1
                assert set(element.attrib) <= HARMLESS, element.attrib
        assert "imagegen:t" not in built.page(f"page{number}/index.html")
    folders = {name.split("/")[1] for name in built.files() if name.startswith("assets/")}
    assert folders <= {"imagegen"}
    if form in ("prompt", "alt", "caption", "name", "option", "unknown"):
        assert ours == 500


@pytest.mark.slow
def test_naughty_prompts_are_drawn(site: Site) -> None:
    blocks = [FORMS["prompt"].replace("{0}", each) for each in STRINGS[:60]]
    site.write("index.md", "\n\n----\n\n".join(["# Page", *blocks]))
    site.options["variants"] = {"widths": [480], "formats": ["jpeg"]}
    built = site.build()
    assert "Traceback" not in "".join(built.warnings)
    assert len(built.images()) >= 50
    scripts = list(body_of(built, "index.html").iter("script"))
    assert scripts == []


def test_direction_characters_reach_no_terminal_log_or_sheet(paid_site: PaidSite) -> None:
    hostile = "A red \u202eballoon\u2066 on a table"
    paid_site.write_prompts(hostile)
    plan = paid_site.command("plan")
    assert "\\u202eballoon" in plan.output
    report = paid_site.command("plan", "--json").output
    assert json.loads(report)["pictures"][0]["prompt"] == hostile
    paid_site.write_prompts(hostile, size="\u202e9x9")
    warnings = paid_site.build().warnings
    paid_site.write_prompts(hostile)
    paid_site.requests_of_build()
    assert paid_site.command("gallery", str(paid_site.folder / "sheet.html")).exit_code == 0
    sheet = (paid_site.folder / "sheet.html").read_text()
    written = (paid_site.folder / "report.json").read_text()
    assert "\\u202eballoon" in sheet
    shown = "".join([plan.output, report, *warnings, sheet, written])
    assert not {"\u202e", "\u2066"} & set(shown)


@pytest.mark.parametrize("on_missing", ["warn", "error"])
def test_name_of_a_file_forges_no_line_and_no_command(site: Site, on_missing: str) -> None:
    site.options.update(generate=False, on_missing=on_missing)
    site.write("a\x1b[31m\u202e\n::error::b.md", "# Page\n\n```imagegen\nA cat\n```\n")
    with recorded() as records, suppress(Abort):
        site.build()
    messages = [each.getMessage() for each in records if "imagegen" in each.getMessage()]
    assert "a\\u001b[31m\\u202e\\n::error::b.md:3" in "".join(messages)
    assert not {"\x1b", "\u202e"} & set("".join(messages))
    assert not [line for each in messages for line in each.splitlines() if line.startswith("::")]
