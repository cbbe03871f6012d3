"""What every group and every representation must satisfy, in double precision.

A new group joins by one line in ``PAIRS``.
"""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import (
    GL,
    SE,
    SL,
    SO,
    SU,
    Adjoint,
    Affine,
    Cyclic,
    Dihedral,
    E,
    FullLorentz,
    Homogeneous,
    Irreps,
    LieGroup,
    Lorentz,
    MatrixGroup,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    Pseudovector,
    Regular,
    S,
    Scaling,
    Sp,
    Spinor,
    Translation,
    Trivial,
    TrivialGroup,
    U,
    UnitQuaternions,
    Vector,
    linear_part,
)

PLANE = [Trivial(), Vector(), Pseudovector(), Pseudoscalar(), Point(), 2 * Vector() + Trivial()]
SPACE = [*PLANE, Irreps("2x0e+0o+1o+1e+2x2e+3o")]

SHEARS = MatrixGroup("SHEARS", algebra=[[[0, 1], [0, 0]]])
CUBE = MatrixGroup("CUBE", discrete=[[[0, -1, 0], [1, 0, 0], [0, 0, 1]], [[0, 0, 1], [1, 0, 0], [0, 1, 0]]])

PAIRS = {
    SO(2): [Vector(), Vector() * Vector(), Adjoint(SO(2))],
    O(2): PLANE,
    SO(3): [Vector(), Irreps("1e+2x2o+4e"), Adjoint(SO(3)), 2 * (Vector() * Vector())],
    O(3): [*SPACE, Irreps("1o") * (Vector() + Trivial())],
    SO(4): [Vector(), Adjoint(SO(4))],
    SE(2): [Point(), Vector(), Adjoint(SE(2))],
    SE(3): [Point(), Irreps("0o+1o+2e"), Adjoint(SE(3))],
    E(2): [Point(), Pseudoscalar(), Vector()],
    E(3): [*SPACE, Adjoint(E(3)), Adjoint(E(3)).dual()],
    Translation(3): [Point(), Vector(), Irreps("0e+1o"), Adjoint(Translation(3))],
    Scaling(2): [Point(), Vector(), Vector().dual(), Pseudoscalar(), Adjoint(Scaling(2))],
    Cyclic(5): [Trivial(), Vector(), Point(), PermutationTensor(1), PermutationTensor(2), Regular()],
    Dihedral(4): [Vector(), Pseudoscalar(), PermutationTensor(1), PermutationTensor(2), Regular()],
    S(4): [Trivial(), PermutationTensor(0), PermutationTensor(1), PermutationTensor(3), 3 * Regular()],
    TrivialGroup(): [Trivial(), Regular()],
    GL(2): [Vector(), Vector() * Vector().dual(), Pseudoscalar(), Point()],
    SL(2): [Vector().dual(), Adjoint(SL(2))],
    Affine(2): [Point(), Homogeneous(), Vector(), Adjoint(Affine(2))],
    Lorentz(): [Vector(), Vector() * Vector().dual()],
    FullLorentz(2): [Vector(), Pseudoscalar()],
    Sp(1): [Vector(), Adjoint(Sp(1))],
    U(2): [Vector(), Adjoint(U(2))],
    SU(2): [Vector() * Vector()],
    UnitQuaternions(): [Spinor(), Vector(), Irreps("1o+2e"), Spinor() * Vector()],
    SHEARS: [Vector(), Vector().dual()],
    CUBE: [Vector(), Pseudoscalar(), Irreps("0o+1e+2e")],
    S(3) * E(3): [
        Trivial(),
        PermutationTensor(1) @ Point(),
        PermutationTensor(2) @ Irreps("0e+1o"),
        PermutationTensor(1) @ (2 * Vector()) + Trivial() @ Pseudoscalar(),
        (PermutationTensor(1) @ Vector()).dual(),
        Adjoint(S(3) * E(3)),
    ],
    Cyclic(3) * S(3): [Regular() @ Regular(), Vector() @ PermutationTensor(2)],
    O(2) * Scaling(2) * Cyclic(4): [
        Vector() @ Vector().dual() @ PermutationTensor(1),
        Adjoint(O(2) * Scaling(2) * Cyclic(4)),
    ],
}
GROUPS = list(PAIRS)
LIE_GROUPS = [group for group in GROUPS if isinstance(group, LieGroup)]
CASES = [(group, representation) for group in GROUPS for representation in PAIRS[group]]
seeds = st.integers(0, 2**31 - 1)
pytestmark = pytest.mark.usefixtures("x64")

