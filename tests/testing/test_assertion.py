import re

import e3nn_jax as e3nn
import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import (
    SO,
    Cyclic,
    E,
    Irreps,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    Regular,
    S,
    Trivial,
    Vector,
)

G = S(5) * E(3)
POSITIONS, VECTORS = PermutationTensor(1) @ Point(), PermutationTensor(1) @ Vector()


def differences(x):
    return x[..., :, None, :] - x[..., None, :, :]


def energy(x):
    return jnp.sum(jnp.exp(-jnp.sum(differences(x) ** 2, -1)), (-2, -1))


def forces(x):
    d = differences(x)
    return jnp.sum(d * jnp.exp(-jnp.sum(d**2, -1, keepdims=True)), -2)


def fails(f, *args, **kwargs) -> str:
    with pytest.raises(AssertionError) as caught:
        ej.testing.assert_equivariant(f, *args, **kwargs)
    return str(caught.value)


def reproduce(message: str, **names) -> str:
    """Run the line that a message prints, and return the message of its failure."""
    line = message.split("reproduce with\n")[1].splitlines()[0].strip()
    with pytest.raises(AssertionError) as caught:
        exec(line, {"ej": ej, "np": np, "e3nn_jax": e3nn, **names})
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equivariant_functions_pass(dtype):
    def f(x):
        return {"energy": energy(x), "forces": forces(x), "moved": [x + forces(x)]}

    out_reps = {"energy": Trivial(), "forces": VECTORS, "moved": POSITIONS}
    ej.testing.assert_equivariant(
        f, G, in_reps=(POSITIONS,), out_reps=out_reps, shapes=((2, 5, 3),), dtype=dtype
    )
    assert jnp.zeros(1).dtype == jnp.float32


def test_reads_as_in_the_readme_and_gradients():
    ej.testing.assert_equivariant(energy, G, in_reps=(POSITIONS,), out_reps=Trivial(), gradient=True)


PLANTED = {
    "bias": (lambda v: v + 0.1, "output"),
    "relu": (jax.nn.relu, "output"),
    "layer norm": (
        lambda v: (v - v.mean(-1, keepdims=True)) / jnp.sqrt(v.var(-1, keepdims=True) + 1),
        "output",
    ),
    "absolute position": (lambda v: v * jnp.exp(-(v[..., :1, :] ** 2)), "output"),
}
TWINS = {
    "bias": lambda v: 0.1 * v,
    "relu": lambda v: v * jax.nn.sigmoid(jnp.sum(v**2, -1, keepdims=True)),
    "layer norm": lambda v: v / jnp.sqrt(jnp.sum(v**2, -1, keepdims=True) + 1),
    "absolute position": lambda v: v * jnp.exp(-jnp.sum(v**2, -1, keepdims=True)),
}


@pytest.mark.parametrize("bug", PLANTED)
@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finds_planted_bugs(bug, shape, dtype):
    call = {"in_reps": (Vector(),), "out_reps": Vector(), "shapes": (shape,), "dtype": dtype}
    f, place = PLANTED[bug]
    message = fails(f, O(3), **call)
    assert f"at {place}" in message
    again = reproduce(message, f=f, relu=f)
    assert again.splitlines()[1:5] == message.splitlines()[1:5]
    ej.testing.assert_equivariant(TWINS[bug], O(3), **call)


def test_finds_absolute_positions_and_node_numbers():
    call = {"in_reps": (POSITIONS,), "shapes": ((5, 3),)}

    def absolute(x):
        return jnp.sum(jnp.exp(-jnp.sum(x**2, -1)))

    def numbered(x):
        return jnp.sum(jnp.sum(differences(x) ** 2, (1, 2)) * jnp.arange(5))

    message = fails(absolute, G, **call, out_reps=Trivial())
    assert "absolute is not equivariant under S(5) * E(3)" in message
    assert "absolute" in reproduce(message, absolute=absolute)
    message = fails(numbered, G, **call, out_reps=Trivial())
    image = re.search(r"\[0\] = \[([\d, ]+)\]", message)[1].split(", ")
    assert [int(i) for i in image] != list(range(5))
    assert "differs" in reproduce(message, numbered=numbered).splitlines()[1]


