import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SO, E, PermutationTensor, Point, S, Trivial, Vector
from equijax.testing.commuting import DEFAULT_RTOL, Commuting

TURN = np.asarray(SO(3).exp(jnp.array([0.3, -0.5, 0.7])))


def vectors(f, **options):
    return Commuting(f, SO(3), (Vector(),), Vector(), **options)


def test_errors_are_norms():
    x = np.array([1.0, 2.0, 3.0], np.float32)
    [violation] = vectors(jnp.abs).violations(TURN, (x,))
    np.testing.assert_allclose(violation.error, np.linalg.norm(np.abs(TURN @ x) - TURN @ x), rtol=1e-5)
    assert violation.place == "output"
    assert violation.dtype == "float32"
    np.testing.assert_allclose(violation.tolerance, DEFAULT_RTOL["float32"] * violation.size, rtol=0.2)


def test_rounding_noise_of_an_output_that_cancels_is_no_violation():
    def net_force(x):
        return jnp.sum(x - jnp.mean(x, 0), 0)

    group, rep = S(6) * E(3), PermutationTensor(1) @ Point()
    g = group.sample(jax.random.key(0))
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    assert np.linalg.norm(net_force(x)) > 0
    # The net force is nothing but rounding, at any input.
    assert not Commuting(net_force, group, (rep,), Trivial() @ Vector()).violations(g, (x,))


def test_badly_conditioned_inputs_are_no_violation():
    def distances(x):
        return jnp.linalg.norm(x[0] - x[1])

    rep = Trivial() @ Point()
    group = S(1) * E(3)
    g = (np.array([0]), E(3).sample(jax.random.key(1)))
    x = np.array([[0.0, 0.0, 0.0], [1e-3, 0.0, 0.0]], np.float32)
    assert not Commuting(distances, group, (rep,), Trivial()).violations(g, (x,))
    assert Commuting(lambda x: distances(x) + 1e-4 * x[0, 0], group, (rep,), Trivial()).violations(g, (x,))


def test_jumps_are_not_forgiven():
    def first_largest(x):
        return jax.nn.one_hot(jnp.argmax(x), 3)

    permute = Commuting(first_largest, S(3), (PermutationTensor(1),), PermutationTensor(1))
    g = np.array([1, 0, 2], np.int32)
    assert permute.violations(g, (np.array([1.0, 1.0, 0.0], np.float32),))
    assert not permute.violations(g, (np.array([1.0, 2.0, 0.0], np.float32),))


def test_values_that_are_not_finite_are_violations():
    [violation] = vectors(lambda x: x / jnp.linalg.norm(x)).violations(TURN, (np.zeros(3, np.float32),))
    assert not np.isfinite(violation.error)


def test_gradients():
    def detached(x):
        return jnp.sum(jax.lax.stop_gradient(x**2) * jnp.array([1.0, 0.0, 0.0])) * 0 + jnp.sum(x**2)

    def one_sided(x):
        size = jnp.sum(x**2)
        return size + x[0] - jax.lax.stop_gradient(x[0])

    x = (np.array([1.0, 2.0, 3.0], np.float32),)
    scalar = {"group": SO(3), "in_reps": (Vector(),), "out_reps": Trivial()}
    assert not Commuting(detached, **scalar, gradient=True).violations(TURN, x)
    assert not Commuting(one_sided, **scalar).violations(TURN, x)
    [violation] = Commuting(one_sided, **scalar, gradient=True).violations(TURN, x)
    assert violation.place == "gradient['args[0]']"
    kink = Commuting(lambda x: jnp.sqrt(jnp.sum(x**2)), **scalar, gradient=True)
    [violation] = kink.violations(TURN, (np.zeros(3, np.float32),))
    assert not np.isfinite(violation.error)


def test_integer_outputs_are_compared_exactly():
    count = Commuting(lambda x: jnp.sum(x > 0), SO(3), (Vector(),), Trivial())
    [violation] = count.violations(np.diag([-1.0, -1.0, 1.0]).astype(np.float32), (np.ones(3, np.float32),))
    assert violation.error == 2
    assert violation.dtype == "int32"


def test_tolerance_follows_the_coarser_dtype(x64):
    def rounded(x):
        return x.astype(jnp.float32)

    x = np.array([1.0, 2.0, 3.0]) / 7
    assert not vectors(rounded).violations(TURN.astype(np.float64), (x,))
    assert vectors(rounded, rtol=1e-12).violations(np.asarray(SO(3).exp(jnp.array([0.3, -0.5, 0.7]))), (x,))


def test_functions_that_do_not_compile():
    def by_numpy(x):
        return np.asarray(x) * np.sum(np.asarray(x) ** 2)

    assert not vectors(by_numpy, jit=False).violations(TURN, (np.ones(3, np.float32),))
    with pytest.raises(jax.errors.TracerArrayConversionError):
        vectors(by_numpy).violations(TURN, (np.ones(3, np.float32),))


def test_output_must_match_its_signature():
    with pytest.raises(ValueError, match=r"output must have shape \(..., 3\)"):
        vectors(jnp.sum).check_output((np.ones(3, np.float32),))