# These functions run a few times each, so compile time is all their cost.
quick_jit = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)


def close(a, b, tolerance=1e-10):
    a, b = jax.tree.leaves(a), jax.tree.leaves(b)
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, np.broadcast_to(y, np.shape(x)), rtol=tolerance, atol=tolerance)


def take(g, index):
    return jax.tree.map(lambda leaf: leaf[index], g)


def stack(*elements):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *elements)


@functools.lru_cache
def sampler(group):
    """Compiled once a group: draws the stack 1, g, h, g h, g^-1."""

    def draw(seed):
        g, h = (group.sample(key) for key in jax.random.split(jax.random.key(seed)))
        return stack(group.identity(), g, h, group.compose(g, h), group.inverse(g))

    return quick_jit(draw)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_group_axioms(group):
    @quick_jit
    def pairs(one_to_inverse, k):
        one, g, h, gh, inverse = (take(one_to_inverse, i) for i in range(5))
        both = group.compose(
            stack(one, g, g, inverse, g, gh), stack(g, one, inverse, g, group.compose(h, k), k)
        )
        matrices = group.matrix(one_to_inverse)
        return [
            (take(both, 0), g),
            (take(both, 1), g),
            (take(both, 2), one),
            (take(both, 3), one),
            (take(both, 4), take(both, 5)),
            (matrices[3], matrices[1] @ matrices[2]),
            (matrices[0], jnp.eye(matrices.shape[-1])),
            # Batch axes broadcast, and agree with vmap.
            (group.compose(g, one_to_inverse), jax.vmap(group.compose, (None, 0))(g, one_to_inverse)),
            (group.inverse(one_to_inverse), jax.vmap(group.inverse)(one_to_inverse)),
        ]

    @hypothesis.given(seeds)
    def run(seed):
        for left, right in pairs(sampler(group)(seed), take(sampler(group)(seed + 1), 1)):
            close(left, right)

    run()


@pytest.mark.parametrize(("group", "representation"), CASES, ids=repr)
def test_representation(group, representation):
    shape = representation.shape(group)
    assert len(shape) == representation.ndim

    def pairs(e, x):
        act = representation.act
        one = jnp.broadcast_to(act(e, x), (5, *shape))  # many elements on one array
        two = act(stack(take(e, 1), take(e, 4)), one[2:0:-1])
        yield one[0], x
        yield two, jnp.stack([one[3], x])
        yield jax.vmap(act, (0, None))(e, x), one
        many = jnp.stack([x, 2 * x, one[3]])  # one element on many arrays
        yield act(take(e, 1), many), jax.vmap(act, (None, 0))(take(e, 1), many)
        if representation.is_linear:
            m = representation.matrix(e)
            size = m.shape[-1]
            yield one.reshape(5, size), jnp.einsum("bij,j->bi", m, x.reshape(size))
            yield m[3], m[1] @ m[2]
            yield m[0], jnp.eye(size)
            yield m[4] @ m[1], jnp.eye(size)
            yield representation.dual().matrix(take(e, 1)), m[4].T

    compiled = quick_jit(lambda e, x: list(pairs(e, x)))

    @hypothesis.given(seeds)
    def run(seed):
        x = np.random.default_rng(seed).normal(size=shape)
        for left, right in compiled(sampler(group)(seed), x):
            close(left, right)

    run()