def test_counterexamples_are_small():
    message = fails(lambda v: v + 0.1, O(3), in_reps=(Vector(),), out_reps=Vector(), shapes=((7, 3),))
    argument = eval(re.search(r"args=\((np\.array\(.*?dtype=np\.float32\)),\)", message)[1], {"np": np})
    assert not argument.any()
    assert "element g" in message
    assert "dtype      float32" in message
    assert "tolerance" in message


def test_degenerate_inputs_find_what_generic_ones_do_not():
    def unsafe(v):
        return v / jnp.linalg.norm(v, axis=-1, keepdims=True)

    call = {"in_reps": (Vector(),), "out_reps": Vector(), "shapes": ((4, 3),)}
    assert "not finite at output" in fails(unsafe, SO(3), **call)
    ej.testing.assert_equivariant(unsafe, SO(3), **call, degenerate=False)

    def leader(x):
        """The first of the points with the largest coordinate; the choice is arbitrary at ties."""
        return jax.nn.one_hot(jnp.argmax(x), 4)

    call = {"in_reps": (PermutationTensor(1),), "out_reps": PermutationTensor(1)}
    assert "not equivariant" in fails(leader, S(4), **call)


def test_overflow_at_large_inputs_is_passed_over():
    def steep(v):
        return v * jnp.exp(jnp.sum(v**2, -1, keepdims=True))

    ej.testing.assert_equivariant(
        steep, SO(3), in_reps=(Vector(),), out_reps=Vector(), shapes=((3,),), max_examples=100, rtol=1e-3
    )


def test_gradient_of_a_norm_at_zero():
    def length(v):
        return jnp.sqrt(jnp.sum(v**2))

    call = {"in_reps": (Vector(),), "out_reps": Trivial()}
    ej.testing.assert_equivariant(length, SO(3), **call)
    message = fails(length, SO(3), **call, gradient=True)
    assert "not finite at gradient['args[0]']" in message
    assert "gradient=True" in message
    assert "gradient" in reproduce(message, length=length)


def test_given_arguments_keep_integers_and_trivial_leaves():
    species, scale = np.array([0, 1, 1, 0, 2]), jnp.float32(2.0)
    seen = []

    def f(x, species, scale):
        jax.debug.callback(
            lambda kinds, size: seen.append((sorted(kinds.tolist()), float(size))), species, scale
        )
        return scale * jnp.sum((1.0 + species)[:, None] * forces(x) ** 2)

    args = (np.random.default_rng(0).normal(size=(5, 3)), species, scale)
    reps = (POSITIONS, PermutationTensor(1) @ Trivial(), Trivial())
    ej.testing.assert_equivariant(f, G, in_reps=reps, out_reps=Trivial(), args=args)
    assert set(map(str, seen)) == {"([0, 0, 1, 1, 2], 2.0)"}
    message = fails(f, G, in_reps=(POSITIONS, Trivial(), Trivial()), out_reps=Trivial(), args=args)
    assert "input x[1] [0, 1, 1, 0, 2]" in message


def test_arguments_can_be_kept():
    x = np.array([[1.0, 2.0, 3.0]], np.float32)
    seen = set()

    def f(v):
        jax.debug.callback(lambda size: seen.add(round(float(size), 3)), jnp.linalg.norm(v))
        return 2 * v

    call = {"in_reps": (Vector(),), "out_reps": Vector(), "args": (x,)}
    ej.testing.assert_equivariant(f, SO(3), **call, redraw=False)
    assert seen == {round(float(np.linalg.norm(x)), 3)}
    ej.testing.assert_equivariant(f, SO(3), **call)
    assert len(seen) > 5


