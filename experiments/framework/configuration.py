"""Configurations as JSON and back, their differences, and the command line that gives one."""

import dataclasses
import enum
import json
import pathlib
import shlex
import types
import typing

from experiments.framework.errors import UsageError

FILE = "config.json"


def to_json(value):
    """A configuration (or a value in one) as JSON types.

    Raises:
      TypeError: if a value has no JSON form that it can be restored from.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a configuration holds numbers, strings, paths, tuples and dataclasses, got {value!r}")


def from_json(kind, value):
    """The inverse of :func:`to_json` for a type: a dataclass, a container, a union or a plain type.

    Raises:
      ValueError: if the value does not fit the type.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return from_json(arguments[0], value)
    if origin in (typing.Union, types.UnionType):
        return _from_union(arguments, value)
    if origin is typing.Literal:
        fits = value in arguments
    elif origin in (tuple, list) or kind in (tuple, list):
        items = _item_kinds(origin or kind, arguments, value)
        return (origin or kind)(from_json(*pair) for pair in items)
    elif origin is dict or kind is dict:
        return {
            key: from_json(arguments[1] if arguments else typing.Any, item) for key, item in value.items()
        }
    elif dataclasses.is_dataclass(kind):
        return _dataclass_from_json(kind, value)
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind[value]
    elif isinstance(kind, type) and issubclass(kind, pathlib.PurePath) and isinstance(value, str):
        return kind(value)
    elif kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    else:
        fits = kind is typing.Any or (kind is None and value is None)
        fits = fits or (isinstance(kind, type) and type(value) is kind)
    if not fits:
        raise ValueError(f"expected a value of type {kind}, got {value!r}")
    return value


def save(workdir: pathlib.Path, experiment: str, preset: str, config) -> None:
    """Write the file that says which experiment a folder belongs to, and with which configuration."""
    content = {"experiment": experiment, "preset": preset, "config": to_json(config)}
    unfinished = workdir / f"{FILE}.unfinished"
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(workdir / FILE)


def read(workdir: pathlib.Path) -> dict:
    """The content of a folder's file: ``experiment``, ``preset``, ``config``.

    Raises:
      UsageError: if there is none, or it is not such a file.
    """
    path = pathlib.Path(workdir) / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{workdir} is not the folder of a run: it holds no {FILE}") from None
    except ValueError as error:
        raise UsageError(f"{path} is not readable: {error}") from None
    if not isinstance(content, dict) or not {"experiment", "preset", "config"} <= set(content):
        raise UsageError(f"{path} does not name an experiment, a preset and a configuration")
    return content


def load_config(config_class, workdir: pathlib.Path):
    """The configuration of the run in a folder, as the experiment's own class.

    Raises:
      UsageError: if the folder holds none, or it does not fit the class.
    """
    try:
        return from_json(config_class, read(workdir)["config"])
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"{pathlib.Path(workdir) / FILE} does not fit {config_class.__name__}: {error}"
        ) from None


def differences(old: dict, new: dict) -> dict[str, tuple]:
    """Dotted names of what differs between two configurations in JSON form, each with both values."""
    old, new = _flat(old), _flat(new)
    missing = "(absent)"
    return {
        name: (old.get(name, missing), new.get(name, missing))
        for name in dict.fromkeys([*old, *new])
        if old.get(name, missing) != new.get(name, missing)
    }


def command_line(experiment: str, preset: str, config: dict, preset_config: dict) -> str:
    """The command that runs an experiment with a configuration, both in JSON form, from a preset."""
    words = ["python", "-m", "experiments", "run", experiment, "--preset", preset]
    for name, (_, value) in differences(preset_config, config).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        else:
            words += [option, *(map(str, value) if isinstance(value, list) else [str(value)])]
    return shlex.join(words)


def _flat(values: dict, prefix: str = "") -> dict:
    """Nested dictionaries as one with dotted names."""
    flat = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _from_union(kinds: tuple, value):
    """The first member of a union that a value fits."""
    for kind in kinds:
        try:
            return from_json(type(None) if kind is None else kind, value)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    raise ValueError(f"expected one of {', '.join(map(str, kinds))}, got {value!r}")


def _item_kinds(container: type, arguments: tuple, value) -> list[tuple]:
    """Pairs of type and value for the items of a list or tuple."""
    if not isinstance(value, list):
        raise ValueError(f"expected a list, got {value!r}")
    if (
        not arguments
        or (container is tuple and len(arguments) == 2 and arguments[1] is Ellipsis)
        or container is list
    ):
        return [(arguments[0] if arguments else typing.Any, item) for item in value]
    if len(arguments) != len(value):
        raise ValueError(f"expected {len(arguments)} items, got {value!r}")
    return list(zip(arguments, value, strict=True))


def _dataclass_from_json(kind: type, value):
    """A dataclass from the dictionary of its fields."""
    if not isinstance(value, dict):
        raise ValueError(f"expected the fields of {kind.__name__}, got {value!r}")
    hints = typing.get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    if set(value) - set(names):
        raise ValueError(f"{kind.__name__} has no field {', '.join(sorted(set(value) - set(names)))}")
    return kind(**{name: from_json(hints[name], value[name]) for name in names if name in value})
