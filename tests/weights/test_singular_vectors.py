import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import (
    input_direction_energy,
    kernel_matrices,
    singular_value_profile,
    singular_vector_alignment,
    symmetry,
)

random = np.random.default_rng(0)


def test_inner_products_are_sums_over_pairs_of_singular_vectors(x64):
    a, b = random.normal(size=(2, 7, 5))
    p, q = random.permutation(7), random.permutation(5)
    moved = b[p][:, q]
    (ua, sa, va), (ub, sb, vb) = (np.linalg.svd(each, full_matrices=False) for each in (a, b))
    # Theorem 4.1: permuting b permutes its singular vectors.
    pairs = np.outer(sa, sb) * (ua.T @ ub[p]) * (va @ vb[:, q].T)
    assert pairs.sum() == pytest.approx((a * moved).sum(), abs=1e-10)
    expected = ((ua.T @ ub[p]) * (va @ vb[:, q].T)).sum() / 5
    assert singular_vector_alignment({"w": a}, {"w": moved}) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_a_network_agrees_with_itself_and_not_with_others(threshold, x64):
    a, b = ({"x": random.normal(size=(3, 3, 8, 30)), "y": random.normal(size=(30, 20))} for _ in range(2))
    assert singular_vector_alignment(a, a, threshold=threshold) == pytest.approx(1, abs=1e-10)
    assert abs(singular_vector_alignment(a, b, threshold=threshold)) < 0.2
    assert abs(singular_vector_alignment(a, b)) <= 1


def test_permutations_keep_singular_values_and_the_agreement_of_pairs(models, act, x64):
    case = models.CASES["cnn"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    # A flattened axis hides nothing: its rows are permuted.
    element = group.sample(jax.random.key(0))
    other = jax.tree.map(lambda leaf: random.normal(size=leaf.shape), case.variables)
    moved, moved_other = (act(group, element, each) for each in (case.variables, other))
    before, after = singular_value_profile(case.variables), singular_value_profile(moved)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-10)
    agreement = singular_vector_alignment(case.variables, other, threshold=0.3)
    assert singular_vector_alignment(moved, moved_other, threshold=0.3) == pytest.approx(float(agreement))


def test_kernels_are_matrices_to_outputs_and_other_leaves_are_left_out():
    tree = {"k": np.ones((3, 3, 2, 4), np.float32), "b": np.ones(4), "n": np.ones((2, 2), int)}
    assert {name: each.shape for name, each in kernel_matrices(tree).items()} == {"k": (18, 4)}


def test_input_energies_are_shares():
    kernel = jnp.asarray(random.normal(size=(2, 3, 6)), jnp.float32)
    z = jnp.asarray(random.normal(size=(5, 4, 6)), jnp.float32)
    energy = jax.jit(input_direction_energy)(kernel, z)
    assert energy.sum() == pytest.approx(1, abs=1e-5)
    leading = np.linalg.svd(kernel.reshape(6, 6))[0][:, 0]
    np.testing.assert_allclose(
        input_direction_energy(kernel, jnp.asarray(leading)[None]), np.eye(6)[0], atol=1e-5
    )
    np.testing.assert_array_equal(input_direction_energy(kernel, jnp.zeros((2, 6))), 0)
    gradient = jax.grad(lambda z: input_direction_energy(kernel, z)[0])(jnp.zeros((2, 6)))
    assert jnp.isfinite(gradient).all()


def test_they_compile_map_and_have_zero_gradients_by_weights():
    a, b = ({"w": jnp.asarray(random.normal(size=(2, 4, 3)), jnp.float32)} for _ in range(2))
    one = jax.jit(jax.vmap(singular_vector_alignment))(a, b)
    first = jax.tree.map(lambda x: x[0], (a, b))
    assert one[0] == pytest.approx(float(singular_vector_alignment(*first)), abs=1e-5)
    gradient = jax.grad(lambda a: singular_vector_alignment(a, first[1]))(first[0])
    np.testing.assert_array_equal(gradient["w"], 0)
    assert jnp.isfinite(singular_vector_alignment({"w": jnp.zeros((3, 3))}, {"w": jnp.zeros((3, 3))}))


def test_wrong_arguments_are_refused():
    w = {"w": np.ones((2, 2))}
    for threshold in (-0.1, 1.5, "high"):
        with pytest.raises(ValueError, match="threshold must be a number between 0 and 1"):
            singular_vector_alignment(w, w, threshold=threshold)
    with pytest.raises(ValueError, match="a and b must have the same weights"):
        singular_vector_alignment(w, {"w": np.ones((2, 3))})
    with pytest.raises(ValueError, match="at least one"):
        singular_vector_alignment({"b": np.ones(2)}, {"b": np.ones(2)})
    with pytest.raises(ValueError, match="kernel must have at least two axes"):
        input_direction_energy(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match=r"inputs must have shape \(..., f\), f=2"):
        input_direction_energy(np.ones((2, 2)), np.ones((5, 3)))
