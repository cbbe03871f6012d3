"""Arrays that carry irreps as signals of natural and of pseudo parity, and back."""

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.groups import SO, Irreps

FULL = "2x0e+2x0o+2x1o+2x1e+2x2e+2x2o"


def random_array(irreps, *leading, seed=0):
    return e3nn.normal(irreps, jax.random.key(seed), leading)


def test_degrees_and_channels_are_where_they_should_be():
    x = random_array(FULL, 5)
    natural, pseudo = sphere.signals_from_irreps(x)
    assert natural.shape == pseudo.shape == (5, 2, 9)
    for signal, kinds in ((natural, ("0e", "1o", "2e")), (pseudo, ("0o", "1e", "2o"))):
        for l, kind in enumerate(kinds):
            expected = x.filter(keep=kind).array.reshape(5, 2, 2 * l + 1)
            np.testing.assert_array_equal(signal[..., l * l : (l + 1) ** 2], expected)


@pytest.mark.parametrize("irreps", [FULL, "3x1o", "2x0e+2x2o", "1x0o+1x3e", "0x0e+4x1e"])
def test_there_and_back(irreps):
    x = random_array(irreps, 4, 3)
    back = sphere.irreps_from_signals(sphere.signals_from_irreps(x), [ir for mul, ir in x.irreps if mul])
    expected = x.regroup()
    assert back.irreps == expected.irreps
    np.testing.assert_array_equal(back.array, expected.array)


def test_missing_degrees_are_zero_and_missing_parities_none():
    natural, pseudo = sphere.signals_from_irreps(random_array("2x2e", 3), lmax=3)
    assert pseudo is None
    assert natural.shape == (3, 2, 16)
    np.testing.assert_array_equal(natural[..., [*range(4), *range(9, 16)]], 0)
    assert np.abs(natural[..., 4:9]).min() > 0


def test_repeated_irreps_add_up_and_blocks_of_zeros_are_zeros():
    x = e3nn.from_chunks("1x0e+1x1o+2x0e+2x1o", [None, jnp.ones((1, 3)), jnp.ones((2, 1)), None], ())
    natural, _ = sphere.signals_from_irreps(x)
    np.testing.assert_array_equal(natural, [[0, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0]])


def test_channels_on_their_own_axis():
    x = random_array("4x0e+4x1o", 3)
    natural, _ = sphere.signals_from_irreps(x)
    on_axis, _ = sphere.signals_from_irreps(x.mul_to_axis())
    np.testing.assert_array_equal(on_axis[..., 0, :], natural)


def test_filter_keeps_what_it_names_and_both_parities_are_sorted():
    signals = sphere.ParitySignals(jnp.ones((2, 4)), jnp.zeros((2, 9)))
    assert sphere.irreps_from_signals(signals).irreps == "2x0e+2x0o+2x1o+2x1e+2x2o"
    assert sphere.irreps_from_signals(signals, "2o + 0e + 5e").irreps == "2x0e+2x2o"
    assert sphere.irreps_from_signals(signals, [e3nn.Irrep("1e")]).irreps == "2x1e"
    assert sphere.irreps_from_signals(signals, []).shape == (0,)


def test_the_signals_transform_as_functions(x64):
    x = random_array(FULL, 3)
    rotation = SO(3).sample(jax.random.key(1), (), jnp.float64)
    moved = sphere.signals_from_irreps(e3nn.IrrepsArray(FULL, Irreps(FULL).act(-rotation, x.array)))
    points = np.random.default_rng(0).normal(size=(7, 3))
    # f'(r) = ± f((-R)^-1 r): a reflection moves the points, and changes the sign of a pseudo-signal.
    for before, after, sign in zip(sphere.signals_from_irreps(x), moved, (1, -1)):
        values = np.einsum("pk,nck->ncp", sphere.spherical_harmonics(2, points), after)
        expected = np.einsum("pk,nck->ncp", sphere.spherical_harmonics(2, -points @ rotation), before)
        np.testing.assert_allclose(values, sign * expected, atol=1e-6)


def test_jit_vmap_and_grad():
    x = random_array(FULL, 5)

    def roundtrip(x):
        return sphere.irreps_from_signals(sphere.signals_from_irreps(x))

    assert jax.jit(roundtrip)(x).irreps == x.irreps
    np.testing.assert_array_equal(jax.vmap(roundtrip)(x).array, x.array)
    gradient = jax.grad(lambda x: jnp.sum(roundtrip(x).array ** 2))(x)
    np.testing.assert_allclose(gradient.array, 2 * x.array, rtol=1e-6)
    compiled = jax.jit(roundtrip).lower(x).compile().as_text()
    assert "gather(" not in compiled
    assert " dot(" not in compiled


ONE = jnp.ones((2, 4))
WRONG_CALLS = [
    (
        lambda: sphere.signals_from_irreps(jnp.ones(4)),
        TypeError,
        "x must be an e3nn_jax.IrrepsArray, got Array",
    ),
    (
        lambda: sphere.signals_from_irreps(random_array("2x0e+1x1o"), name="y"),
        ValueError,
        r"y must have as many copies of every irrep, at least one, got 2x0e\+1x1o",
    ),
    (lambda: sphere.signals_from_irreps(random_array("")), ValueError, "x must have .* at least one"),
    (
        lambda: sphere.signals_from_irreps(random_array("2e"), lmax=1),
        ValueError,
        "lmax must be at least the degree 2 of x, got 1",
    ),
    (lambda: sphere.signals_from_irreps(random_array("2e"), lmax=2.0), TypeError, "lmax must be an integer"),
    (
        lambda: sphere.signals_from_irreps(e3nn.IrrepsArray("0e", jnp.ones(1, int))),
        TypeError,
        "x must be a real floating-point array",
    ),
    (lambda: sphere.irreps_from_signals((ONE, ONE)), TypeError, "signals must be a ParitySignals, got tuple"),
    (
        lambda: sphere.irreps_from_signals(sphere.ParitySignals(None, None)),
        ValueError,
        "signals must have a natural or a pseudo part",
    ),
    (
        lambda: sphere.irreps_from_signals(sphere.ParitySignals(ONE, jnp.ones((3, 4)))),
        ValueError,
        r"signals.pseudo must have the leading axes and channels of the other, \(2,\), got \(3,\)",
    ),
    (
        lambda: sphere.irreps_from_signals(sphere.ParitySignals(jnp.ones(4), None)),
        ValueError,
        r"signals.natural must have shape \(\.\.\., channels, k\), got \(4,\)",
    ),
    (
        lambda: sphere.irreps_from_signals(sphere.ParitySignals(ONE, None), "0x"),
        ValueError,
        "filter_ir_out must be irreps, such as \"0e\\+1o\" .*, got '0x'",
    ),
    (
        lambda: sphere.irreps_from_signals(sphere.ParitySignals(ONE, None), 3),
        ValueError,
        "filter_ir_out must be irreps, .* got 3",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
