import subprocess
import sys
from importlib import metadata

import equijax


def test_version_is_that_of_the_distribution():
    assert equijax.__version__ == metadata.version("equijax")


def test_import_is_cheap_and_sub_packages_come_when_used():
    code = """
import sys
import equijax as ej
heavy = {"jax", "flax", "e3nn_jax", "jraph", "ase", "scipy", "orbax", "hypothesis", "matplotlib"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert "groups" in dir(ej)
ej.groups.SO(3)
assert "jax" in sys.modules
assert not {"e3nn_jax", "jraph", "ase", "orbax", "hypothesis"} & set(sys.modules)
try:
    ej.nothing
except AttributeError as error:
    assert "nothing" in str(error)
else:
    raise SystemExit("an unknown name must be refused")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
