"""Settings shared by all tests: eight virtual devices, a compilation cache, Hypothesis profiles."""

import os
import pathlib
import tempfile

from experiments.framework.runtime import quick_flags

# Before the first import of jax: it reads these once.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
os.environ["XLA_FLAGS"] = quick_flags(os.environ["XLA_FLAGS"])
_cache = pathlib.Path(tempfile.gettempdir()) / "equijax-jax-cache"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_cache))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

import hypothesis
import jax
import pytest

hypothesis.settings.register_profile(
    "equijax", max_examples=20, deadline=None, derandomize=True, database=None, print_blob=True
)
hypothesis.settings.load_profile("equijax")


def pytest_addoption(parser):
    """Add ``--run-slow``."""
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config, items):
    """Leave the slow tests out unless they are asked for."""
    if config.getoption("--run-slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; run with --run-slow"))


@pytest.fixture(autouse=True, scope="module")
def forget_compiled_programs():
    """Free the programs that a test module compiled: kept, they fill gigabytes by the end of the suite."""
    yield
    jax.clear_caches()


@pytest.fixture
def x64():
    """Run the test in double precision."""
    with jax.enable_x64(True):
        yield
