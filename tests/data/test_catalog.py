import subprocess
import sys

import pytest

import equijax as ej


def test_unknown_names_and_options():
    with pytest.raises(
        ValueError, match=r"name must be one of 'acac', '3bpa', 'acetylacetone_gfn2', .*, got 'qm9'"
    ):
        ej.data.load("qm9")
    with pytest.raises(ValueError, match="name must be one of"):
        ej.data.describe("qm9")
    with pytest.raises(TypeError, match=r"load\('acac'\) takes the option parts, got split"):
        ej.data.load("acac", split="train")
    with pytest.raises(TypeError, match=r"load\('graph8c'\) takes no option, got parts"):
        ej.data.load("graph8c", parts=())
    with pytest.raises(ValueError, match=r"parts must be one of 'train_300K', .*, got 'train'"):
        ej.data.load("acac", parts=("train",))
    with pytest.raises(TypeError, match="parts must be a sequence of names, got the string 'train_300K'"):
        ej.data.load("3bpa", parts="train_300K")


@pytest.mark.parametrize("name", ej.data.names())
def test_descriptions_name_parts_and_licence(name):
    text = ej.data.describe(name)
    assert text.startswith(f"{name}: ")
    assert "parts: " in text
    assert "origin: " in text
    assert "licence: " in text


def test_importing_the_package_is_cheap():
    code = "import sys, equijax.data; print([m for m in ('ase', 'pooch', 'jax') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
