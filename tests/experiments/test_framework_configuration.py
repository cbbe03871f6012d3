import dataclasses
import enum
import pathlib
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.framework import configuration, load_config
from experiments.framework.errors import UsageError


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.1
    name: str | None = None


@dataclasses.dataclass(frozen=True)
class Config:
    steps: int = 3
    scale: float = 1.0
    fast: bool = False
    kind: typing.Literal["a", "b"] = "a"
    color: Color = Color.RED
    widths: tuple[int, ...] = (1, 2)
    pair: tuple[int, str] = (1, "x")
    data: pathlib.Path | None = None
    bound: float | None = None
    inner: Inner = dataclasses.field(default_factory=Inner)
    table: dict[str, float] = dataclasses.field(default_factory=dict)


text = st.text(max_size=5)
configs = st.builds(
    Config,
    steps=st.integers(),
    scale=st.floats(allow_nan=False),
    fast=st.booleans(),
    kind=st.sampled_from(["a", "b"]),
    color=st.sampled_from(Color),
    widths=st.lists(st.integers(), max_size=3).map(tuple),
    pair=st.tuples(st.integers(), text),
    data=st.none() | st.just(pathlib.Path("a/b.xyz")),
    bound=st.none() | st.floats(allow_nan=False),
    inner=st.builds(Inner, rate=st.floats(allow_nan=False), name=st.none() | text),
    table=st.dictionaries(text, st.floats(allow_nan=False), max_size=2),
)


@given(config=configs)
def test_a_configuration_survives_the_file(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("run")
    configuration.save(folder, "toy", "small", config)
    assert load_config(Config, folder) == config
    assert [path.name for path in folder.iterdir()] == ["config.json"]


@given(a=configs, b=configs)
def test_differences_are_empty_exactly_for_equal_configurations(a, b):
    a_json, b_json = configuration.to_json(a), configuration.to_json(b)
    assert configuration.differences(a_json, a_json) == {}
    assert bool(configuration.differences(a_json, b_json)) == (a_json != b_json)


def test_differences_are_named_with_dots():
    changed = configuration.to_json(Config(steps=4, inner=Inner(rate=0.5)))
    assert configuration.differences(configuration.to_json(Config()), changed) == {
        "steps": (3, 4),
        "inner.rate": (0.1, 0.5),
    }


def test_the_command_line_holds_what_differs_from_the_preset():
    config = Config(steps=4, fast=True, widths=(5, 6), inner=Inner(name="two words"))
    line = configuration.command_line(
        "toy_model", "small", configuration.to_json(config), configuration.to_json(Config())
    )
    assert line == (
        "python -m experiments run toy_model --preset small "
        "--steps 4 --fast --widths 5 6 --inner.name 'two words'"
    )


def test_values_without_a_form_are_refused():
    with pytest.raises(TypeError, match="a configuration holds numbers"):
        configuration.to_json({"a": object()})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"steps": "four"}', "does not fit Config: expected a value of type <class 'int'>, got 'four'"),
        ('{"kind": "c"}', "does not fit Config"),
        ('{"color": "GREEN"}', "does not fit Config"),
        ('{"pair": [1]}', "expected 2 items"),
        ('{"widths": 3}', "expected a list, got 3"),
        ('{"inner": 3}', "expected the fields of Inner, got 3"),
        ('{"bound": "x"}', "expected one of"),
        ('{"colour": "RED"}', "Config has no field colour"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, content, message):
    (tmp_path / "config.json").write_text(f'{{"experiment": "toy", "preset": "small", "config": {content}}}')
    with pytest.raises(UsageError, match=message):
        load_config(Config, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "holds no config.json"), ("{", "not readable"), ("[]", "does not name"), ("{}", "does not name")],
)
def test_folders_of_no_run_are_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(UsageError, match=message):
        configuration.read(tmp_path)
