"""Fixtures of all tests."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache
from mkdocs.theme import Theme

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.spending import model_choice
from tests.bench import Bench
from tests.manual.build import BuiltManual, build_manual
from tests.paid import PaidEmulator, PaidSite, paid_gateway
from tests.support import QUICK, Site

_DEFAULT_TIER = "not (slow or soak or browser or servers or hosts)"
"""The `-m` of pyproject.toml."""

# No test depends on the speed of the machine.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `.ci/full`."""
    parser.addoption("--full", action="store_true", help="test all environments")


def pytest_configure(config: pytest.Config) -> None:
    """Run the tests of a named file in all tiers; let the processes of tests receive signals."""
    # A shell ignores SIGINT in background jobs, and nohup SIGHUP; so would the processes of tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Thousands of tests are kept; a full collection of garbage would look at each of them.
    gc.set_threshold(10_000, 50, 100)
    is_default = config.option.markexpr == _DEFAULT_TIER
    if is_default and any(".py" in argument for argument in config.args):
        config.option.markexpr = ""


def pytest_collection_finish() -> None:
    """Keep what all tests share out of the collections of garbage."""
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than processors, since tests of servers mostly wait."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Succeed if all tests of the named folders belong to other tiers."""
    options = session.config.option
    is_by_tier = options.markexpr and not options.keyword  # a misspelled -k still fails
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and is_by_tier:
        session.exitstatus = pytest.ExitCode.OK


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN", "OFFLINE", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")  # some themes print the build's time


@pytest.fixture(autouse=True)
def _before_shutdowns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let builds in this process be months before the shutdown of the default model."""
    monkeypatch.setattr(model_choice, "today", lambda: date(2026, 9, 21))


class _Compiled(BytecodeCache):
    """Templates that a build of this process has compiled."""

    def __init__(self) -> None:
        self.templates: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(KeyError):
            bucket.bytecode_from_string(self.templates[bucket.key + bucket.checksum])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.templates[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


@pytest.fixture(autouse=True, scope="session")
def _compiled_templates() -> Iterator[None]:
    """Compile the themes' templates once, for all builds of this process."""
    compiled = _Compiled()
    get_env = Theme.get_env

    def with_cache(theme: Theme) -> Environment:
        env = get_env(theme)
        env.bytecode_cache = compiled
        return env

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Theme, "get_env", with_cache)
        yield


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with quick variants; a test of the default ones deletes the option."""
    site = Site(tmp_path / "site_source")
    site.options["variants"] = {**QUICK}
    return site


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> Iterator[PaidEmulator]:
    """Serve an emulator whose images count as those of a real model."""
    with paid_gateway(monkeypatch) as emulator:
        yield emulator


@pytest.fixture
def paid_site(tmp_path: Path, paid: PaidEmulator) -> PaidSite:
    """A site whose images are charged."""
    return PaidSite(tmp_path / "paid_site", paid)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def gateway_url(emulator: Emulator) -> Iterator[str]:
    """Serve the emulator on a socket, and yield its URL."""
    with EmulatorServer(emulator) as server:
        yield server.url


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Build schedulers of one site, as in ``bench(FakeGateway(), concurrency=1)``."""
    with contextlib.ExitStack() as stack:

        def build(*given: Any, **more: Any) -> Bench:
            built = Bench(tmp_path, *given, **more)
            stack.callback(built.close)
            return built

        yield build


@pytest.fixture(scope="session")
def manual(tmp_path_factory: pytest.TempPathFactory) -> BuiltManual:
    """Build the manual once, also for several processes of tests."""
    folder = tmp_path_factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    return build_manual((folder.parent if is_worker else folder) / "manual")