def test_pytrees_and_irreps_arrays():
    irreps = "2x0e + 1o"
    args = (e3nn.IrrepsArray(irreps, jnp.ones((3, 5))), {"axial": jnp.ones(())})

    def f(x, other):
        return {"scaled": 2 * x, "odd": other["axial"] ** 3}

    reps = (Irreps(irreps), {"axial": Pseudoscalar()})
    out_reps = {"scaled": Irreps(irreps), "odd": Pseudoscalar()}
    ej.testing.assert_equivariant(f, O(3), in_reps=reps, out_reps=out_reps, args=args)
    message = fails(f, O(3), in_reps=reps, out_reps={"scaled": Irreps(irreps), "odd": Trivial()}, args=args)
    assert "at output['odd']" in message
    assert "output['odd']" in reproduce(message, f=f)


def test_finite_groups():
    def convolution(x):
        return jax.nn.relu(x + 2 * jnp.roll(x, 1, -1))

    call = {"in_reps": (Regular(),), "out_reps": Regular()}
    ej.testing.assert_equivariant(convolution, Cyclic(6), **call)
    assert "Turn" in reproduce(
        fails(lambda x: x * jnp.arange(6), Cyclic(6), **call), f=lambda x: x * jnp.arange(6)
    )


def test_seeds_and_nesting():
    call = {"in_reps": (Vector(),), "out_reps": Vector()}
    assert fails(jnp.abs, SO(3), **call) == fails(jnp.abs, SO(3), **call)
    assert fails(jnp.abs, SO(3), **call, seed=1) == fails(jnp.abs, SO(3), **call, seed=1)

    @hypothesis.given(hypothesis.strategies.integers(1, 3))
    @hypothesis.settings(max_examples=3, suppress_health_check=list(hypothesis.HealthCheck))
    def inside_another_test(power):
        ej.testing.assert_equivariant(
            lambda v: v * jnp.sum(v**2) ** power, SO(3), **call, max_examples=3, degenerate=False
        )

    inside_another_test()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"group": None}, TypeError, "group must be a Group"),
        ({"in_reps": Vector()}, TypeError, "in_reps must be a tuple"),
        ({"in_reps": (3,)}, TypeError, "must be a pytree of representations, got 3"),
        ({"out_reps": (Vector(), Vector())}, ValueError, "signature of output must be a prefix"),
        ({"out_reps": Vector() * Vector()}, ValueError, r"output must have shape \(..., 3, 3\)"),
        ({"shapes": ((4,),)}, ValueError, r"args\[0\] must have shape \(..., 3\).*got \(4,\)"),
        ({"shapes": ((3,), (3,))}, ValueError, "shapes must be nested as in_reps"),
        ({"shapes": ("3",)}, TypeError, "shapes must hold a tuple of integers"),
        ({"shapes": ((3,),), "args": (np.ones(3),)}, ValueError, "shapes and args exclude each other"),
        ({"args": np.ones(3)}, TypeError, "args must be a tuple"),
        ({"dtype": "int32"}, TypeError, "dtype must be a real floating-point type"),
        ({"max_examples": 0}, ValueError, "max_examples must be a number of at least 1"),
    ],
)
def test_errors_name_the_argument(change, error, message):
    call = {"group": SO(3), "in_reps": (Vector(),), "out_reps": Vector()} | change
    with pytest.raises(error, match=message):
        ej.testing.assert_equivariant(lambda x: x, **call)


def test_a_forgotten_return_and_a_wrong_tolerance_do_not_pass():
    reps = (SO(3), (Vector(),), Vector())
    with pytest.raises(ValueError, match="output must hold at least one array, got None"):
        ej.testing.assert_equivariant(lambda x: None, *reps)
    with pytest.raises(ValueError, match=r"rtol must be a number above 0, got -1.0"):
        ej.testing.assert_equivariant(lambda x: x, *reps, rtol=-1.0)
    with pytest.raises(TypeError, match="f must be a function, got SO"):
        ej.testing.assert_equivariant(SO(3), *reps)
    with pytest.raises(TypeError, match="dtype must be a real floating-point type, got 'float31'"):
        ej.testing.assert_equivariant(jnp.abs, *reps, dtype="float31")
    with pytest.raises(TypeError, match="seed must be an integer, got 'a'"):
        ej.testing.assert_equivariant(jnp.abs, *reps, seed="a")
