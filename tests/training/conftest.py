"""What the tests of training share: the regression problem, and a way to run it as a program."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

_SCRIPT = pathlib.Path(__file__).with_name("regression.py")


@pytest.fixture(scope="session")
def regression():
    """The module ``regression.py``."""
    spec = importlib.util.spec_from_file_location("regression", _SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start(tmp_path):
    """Start ``regression.py`` as a process with so many virtual devices; what still runs is killed later."""
    processes = []

    def launch(options, *, devices=1, **environment):
        env = {**os.environ, **environment}
        # A process that may be killed must not write to the compilation cache that everybody uses.
        env["JAX_COMPILATION_CACHE_DIR"] = str(tmp_path / "compiled")
        env["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        env["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
        command = [sys.executable, str(_SCRIPT), json.dumps(options)]
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        processes.append(process)
        return process

    yield launch
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
