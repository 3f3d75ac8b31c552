"""`plan --since` and `gallery --since`, in real repositories with images that were charged."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from PIL import Image

from mkdocs_imagegen.cli.main import main
from mkdocs_imagegen.report import plural
from tests.cli.support import Sheet, fence, replace_image
from tests.paid import PaidSite, paid_gateway, snapshot
from tests.repository import commit_all, git


@pytest.fixture
def site(tmp_path: Path, monkeypatch) -> Iterator[PaidSite]:
    """A committed site with three images on two pages."""
    with paid_gateway(monkeypatch) as emulator:
        site = PaidSite(tmp_path / "site", emulator)
        site.options["report"] = None
        (site.folder / ".gitignore").write_text("/site/\n/.cache/\n")
        site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
        site.write("guide/one.md", f"# One\n\n{fence('A buoy', id='buoy')}")
        site.build()
        commit_all(site.folder)
        git(site.folder, "switch", "-q", "-c", "branch")
        monkeypatch.chdir(site.folder)
        yield site


def plan(site: PaidSite, *arguments: str) -> list[str]:
    done = site.command("plan", "--since", "main", *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def changes(site: PaidSite) -> list[tuple[str, str, str, str]]:
    """Change, first location, and the prompts before and after."""
    found: dict[str, Any] = json.loads("\n".join(plan(site, "--json")))
    return [
        (
            each["change"],
            each["places"][0],
            " ".join((each["before"] or {"prompt": ""})["prompt"].split()),
            " ".join((each["after"] or {"prompt": ""})["prompt"].split()),
        )
        for each in found["changes"]
    ]


def test_branch_without_changes_has_none(site: PaidSite) -> None:
    assert plan(site) == ["no changes; no new originals; no images to generate"]


def test_images_are_added_changed_and_dropped(site: PaidSite) -> None:
    site.write("index.md", f"# Page\n\n{fence('A crane')}{fence('A buoy at night')}")
    site.write("guide/one.md", f"# One\n\n{fence('A red buoy', id='buoy')}")
    before = site.emulator.bill.usd
    site.build()
    assert changes(site) == [
        ("added", "docs/index.md:7", "", "A buoy at night"),
        ("changed", "docs/guide/one.md:3", "A buoy", "A red buoy"),
        ("dropped", "docs/index.md:3", "A ferry", ""),
    ]
    found = json.loads("\n".join(plan(site, "--json")))
    assert Decimal(found["spent_usd"]) == site.emulator.bill.usd - before > 0


def test_image_that_is_generated_later_is_added(site: PaidSite) -> None:
    """Its page is the same in both states."""
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}{fence('A dune')}")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    assert changes(site) == []
    site.build()
    assert changes(site) == [("added", "docs/index.md:11", "", "A dune")]


def test_image_that_is_generated_again_is_changed(site: PaidSite) -> None:
    assert site.command("generate", "docs/index.md:3", "--again").exit_code == 0
    assert changes(site) == [("changed", "docs/index.md:3", "A ferry", "A ferry")]


def test_moved_page_changes_no_image(site: PaidSite) -> None:
    git(site.folder, "mv", "docs/guide/one.md", "docs/two.md")
    assert changes(site) == []
    site.write("two.md", f"# One\n\n{fence('A red buoy', id='buoy')}")
    assert changes(site) == [("changed", "docs/two.md:3", "A buoy", "A red buoy")]


def test_deleted_page_drops_its_images(site: PaidSite) -> None:
    (site.docs / "guide/one.md").unlink()
    assert changes(site) == [("dropped", "docs/guide/one.md:3", "A buoy", "")]
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}{fence('A buoy')}")
    assert changes(site) == []  # moved


def test_style_of_the_site_changes_every_image(site: PaidSite) -> None:
    site.options["style"] = "Ink on paper."
    assert changes(site) == [
        ("changed", "docs/index.md:3", "A ferry", "A ferry Ink on paper."),
        ("changed", "docs/index.md:7", "A crane", "A crane Ink on paper."),
        ("changed", "docs/guide/one.md:3", "A buoy", "A buoy Ink on paper."),
    ]


def test_stale_image_is_not_changed_until_it_is_generated(site: PaidSite) -> None:
    site.options["quality"] = "low"
    assert changes(site) == []
    assert site.command("generate", "docs/index.md", "--upgrade").exit_code == 0
    assert [each[:2] for each in changes(site)] == [
        ("changed", "docs/index.md:3"),
        ("changed", "docs/index.md:7"),
    ]


def test_branch_is_compared_with_the_commit_at_which_it_left_the_revision(site: PaidSite) -> None:
    site.write("more.md", f"# More\n\n{fence('A dune')}")
    site.build()
    commit_all(site.folder)
    git(site.folder, "switch", "-q", "main")
    site.write("index.md", "# Page\n")
    commit_all(site.folder)
    git(site.folder, "switch", "-q", "branch")
    assert changes(site) == [("added", "docs/more.md:3", "", "A dune")]


def test_site_that_did_not_use_the_plugin_adds_every_image(site: PaidSite) -> None:
    config = site.folder / "mkdocs.yml"
    config.write_text("site_name: A site\nplugins: [search]\n")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    assert [each[0] for each in changes(site)] == ["added"] * 3


def test_named_prompts_are_those_of_the_revision(site: PaidSite) -> None:
    prompts = site.folder / "prompts.yml"
    prompts.write_text("boat: A boat\n")
    site.options["prompts"] = "prompts.yml"
    site.write("index.md", "# Page\n\n![Boat](imagegen:boat)\n")
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    prompts.write_text("boat: A red boat\n")
    assert changes(site) == [("changed", "docs/index.md:3", "A boat", "A red boat")]


def test_images_of_snippets_are_compared_by_their_records(site: PaidSite) -> None:
    site.config["markdown_extensions"].append({"pymdownx.snippets": {"base_path": ["."]}})
    (site.folder / "part.md").write_text(fence("A dune"))
    site.write("more.md", '# More\n\n--8<-- "part.md"\n')
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    site.write("more.md", '# More\n\nText.\n\n--8<-- "part.md"\n')
    assert changes(site) == []
    (site.folder / "part.md").write_text(fence("A high dune"))
    site.build()
    assert [(each[0], each[3]) for each in changes(site)] == [("added", "A high dune")]


def test_page_that_cannot_be_rendered_as_it_was_is_named(site: PaidSite) -> None:
    snippets = {"pymdownx.snippets": {"base_path": ["."], "check_paths": True}}
    site.config["markdown_extensions"].append(snippets)
    (site.folder / "part.md").write_text("Text.")
    site.write("more.md", f'# More\n\n--8<-- "part.md"\n\n{fence("A dune")}')
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    (site.folder / "part.md").unlink()
    site.write("more.md", f"# More\n\n{fence('A high dune')}")
    site.write("index.md", f"# Page\n\n{fence('A red ferry')}")
    done = site.command("plan", "--since", "main")
    assert "the old version of more.md cannot be rendered" in done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[:3]] == [
        ["changed", "docs/index.md:3"],
        ["added", "docs/more.md:3"],
        ["dropped", "docs/index.md:7"],
    ]


def test_folder_that_git_ignores_is_compared_on_disk(site: PaidSite) -> None:
    (site.folder / ".gitignore").write_text("/site/\n/.cache/\n/imagegen-originals/\n")
    git(site.folder, "rm", "-rq", "--cached", "imagegen-originals")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A red crane')}")
    site.build()
    assert changes(site) == [("changed", "docs/index.md:7", "A crane", "A red crane")]
    *_, totals = plan(site)
    assert totals == ("1 changed; $0.041 spent on 1 new original; no images to generate")


def test_table_names_costs_and_files(site: PaidSite) -> None:
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A red crane')}")
    site.build()
    site.write("more.md", f"# More\n\n{fence('A dune')}")
    assert plan(site) == [
        'changed  docs/index.md:7  ready  $0.041  "A red crane"',
        'added  docs/more.md:3  missing  about $0.041  "A dune"',
        "1 added, 1 changed; $0.041 spent on 1 new original; 1 image to generate (about $0.041)",
        "2 files to commit; run `git add imagegen-originals`",
    ]


EVIL = "A cat | [x](https://example.org) `y` </code><img src=x onerror=a()> @u #1 *b*_c_ \\| $a$"


def test_markdown_shows_prompts_as_code_alone(site: PaidSite) -> None:
    site.write("more.md", f"# More\n\n{fence(EVIL)}")
    text = "\n".join(plan(site, "--format", "markdown"))
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert len(cells) == 5
    assert [unescape(each) for each in cells[:4]] == [
        "added",
        "<code>docs/more.md:3</code>",
        "missing",
        "about $0.041",
    ]
    code = re.fullmatch(r"<code>([^<>]*)</code>", cells[4])
    assert code is not None
    assert EVIL.startswith(unescape(code[1]).strip('"…'))
    assert not re.search(r"<(?!/?(?:table|t[hrd]|thead|tbody|code|h3|p)\b)", page)
    assert not re.search(r"[@$`#]", text.replace("&#", "").removeprefix("###"))


def test_markdown_lists_changes_and_files(site: PaidSite) -> None:
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('Crab')}")
    site.build()
    assert plan(site, "--format", "markdown") == [
        "### Images since <code>main</code>",
        "",
        "1 changed; &#36;0.041 spent on 1 new original; no images to generate.",
        "",
        "| Change | Location | State | Cost | Prompt |",
        "|---|---|---|---|---|",
        '| changed | <code>docs/index.md&#58;7</code> | ready | &#36;0.041 | <code>"Crab"</code> |',
        "",
        "<code>2 files to commit&#59; run &#96;git add imagegen-originals&#96;</code>",
    ]


def gallery(site: PaidSite, file: Path) -> Sheet:
    done = site.command("gallery", "--since", "main", str(file))
    assert done.exit_code == 0, done.output
    sheet = Sheet(file)
    count = sheet.text.count("<h2 ")
    assert f"{file}: {plural(count, 'change')}" in done.output
    assert f">{plural(count, 'change')}</output>" in sheet.text
    return sheet


def colors(sheet: Sheet) -> list[tuple[int, ...]]:
    """The color of each image of a sheet, rounded: encoding changes it a little."""
    found = []
    for url in sheet.urls:
        with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
            pixel = image.convert("RGB").getpixel((9, 9))
            assert isinstance(pixel, tuple)
            found.append(tuple(round(each / 8) for each in pixel))
    return found


def test_sheet_shows_the_old_image_next_to_the_new_one(site: PaidSite, tmp_path: Path) -> None:
    every = colors(gallery_of_all(site, tmp_path / "all.html"))
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A red crane')}")
    site.build()
    now = colors(gallery_of_all(site, tmp_path / "all.html"))
    sheet = gallery(site, tmp_path / "review.html")
    assert sheet.alts == ["Before: A crane", "After: A red crane"]
    assert colors(sheet) == [every[1], now[1]]
    assert "<del>crane</del>" not in sheet.text
    assert '<p class="prompt">A <ins>red</ins> crane</p>' in sheet.text
    assert sheet.files == ["", ""]
    assert all(url.startswith("data:") for url in sheet.urls)


def gallery_of_all(site: PaidSite, file: Path) -> Sheet:
    assert site.command("gallery", str(file)).exit_code == 0
    return Sheet(file)


def test_old_images_are_read_from_git(site: PaidSite, tmp_path: Path) -> None:
    """Also those that the work tree has replaced or deleted."""
    every = colors(gallery_of_all(site, tmp_path / "all.html"))
    assert site.command("generate", "docs/index.md:3", "--again").exit_code == 0
    (site.docs / "guide/one.md").unlink()
    used = set(git(site.folder, "ls-files", "-m", "-o", "imagegen-originals").splitlines())
    for path in site.images_of_originals:
        if path.relative_to(site.folder).as_posix() not in used:
            path.unlink()  # of all images of the commit
    site.write("index.md", f"# Page\n\n{fence('A ferry')}")
    sheet = gallery(site, tmp_path / "review.html")
    assert colors(sheet)[0] == every[0]
    assert colors(sheet)[2:] == [every[2], every[1]]
    assert sheet.alts[:2] == ["Before: A ferry", "After: A ferry"]
    assert sheet.alts[2:] == ["Before: A buoy", "Before: A crane"]


def test_image_that_cannot_be_shown_is_left_out(site: PaidSite, tmp_path: Path) -> None:
    """The old one is not in a partial clone, and the new one is none."""
    (old,) = git(site.folder, "ls-files", "-s", f"{site.originals}/*.webp").splitlines()[:1]
    blob, name = old.split()[1], old.partition("\t")[2]
    prompt = json.loads(next((site.folder / name).parent.glob("*.json")).read_text())["prompt"]
    page = next(path for path in site.docs.rglob("*.md") if prompt in path.read_text())
    page.write_text(page.read_text().replace(prompt, f"{prompt} at night"))
    records = {*site.records}
    site.build()
    (new,) = {*site.records} - records
    (site.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    (site.folder / name).unlink()
    now = replace_image(new, b"no image")
    done = site.command("gallery", "--since", "main", str(tmp_path / "review.html"))
    assert done.exit_code == 0, done.output
    where = Path(name).relative_to("imagegen-originals").as_posix()
    assert f"image {where} is left out: git cannot read the object {blob}" in done.stderr
    assert f"image {now} is left out: the bytes are not a valid image" in done.stderr


def test_image_of_a_pointer_comes_from_git_lfs(site: PaidSite, tmp_path: Path) -> None:
    """Git LFS keeps a file by its hash; without it, the message says what to do."""
    every = colors(gallery_of_all(site, tmp_path / "all.html"))
    images = {path: path.read_bytes() for path in site.images_of_originals}
    for path, content in images.items():
        digest = hashlib.sha256(content).hexdigest()
        path.write_text(
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{digest}\nsize {len(content)}\n"
        )
    commit = commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    for path in images:
        path.unlink()
    for page in site.docs.rglob("*.md"):
        page.write_text("# Page\n")
    done = site.command("gallery", "--since", "main", str(tmp_path / "review.html"))
    assert f"of {commit[:12]} is a Git LFS pointer; run `git lfs fetch" in done.stderr
    for content in images.values():
        digest = hashlib.sha256(content).hexdigest()
        kept = site.folder / ".git/lfs/objects" / digest[:2] / digest[2:4] / digest
        kept.parent.mkdir(parents=True)
        kept.write_bytes(content)
    assert sorted(colors(gallery(site, tmp_path / "review.html"))) == sorted(every)


def test_record_of_a_huge_image_is_left_out(site: PaidSite) -> None:
    edit_record(site, "A ferry", bytes=10**30)
    site.write("index.md", "# Page\n")
    assert [each[2] for each in changes(site)] == ["A crane"]


def test_new_record_that_is_a_pointer_is_named(site: PaidSite) -> None:
    record = record_of(site, "A ferry")
    record.write_text("version https://git-lfs.github.com/spec/v1\n")
    done = site.command("plan", "--since", "main")
    assert done.exit_code == 0, done.output
    assert f"record {record} is left out: it is a Git LFS pointer" in done.stderr


@pytest.mark.parametrize("options", ['INHERIT: "a\0b.yml"\n', f"INHERIT: {'a' * 300}\n", ""])
def test_old_name_that_no_file_can_have_is_read(site: PaidSite, options: str) -> None:
    config = site.folder / "mkdocs.yml"
    text = config.read_text()
    prompts = "" if options else 'plugins: [{imagegen: {prompts: "a\\0b"}}]\n'
    config.write_text(f"site_name: A site\n{options}{prompts}")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    config.write_text(text)
    assert site.command("plan", "--since", "main").exit_code == 0


def record_of(site: PaidSite, prompt: str) -> Path:
    (path,) = (each for each in site.records if f'"{prompt}"' in each.read_text())
    return path


def edit_record(site: PaidSite, prompt: str, **fields: object) -> None:
    """Change the record of an image in the main branch."""
    path = record_of(site, prompt)
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")


def test_options_of_the_revision_keep_the_lock_of_the_command(site: PaidSite) -> None:
    (site.folder / ".gitignore").write_text("/site/\n/.cache/\n/imagegen-originals/\n")
    git(site.folder, "rm", "-rq", "--cached", "imagegen-originals")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    site.options["concurrency"] = 3
    assert plan(site, "--locked")[-1].startswith("no changes;")


def test_sketches_are_compared_on_disk(site: PaidSite, tmp_path: Path) -> None:
    site.options["gateway"] = {"url": "sketch:"}
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    site.write("more.md", f"# More\n\n{fence('A dune')}")
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    site.write("more.md", f"# More\n\n{fence('A boat')}")
    site.build()
    assert changes(site) == [("changed", "docs/more.md:3", "A dune", "A boat")]
    assert gallery(site, tmp_path / "review.html").alts == ["Before: A dune", "After: A boat"]


@pytest.mark.parametrize("revision", ["absent", "--output=x", "-p", "", "a b"])
@pytest.mark.parametrize("command", [("plan",), ("gallery", "review.html")])
def test_unknown_revision_is_an_error(site: PaidSite, command, revision: str) -> None:
    hook = "from pathlib import Path\ndef on_pre_build(config): Path('built').touch()\n"
    (site.folder / "hook.py").write_text(hook)
    site.config["hooks"] = ["hook.py"]
    done = site.command(command[0], f"--since={revision}", *command[1:])
    assert done.exit_code == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith(("Error", "hint"))]
    assert lines == [
        f'Error: git knows no revision "{revision}"',
        "hint: fetch it, or name a branch, a tag or a commit",
    ]
    assert not (site.folder / "built").exists()
    assert not (site.folder / "x").exists()
    assert not (site.folder / "review.html").exists()


def test_site_outside_of_git_is_an_error(site: PaidSite) -> None:
    (site.folder / ".git").rename(site.folder / "moved")
    done = site.command("plan", "--since", "main")
    assert done.exit_code == 2
    assert "hint: run it in a clone of the repository" in done.stderr


def test_missing_git_is_an_error(site: PaidSite, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = site.command("plan", "--since", "main")
    assert (done.exit_code, "Error: git is not installed" in done.stderr) == (2, True)


def test_shallow_clone_needs_the_commit_at_which_the_branch_left(
    site: PaidSite, tmp_path: Path, monkeypatch
) -> None:
    commit_all(site.folder)
    git(tmp_path, "clone", "-q", "--depth=1", "-b", "branch", site.folder.as_uri(), "clone")
    monkeypatch.chdir(tmp_path / "clone")
    clone = ["--config-file", str(tmp_path / "clone/mkdocs.yml")]
    done = CliRunner().invoke(main, ["plan", *clone, "--since", "origin/main"])
    assert "as with `fetch-depth: 0` of actions/checkout" in done.stderr
    git(tmp_path / "clone", "fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    done = CliRunner().invoke(main, ["plan", *clone, "--since", "origin/main"])
    assert "no common ancestor" in done.stderr
    assert done.stdout.splitlines() == ["no changes; no new originals; no images to generate"]


@pytest.mark.parametrize(
    "arguments", [("--explain", "index.md:3", "--since", "main"), ("--format", "markdown")]
)
def test_options_that_exclude_each_other_are_an_error(site: PaidSite, arguments) -> None:
    assert site.command("plan", *arguments).exit_code == 2


def test_command_writes_no_file_into_the_repository(site: PaidSite, tmp_path: Path) -> None:
    site.write("index.md", f"# Page\n\n{fence('A red ferry')}")
    site.build()
    before = git(site.folder, "status", "--porcelain", "-uall"), snapshot(site.originals)
    plan(site)
    gallery(site, tmp_path / "review.html")
    assert (git(site.folder, "status", "--porcelain", "-uall"), snapshot(site.originals)) == before


@pytest.mark.slow
def test_branch_with_thirty_changed_images(site: PaidSite, tmp_path: Path) -> None:
    """The dollars are those of the server, and the work is that of a warm build."""
    for number in range(100):
        prompts = "".join(fence(f"Harbor {number} at {hour}") for hour in ("noon", "dusk"))
        site.write(f"pages/{number:02}.md", f"# Page {number}\n\n{prompts}")
    site.options["budget"] = {"images": 1000, "usd": 1000}
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    before = site.emulator.bill.usd
    for number in range(30):
        prompts = fence(f"Harbor {number} in fog") + fence(f"Harbor {number} at dusk")
        site.write(f"pages/{number:02}.md", f"# Page {number}\n\n{prompts}")
    site.build()
    found = json.loads("\n".join(plan(site, "--json")))
    assert [each["change"] for each in found["changes"]] == ["changed"] * 30
    assert {each["before"]["prompt"].split()[-1] for each in found["changes"]} == {"noon"}
    assert Decimal(found["spent_usd"]) == site.emulator.bill.usd - before
    assert len(found["files"]) == 60
    assert len(gallery(site, tmp_path / "review.html").images) == 60
