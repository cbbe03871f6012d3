"""What the tests of frames share."""

import importlib.util
import pathlib

import pytest


@pytest.fixture(scope="session")
def clouds():
    """The module ``clouds.py``."""
    path = pathlib.Path(__file__).with_name("clouds.py")
    spec = importlib.util.spec_from_file_location("clouds", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
