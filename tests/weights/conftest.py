"""What the tests of weights share: models of many architectures, and what a symmetry does to outputs."""

import functools
import importlib.util
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

# These functions run a few times each, so compile time is all their cost.
HASTE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


@pytest.fixture(scope="session")
def models():
    """The module ``models.py``."""
    path = pathlib.Path(__file__).with_name("models.py")
    spec = importlib.util.spec_from_file_location("models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def quick_jit():
    """``jax.jit`` with little optimization."""
    return functools.partial(jax.jit, compiler_options=HASTE)


@pytest.fixture(scope="session")
def changes(quick_jit):
    """The largest change of outputs, relative to their size, by each factor alone and then by all at once."""

    def measure(group, case, dtype="float64", seed=0):
        variables = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), case.variables)
        inputs = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, dtype) if np.asarray(leaf).dtype.kind == "f" else leaf, case.inputs
        )
        one, g = group.identity((), dtype), group.sample(jax.random.key(seed), (), dtype)
        each = [(*one[:i], g[i], *one[i + 1 :]) for i in range(len(g))]
        elements = jax.tree.map(lambda *leaves: jnp.stack(leaves), one, *each, g)

        @quick_jit
        def outputs(elements):
            return jax.lax.map(lambda g: case.apply_fn(group.act(g, variables), *inputs), elements)

        found = np.asarray(outputs(elements))
        assert np.abs(found[0]).max() > 1e-3
        return np.abs(found[1:] - found[0]).reshape(len(g) + 1, -1).max(axis=1) / np.abs(found[0]).max()

    return measure


@pytest.fixture(scope="session")
def half_moved(quick_jit):
    """The change of outputs if neurons move on the first axis of their group alone: it must not vanish."""

    def measure(group, case):
        axis = group.groups[0].axes[0]
        rows = axis.positions()
        leaves, structure = jax.tree_util.tree_flatten_with_path(case.variables)
        paths = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]
        values = [leaf for _, leaf in leaves]
        place = paths.index(axis.path)
        order = np.arange(values[place].shape[axis.axis])
        order[np.roll(rows, 1, axis=0)] = rows
        values[place] = np.take(values[place], order, axis.axis)
        apply = quick_jit(lambda variables: case.apply_fn(variables, *case.inputs))
        moved, before = apply(structure.unflatten(values)), apply(case.variables)
        return float(jnp.abs(moved - before).max())

    return measure


@pytest.fixture(scope="session")
def change(quick_jit):
    """The relative change of a model's outputs by an element of any group that acts on its variables."""

    def measure(group, case, seed=0):
        @quick_jit
        def before_and_after(key):
            moved = group.act(group.sample(key), case.variables)
            return case.apply_fn(case.variables, *case.inputs), case.apply_fn(moved, *case.inputs)

        before, after = before_and_after(jax.random.key(seed))
        return float(jnp.abs(after - before).max() / jnp.abs(before).max())

    return measure


@pytest.fixture(scope="session")
def act(quick_jit):
    """The group's own action, in double precision, compiled once for each group."""
    compiled = functools.cache(lambda group: quick_jit(group.act))

    def acted(group, element, variables):
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, compiled(group)(element, variables))

    return acted
