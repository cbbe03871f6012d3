import pytest

from experiments.framework.discovery import discover, find
from experiments.framework.errors import UsageError

MINIMAL = '''
    """{title}"""
    from .{source} import Config
    {how}
    def run(config, workdir):
        """Run."""
'''


def test_a_module_is_described_without_importing_it(toys):
    toys.add("parabola.py", (toys.folder / "parabola.py").read_text() + "\nraise RuntimeError('imported')\n")
    (experiment,) = discover(toys.package).values()
    assert experiment.name == "parabola"
    assert experiment.summary == "Gradient descent on a parabola reaches its minimum."
    assert experiment.presets == ("smoke", "small", "full")
    assert experiment.commands == ("predict",)
    assert experiment.default_preset == "small"
    with pytest.raises(RuntimeError, match="imported"):
        experiment.module()


def test_a_package_may_spread_the_contract_over_modules(toys):
    toys.add("whole/config.py", 'class Config: ...\nPRESETS: dict = {"smoke": Config()}\n')
    toys.add("whole/work.py", "def go(config, workdir): ...\n")
    toys.add(
        "whole/__init__.py",
        f"""
        '''A package.'''
        from {toys.package}.whole.config import Config
        from .config import PRESETS
        from .work import go as run
        """,
    )
    experiment = discover(toys.package)["whole"]
    assert experiment.presets == ("smoke",)
    assert experiment.default_preset == "smoke"


def test_what_is_not_an_experiment_is_left_alone(toys):
    for name in (
        "plots.py",
        "framework/cli.py",
        "framework/__init__.py",
        "tasks.py",
        "_private.py",
        "__main__.py",
    ):
        toys.add(name, "def run(config, workdir): ...\n")
    toys.add("baselines.py", (toys.folder / "parabola.py").read_text())
    assert list(discover(toys.package)) == ["parabola"]
    with pytest.raises(UsageError, match=r"plots is not an experiment: it does not define Config, PRESETS"):
        find("plots", toys.package)


def test_names_are_found_with_either_dash(toys):
    toys.add("two_words.py", (toys.folder / "parabola.py").read_text())
    assert find("two-words", toys.package).name == "two_words"
    with pytest.raises(UsageError, match="no experiment 'circle'; there are: parabola, two_words"):
        find("circle", toys.package)


@pytest.mark.parametrize(
    ("how", "title", "message"),
    [
        ('PRESETS = {"large": Config()}', "T.", "'odd' must have a preset 'smoke', got large"),
        (
            "PRESETS = dict(smoke=Config())",
            "T.",
            "odd.py: PRESETS must be written as a dictionary with literal",
        ),
        ('PRESETS = {"smoke": Config()}', "", "'odd' must have a module docstring"),
    ],
)
def test_broken_contracts_are_reported(toys, how, title, message):
    toys.add("odd.py", MINIMAL.format(how=how, title=title, source="parabola"))
    with pytest.raises(UsageError, match=message):
        discover(toys.package)


def test_a_package_without_experiments(toys):
    (toys.folder / "parabola.py").unlink()
    assert discover(toys.package) == {}
    assert toys("list") == 0
    with pytest.raises(UsageError, match="there is no package 'nowhere'"):
        discover("nowhere")
