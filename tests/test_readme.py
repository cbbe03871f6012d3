"""The code of all pages runs as it stands, and their links lead somewhere."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "EXPERIMENTS")]
GUIDES = sorted(ROOT.glob("docs/*.md"))
PAGES += GUIDES + sorted(ROOT.glob("notebooks/*.ipynb"))
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON_AND_OUTPUT = re.compile(
    r"^```python\n(.*?)^```$(?:(?!^```).)*^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]\d+)?")


def text_of(page):
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        return text
    return "\n".join(
        "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"
    )


def anchors_of(page):
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fresh_python(*arguments, folder):
    """Run Python with one CPU device, as a user has it; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", [ROOT / "README.md", *GUIDES], ids=lambda page: page.name)
def test_pages_print_what_they_say(tmp_path, page):
    text = text_of(page)
    blocks = _PYTHON_AND_OUTPUT.findall(text)
    assert len(blocks) == len(_PYTHON.findall(text)) > 0, "each Python block is followed by its output"
    for code, output in blocks:
        printed = fresh_python("-c", code, folder=tmp_path)
        assert _NUMBER.sub("#", printed) == _NUMBER.sub("#", output)


def test_the_readme_measures_a_right_and_a_wrong_layer():
    output = _PYTHON_AND_OUTPUT.findall(text_of(ROOT / "README.md"))[0][1].splitlines()
    assert float(output[0]) > 0.1
    assert float(output[-1]) < 1e-5


def test_the_worked_examples_pass_their_tests(tmp_path):
    blocks = _PYTHON.findall(text_of(ROOT / "CONTRIBUTING.md"))
    assert len(re.findall(r"^def test_", "\n".join(blocks), re.MULTILINE)) >= 5
    (tmp_path / "test_examples.py").write_text("\n\n".join(blocks), encoding="utf-8")
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path / "test_examples.py")
    # In the root of the repository, for the package experiments.
    assert "passed" in fresh_python("-m", "pytest", *options, folder=ROOT)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in _LINK.findall(text_of(page)):
        target, _, anchor = link.partition("#")
        if target.startswith(("https://", "http://")):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name} links to {target}, which does not exist"
        assert not anchor or anchor in anchors_of(path), f"{page.name}: {path.name} has no heading #{anchor}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.suffix == ".ipynb"], ids=lambda page: page.name
)
def test_notebooks_are_committed_with_plots_and_without_noise(page):
    cells = [
        cell for cell in json.loads(page.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
    ]
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3
    streams = [output for output in outputs if output["output_type"] == "stream"]
    assert {output["name"] for output in streams} == {"stdout"}, "no warnings or progress bars"
    printed = "".join("".join(output["text"]) for output in streams)
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|usr|work|Users)/", printed), "no paths of a machine"
    assert page.stat().st_size < 400_000
