"""Find the experiments of a package by reading their source, without importing any of them.

Importing an experiment imports JAX and more; a list of thirty must not.
"""

import ast
import dataclasses
import importlib
import importlib.util
import pathlib
import types

from experiments.framework.errors import UsageError

_NO_EXPERIMENTS = ("framework", "tasks", "baselines")
_CONTRACT = ("Config", "PRESETS", "run")


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment as its source describes it.

    Attributes:
      name: the name of its module.
      package: the package that the module lies in.
      doc: the module's docstring.
      presets: names of its configurations.
      commands: names of its further commands.
    """

    name: str
    package: str
    doc: str
    presets: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.doc.strip().split("\n", 1)[0].strip()

    @property
    def default_preset(self) -> str:
        """``small`` where there is one, otherwise ``smoke``."""
        return "small" if "small" in self.presets else "smoke"

    def module(self) -> types.ModuleType:
        """Import the experiment."""
        return importlib.import_module(f"{self.package}.{self.name}")


def folder_of(package: str) -> pathlib.Path:
    """The folder of a package."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"there is no package {package!r} to look for experiments in")
    return pathlib.Path(next(iter(spec.submodule_search_locations)))


def discover(package: str = "experiments") -> dict[str, Experiment]:
    """All experiments of a package by name, in alphabetical order.

    Raises:
      UsageError: if an experiment has no docstring, or no preset ``smoke``, or presets that cannot be read.
    """
    found = {}
    for name, path in sorted(_modules(folder_of(package)).items()):
        source = _Source(path, package)
        if all(source.find(required) is not None for required in _CONTRACT):
            found[name] = _experiment(name, package, source)
    return found


def find(name: str, package: str = "experiments") -> Experiment:
    """The experiment of a name.

    Raises:
      UsageError: if there is none, with the names that there are.
    """
    experiments = discover(package)
    name = name.replace("-", "_")
    if name in experiments:
        return experiments[name]
    path = _modules(folder_of(package)).get(name)
    if path is not None:
        source = _Source(path, package)
        missing = [required for required in _CONTRACT if source.find(required) is None]
        raise UsageError(f"{package}.{name} is not an experiment: it does not define {', '.join(missing)}")
    raise UsageError(f"no experiment {name!r}; there are: {', '.join(experiments) or 'none'}")


class _Source:
    """The top level of a module's source, with names followed through imports within the package."""

    def __init__(self, path: pathlib.Path, package: str):
        self.path = path
        self.package = package
        self.tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))

    def find(self, name: str) -> ast.AST | None:
        """What defines a name: a class, a function or the value assigned to it; None if nothing does."""
        for node in reversed(self.tree.body):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
                return node
            if isinstance(node, ast.Assign) and any(_is_name(target, name) for target in node.targets):
                return node.value
            if isinstance(node, ast.AnnAssign) and _is_name(node.target, name):
                return node.value
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return self._follow(node, alias.name)
        return None

    def _follow(self, node: ast.ImportFrom, name: str) -> ast.AST | None:
        """The definition behind ``from module import name``, if the module lies in the package."""
        parts = node.module.split(".") if node.module else []
        if node.level:
            folder = self.path.parents[node.level - 1]
        elif parts[0] == self.package:
            folder, parts = folder_of(self.package), parts[1:]
        else:
            return None
        target = folder.joinpath(*parts)
        for path in (target.with_suffix(".py"), target / "__init__.py"):
            if path.is_file() and path != self.path:
                return _Source(path, self.package).find(name)
        return None

    def literal_keys(self, name: str) -> tuple[str, ...]:
        """The keys of a dictionary display; they must be literal strings."""
        node = self.find(name)
        if node is None:
            return ()
        keys = node.keys if isinstance(node, ast.Dict) else [None]
        if not all(isinstance(key, ast.Constant) and isinstance(key.value, str) for key in keys):
            raise UsageError(
                f"{self.path.name}: {name} must be written as a dictionary with literal names as keys, so "
                "that it can be listed without importing the experiment"
            )
        return tuple(key.value for key in keys)


def _experiment(name: str, package: str, source: _Source) -> Experiment:
    """Describe an experiment, checked."""
    doc = ast.get_docstring(source.tree)
    presets = source.literal_keys("PRESETS")
    if not doc:
        raise UsageError(f"experiment {name!r} must have a module docstring that says what it shows")
    if "smoke" not in presets:
        raise UsageError(
            f"experiment {name!r} must have a preset 'smoke', got {', '.join(presets) or 'none'}"
        )
    return Experiment(name, package, doc, presets, source.literal_keys("COMMANDS"))


def _modules(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Source files of the modules and packages directly in a folder that may be experiments."""
    files = {path.stem: path for path in folder.glob("*.py")}
    files |= {path.parent.name: path for path in folder.glob("*/__init__.py")}
    return {
        name: path for name, path in files.items() if name not in _NO_EXPERIMENTS and not name.startswith("_")
    }


def _is_name(node: ast.AST, name: str) -> bool:
    """Whether a node is a plain name."""
    return isinstance(node, ast.Name) and node.id == name
