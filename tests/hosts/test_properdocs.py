"""ProperDocs, alone and beside MkDocs: commands, messages, strict builds, serve, originals."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from tests.hosts.environments import ALONE, NEWEST, Environment
from tests.hosts.site import OPTIONS, broken_references, read_site, write_site
from tests.paid import PaidEmulator
from tests.serving import serving
from tests.support import QUICK, Site

pytestmark = pytest.mark.hosts

FENCE = "```imagegen\nA red balloon\n```\n"


@pytest.fixture
def alone(environment) -> Environment:
    """An environment in which MkDocs is not installed."""
    found = environment(*ALONE)
    assert found.run("mkdocs", cwd=Path()).returncode != 0
    return found


@pytest.fixture
def proper_site(tmp_path: Path) -> Site:
    """A site of ProperDocs."""
    site = Site(tmp_path / "site_source")
    site.config_name = "properdocs.yml"
    site.config["theme"] = {"name": "mkdocs"}
    site.config["plugins"] = [{"imagegen": {"generate": False, "variants": {**QUICK}}}]
    return site


def test_commands_work_without_mkdocs(alone: Environment, tmp_path: Path) -> None:
    write_site(tmp_path, "properdocs.yml", "mkdocs")
    for arguments, end in {
        ("generate",): "\n11 images: 11 sketches drawn\n",
        ("plan",): "no images to generate\n",
        ("check",): "no images are missing\n",
        ("models",): "",
        ("verify",): "0 intact originals\n",
        ("prune",): "",
    }.items():
        done = alone.run("mkdocs_imagegen", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(end), done.stdout
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("config_file", ["properdocs.yaml", "mkdocs.yml"])
def test_other_names_of_the_file_are_found(
    config_file: str, alone: Environment, tmp_path: Path
) -> None:
    write_site(tmp_path, config_file, "mkdocs")
    done = alone.run("mkdocs_imagegen", "plan", cwd=tmp_path)
    assert done.stdout.endswith("a build generates 11 images (at no cost)\n"), done.stderr


def test_name_of_the_file_decides_which_of_two_generators_builds(
    environment, tmp_path: Path
) -> None:
    hook = "def on_config(config):\n    print(type(config).__name__)\n"
    (tmp_path / "hook.py").write_text(hook)
    for name, config_class in {
        "mkdocs.yml": "MkDocsConfig",
        "properdocs.yml": "ProperDocsConfig",
    }.items():
        path = write_site(tmp_path, name)
        path.write_text(f"hooks: [hook.py]\n{path.read_text()}")
        done = environment(*NEWEST).run("mkdocs_imagegen", "plan", cwd=tmp_path)
        assert done.stdout.endswith("a build generates 11 images (at no cost)\n"), done.stderr
        assert config_class in done.stderr


def test_broken_file_is_an_error_without_traceback(alone: Environment, tmp_path: Path) -> None:
    (tmp_path / "properdocs.yml").write_text("plugins: [\n")
    for name in ("plan", "models"):
        done = alone.run("mkdocs_imagegen", name, cwd=tmp_path)
        assert done.returncode == 2
        assert (
            "Error: ProperDocs encountered an error parsing the configuration file" in done.stderr
        )
        assert "Traceback" not in done.stderr


def test_messages_name_file_and_command(alone: Environment, proper_site: Site) -> None:
    proper_site.config["site_url"] = ""
    proper_site.options.update(
        model="openai/gpt-image-1-mni", gateway={"url": "sketch:"}, generate="auto"
    )
    proper_site.write(
        "index.md",
        "---\nimagegen: {preview: A pier}\n---\n# Page\n\n![A](imagegen:nowhere)\n\n"
        "```imagegen\npreset: dusk\n---\nA quay\n```\n",
    )
    proper_site.save()
    done = alone.run("properdocs", "build", cwd=proper_site.folder)
    for text in (
        "define it under `prompts:` in properdocs.yml or in the page's front matter",
        "define it under `presets:` in properdocs.yml",
        'imagegen: properdocs.yml: "openai/gpt-image-1-mni" is not a known model ID',
        "set it in properdocs.yml to the URL of the site",
    ):
        assert text in done.stderr
    assert "mkdocs.yml" not in done.stderr
    assert "MkDocs" not in done.stderr
    proper_site.options["originals_dir"] = "docs/originals"
    proper_site.save()
    done = alone.run("properdocs", "build", cwd=proper_site.folder)
    assert "every build copies it, and `properdocs serve` rebuilds endlessly" in done.stderr


def test_strict_build_counts_warnings(alone: Environment, proper_site: Site) -> None:
    proper_site.write("index.md", FENCE)
    proper_site.save()
    assert alone.run("properdocs", "build", cwd=proper_site.folder).returncode == 0
    done = alone.run("properdocs", "build", "--strict", cwd=proper_site.folder)
    assert done.returncode == 1
    assert "Aborted with 1 warnings in strict mode!" in done.stdout


@pytest.mark.parametrize("requirements", [ALONE, NEWEST], ids=["alone", "beside"])
def test_server_draws_sketches_and_does_not_loop(
    requirements: tuple[str, ...], environment, proper_site: Site
) -> None:
    proper_site.options.update(serve="sketch", generate="auto")
    proper_site.write("index.md", f"# Page\n\n{FENCE}")
    program = [str(environment(*requirements).python), "-m", "properdocs"]
    with serving(proper_site, program=program) as server:
        server.wait_for_image()
        builds = server.builds()
        time.sleep(3)
        assert server.builds() == builds
        assert server.end() == 0
        assert "Traceback" not in server.output


def test_placeholder_of_server_names_its_command(alone: Environment, proper_site: Site) -> None:
    proper_site.options["generate"] = "auto"
    proper_site.write("index.md", f"# Page\n\n{FENCE}")
    with serving(proper_site, program=[str(alone.python), "-m", "properdocs"]) as server:
        text = " ".join(server.placeholder_text().split())
        assert "`properdocs serve` does not generate images" in text
        assert "`properdocs build`" in text


def test_originals_are_carried_between_generators(
    environment, alone: Environment, paid: PaidEmulator, tmp_path: Path
) -> None:
    options = OPTIONS.replace('"sketch:"', f'"{paid.url}", auth: none').replace(
        "size: 400x200", f"size: 400x200\nmodel: {SKETCH_MODEL}"
    )
    newest, shown, originals = environment(*NEWEST), [], tmp_path / "imagegen-originals"
    for build, module, name in (
        (newest, "mkdocs", "mkdocs.yml"),
        (alone, "properdocs", "properdocs.yml"),
        (newest, "mkdocs", "mkdocs.yml"),
    ):
        folder = tmp_path / str(len(shown))
        write_site(folder, name, "mkdocs", options)
        if originals.exists():
            originals.rename(folder / originals.name)
        done = build.run(module, "build", "--strict", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert paid.requests == 11, done.stderr
        assert broken_references(folder / "site") == []
        (folder / originals.name).rename(originals)
        shown.append(read_site(folder / "site"))
    assert len(list(originals.glob("??/*.webp"))) == 11
    assert [page.images for page in shown[0].values()] == [
        page.images for page in shown[1].values()
    ]
    assert shown[0] == shown[2]
