import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import PermutationTensor, Regular, S, regular_permutation


def test_samples_of_s4_are_uniform():
    counts = {}
    for row in np.asarray(S(4).sample(jax.random.key(0), (24_000,))).tolist():
        counts[tuple(row)] = counts.get(tuple(row), 0) + 1
    assert len(counts) == 24
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 0.01


def test_conventions():
    g = jnp.array([2, 0, 1])  # 0 goes to 2, 1 to 0, 2 to 1
    np.testing.assert_array_equal(PermutationTensor(1).act(g, jnp.array([10, 20, 30])), [20, 30, 10])
    np.testing.assert_array_equal(S(3).matrix(g) @ jnp.array([10, 20, 30]), [20, 30, 10])
    np.testing.assert_array_equal(S(3).inverse(g), [1, 2, 0])


def test_elements_are_listed_in_lexicographic_order():
    np.testing.assert_array_equal(S(4).elements(), list(itertools.permutations(range(4))))


def test_regular_permutation_numbers_products():
    group = S(4)
    elements = np.asarray(group.elements())
    number = {tuple(row): i for i, row in enumerate(elements.tolist())}
    table = regular_permutation(group.elements())
    for i, g in enumerate(elements):
        expected = [number[tuple(g[h].tolist())] for h in elements]
        np.testing.assert_array_equal(table[i], expected)


def test_large_groups_refuse_to_list_but_sample():
    group = S(30)
    with pytest.raises(ValueError, match=r"at most 500000 elements, S\(30\) has 26525285"):
        group.elements()
    with pytest.raises(ValueError, match="at most 9 points for Regular, got 30 points"):
        Regular().shape(group)
    np.testing.assert_array_equal(jnp.sort(group.sample(jax.random.key(0))), jnp.arange(30))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="n must be a number of at least 1, got 0"):
        S(0)
    with pytest.raises(TypeError, match=r"S\(3\), with integer arrays, got dtype float32"):
        S(3).inverse(jnp.zeros(3))
    with pytest.raises(ValueError, match=r"h must be an element of S\(3\), .* got \(4,\)"):
        S(3).compose(jnp.arange(3), jnp.arange(4))
