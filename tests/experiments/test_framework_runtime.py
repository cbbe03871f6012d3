import os
import subprocess
import sys
import types

import pytest

from experiments.framework import runtime
from experiments.framework.errors import UsageError

CODE = """
import sys, types
from experiments.framework import runtime
runtime.keep_compiled_programs()
import jax, jax.numpy
runtime.provide_host_devices(types.SimpleNamespace(**eval(sys.argv[1])))
print(len(jax.devices()), jax.config.jax_compilation_cache_dir)
"""


def devices(config, tmp_path, **variables):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("JAX_", "XLA_"))}
    environment = {**clean, "JAX_PLATFORMS": "cpu", "EQUIJAX_CACHE": str(tmp_path), **variables}
    done = subprocess.run(
        [sys.executable, "-c", CODE, repr(config)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    number, cache = done.stdout.split()
    return int(number), cache


def test_a_configuration_gets_the_devices_it_asks_for(tmp_path):
    assert devices({"host_devices": 3}, tmp_path) == (3, str(tmp_path / "jax"))


def test_the_user_decides_over_devices_and_cache(tmp_path):
    chosen = {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_COMPILATION_CACHE_DIR": "/elsewhere",
    }
    assert devices({"host_devices": 3}, tmp_path, **chosen) == (2, "/elsewhere")


def test_no_wish_leaves_one_device(tmp_path):
    assert devices({}, tmp_path)[0] == 1


def test_wrong_numbers_and_late_calls_are_refused(monkeypatch):
    import jax

    jax.devices()
    monkeypatch.delenv("XLA_FLAGS")
    for wrong in (-1, 2.0, True):
        with pytest.raises(UsageError, match="host_devices must be a number of devices"):
            runtime.provide_host_devices(types.SimpleNamespace(host_devices=wrong))
    with pytest.raises(UsageError, match="must not start JAX's back end"):
        runtime.provide_host_devices(types.SimpleNamespace(host_devices=3))
