"""Environments with Zensical, and the site of the comparison for it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from tests.hosts.environments import Environment
from tests.hosts.site import EXTENSIONS, OPTIONS, SITE_URL, write_pages

BRIDGE = "mkdocs_imagegen.hosts.zensical"
VERSIONS = ("0.0.73", "0.1.3")
_NEEDS = ("click", "deepmerge", "jinja2", "markdown>=3.7", "pathspec", "pygments", "pyyaml")
_NEEDS += ("pymdown-extensions>=11", "tomli")
_UI = """\
from pathlib import Path

def get_theme_dir():
    return str(Path(__file__).parent / "templates")
"""

SOCIAL = """\
{% extends "base.html" %}
{% block extrahead %}
  {% if page and page.meta and page.meta.image %}
    <meta property="og:image" content="{{ page.meta.image }}">
    <meta name="twitter:card" content="summary_large_image">
  {% endif %}
{% endblock %}
"""
"""The template of the manual's page about Zensical."""


def create_zensical(create: Callable[..., Environment], version: str) -> Environment:
    """Return an environment with a version of Zensical.

    Where the package of its templates is not available, it has those of the last version that
    contained them.
    """
    if version == VERSIONS[0]:
        return create(f"zensical-{version}", f"zensical=={version}")
    environment = create(f"zensical-{version}", *_NEEDS)
    with FileLock(environment.folder / "zensical.lock"):
        if not list(environment.folder.rglob("zensical/main.py")):
            _install(create, environment, version)
    return environment


def _install(create: Callable[..., Environment], environment: Environment, version: str) -> None:
    command = ["python3", "-m", "pip", "--quiet", "--python", str(environment.folder), "install"]
    if subprocess.run([*command, f"zensical=={version}"], check=False).returncode == 0:
        return
    subprocess.run([*command, "--no-deps", f"zensical=={version}"], check=True)
    package = next(environment.folder.rglob("zensical/main.py")).parent
    before = create_zensical(create, VERSIONS[0])
    ui = package.with_name("zensical_ui")
    shutil.copytree(next(before.folder.rglob("zensical/templates")), ui / "templates")
    (ui / "__init__.py").write_text(_UI)


def write_zensical_site(
    folder: Path, config_file: str = "mkdocs.yml", options: str = OPTIONS, **more: Any
) -> Path:
    """Write the site of the comparison for Zensical; return its configuration."""
    write_pages(folder)
    (folder / "overrides").mkdir(exist_ok=True)
    (folder / "overrides" / "main.html").write_text(SOCIAL)
    return write_config(folder / config_file, yaml.safe_load(options), **more)


def write_config(path: Path, options: Mapping[str, Any], **more: Any) -> Path:
    """Write a configuration of Zensical as YAML or TOML, by the ending of its name."""
    config = {"site_name": "A site", "site_url": SITE_URL, "theme": {"custom_dir": "overrides"}}
    if not (path.parent / "overrides").exists():
        del config["theme"]
    names: dict[str, Any] = {name: {} for name in yaml.safe_load(EXTENSIONS)}
    extensions: dict[str, Any] = {BRIDGE: dict(options), **names}
    if path.suffix == ".toml":
        text = _toml("project", {**config, **more, "markdown_extensions": extensions})
    else:
        listed = [{name: value} if value else name for name, value in extensions.items()]
        text = yaml.safe_dump({**config, **more, "markdown_extensions": listed}, sort_keys=False)
    path.write_text(text)
    return path


def _toml(name: str, table: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [
        f"[{name}]",
        *(f"{json.dumps(key)} = {json.dumps(each)}" for key, each in plain.items()),
    ]
    inner = (
        _toml(f"{name}.{json.dumps(key)}", each)
        for key, each in table.items()
        if isinstance(each, dict)
    )
    return "\n".join([*lines, "", *inner])