@pytest.mark.parametrize("group", LIE_GROUPS, ids=repr)
def test_lie_group(group):
    dim = group.algebra_dim
    basis = group.algebra_basis()

    def pairs(g, a):
        e = group.exp(jnp.stack([a, 2 * a, 3 * a, 0 * a, group.adjoint(g) @ a]))
        one = take(e, 0)
        yield group.log(one), a
        yield take(e, 3), group.identity()
        yield group.compose(one, take(e, 1)), take(e, 2)
        yield group.matrix(one), jax.scipy.linalg.expm(jnp.einsum("k,kij->ij", a, basis))
        yield take(e, 4), group.compose(g, group.compose(one, group.inverse(g)))

    compiled = quick_jit(lambda g, a: list(pairs(g, a)))

    @hypothesis.given(seeds)
    def run(seed):
        # Coordinates of up to 1 keep all rotation angles below pi.
        a = np.random.default_rng(seed).uniform(-1, 1, size=dim)
        for left, right in compiled(take(sampler(group)(seed), 1), a):
            close(left, right)

    run()


@pytest.mark.parametrize("group", LIE_GROUPS, ids=repr)
def test_derivatives_at_the_identity(group):
    dim = group.algebra_dim
    zero = jnp.zeros(dim)
    velocity = quick_jit(jax.jacfwd(lambda a: group.matrix(group.exp(a))))(zero)
    close(jnp.moveaxis(velocity, -1, 0), group.algebra_basis())
    close(quick_jit(jax.jacrev(lambda a: group.log(group.exp(a))))(zero), np.eye(dim))


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_values_print_compare_and_hash(group):
    names = {type(value).__name__: type(value) for value in GROUPS}
    names |= {
        cls.__name__: cls for cls in (Irreps, PermutationTensor, Point, Pseudoscalar, Pseudovector, Regular)
    }
    names |= {cls.__name__: cls for cls in (Trivial, Vector, Adjoint, Homogeneous, Spinor)}
    names |= {"SHEARS": SHEARS, "CUBE": CUBE}
    for value in (group, *PAIRS[group]):
        again = eval(repr(value), names)
        assert again == value
        assert hash(again) == hash(value)


@pytest.mark.parametrize("group", [group for group in GROUPS if group.is_finite], ids=repr)
def test_finite_groups_list_their_elements(group):
    elements = group.elements()
    matrices = np.asarray(group.matrix(elements)).round(6)
    assert {leaf.shape[0] for leaf in jax.tree.leaves(elements)} == {group.order}
    assert len(np.unique(matrices.reshape(group.order, -1), axis=0)) == group.order
    first = jax.tree.map(lambda leaf: leaf[0], elements)
    close(first, group.identity())


@pytest.mark.parametrize("group", [group for group in GROUPS if group.is_finite], ids=repr)
def test_discrete_generators_generate_finite_groups(group):
    generators = np.asarray(group.matrix(group.discrete_generators()))
    found, newest = set(), [np.eye(generators.shape[-1])]
    while newest:
        found |= {(matrix.round(6) + 0.0).tobytes() for matrix in newest}
        products = {(m.round(6) + 0.0).tobytes(): m for n in newest for m in n @ generators}
        newest = [matrix for code, matrix in products.items() if code not in found]
    assert len(found) == group.order


@pytest.mark.parametrize(
    "group", [group for group in LIE_GROUPS if group.linear_algebra() is not None], ids=repr
)
def test_linear_algebra_is_the_derivative_of_the_linear_part(group):
    moved = quick_jit(jax.jacfwd(lambda a: linear_part(group.exp(a))))(jnp.zeros(group.algebra_dim))
    close(jnp.moveaxis(moved, -1, 0), group.linear_algebra())


@pytest.mark.parametrize("group", [group for group in GROUPS if not group.is_finite], ids=repr)
def test_infinite_groups_refuse_to_list(group):
    with pytest.raises(ValueError, match="finite groups only"):
        group.elements()


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_elements_of_another_group_are_refused(group):
    other = jnp.zeros((7, 6))
    for call in (group.inverse, group.matrix, lambda g: group.compose(g, g)):
        with pytest.raises((TypeError, ValueError), match="g must be an element of"):
            call(other)
