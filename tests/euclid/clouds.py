"""Clouds and functions on them for the tests of frames."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from equijax.equivariance import frame_average
from equijax.groups import Point, Trivial, Vector, act

CUBE = np.array([[i, j, k] for i in (-1.0, 1.0) for j in (-1.0, 1.0) for k in (-1.0, 1.0)])
TETRAHEDRON = CUBE[np.prod(CUBE, axis=1) > 0]
GENERIC = np.random.RandomState(0).randn(8, 3)
LINE = np.arange(8.0)[:, None] ** 1.5 * np.array([[0.3, -0.5, 0.7]])
FLAT = {
    "planar": GENERIC @ np.array([[1.0, 0.2, 0.3], [0.1, 0.9, -0.5], [1.1, 1.1, -0.2]]),
    "planar on axes": GENERIC * np.array([1.0, 0.0, 1.0]),
    "collinear": LINE,
    "collinear on an axis": np.arange(8.0)[:, None] * np.array([[0.0, 1.0, 0.0]]),
    "coincident": np.tile([[0.1, 0.7, -0.3]], (8, 1)),
    "at the origin": np.zeros((8, 3)),
}
SYMMETRIC = {
    "cube": CUBE,
    "tetrahedra": np.concatenate([TETRAHEDRON, 2 * TETRAHEDRON]),
    "square prism": CUBE * np.array([1.0, 1.0, 2.0]),
    "octagon": np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4), np.zeros(8)], 1),
}
OUT_REPS = {"points": Point(), "vector": Vector(), "scalar": Trivial()}


def perceptron(x):
    """A random perceptron with biases from a cloud to points, a vector and a scalar."""
    n, d = x.shape
    random, size = np.random.RandomState(5), n * d + d + 1
    w1, b1, w2, b2 = (
        random.randn(*shape).astype(x.dtype) for shape in ((n * d, 24), (24,), (24, size), (size,))
    )
    out = jnp.tanh(x.ravel() @ w1 / 2 + b1) @ w2 / 2 + b2
    return {"points": out[: n * d].reshape(n, d), "vector": out[n * d : -1], "scalar": out[-1]}


def tensor(x):
    """A random tensor of order 2 of a cloud."""
    return jnp.outer(perceptron(x)["vector"], jnp.arange(3.0))


def quick_jit(f):
    """``jax.jit`` with little optimization: these functions run a few times each."""
    return jax.jit(f, compiler_options={"xla_backend_optimization_level": 0})


@functools.lru_cache
def average(make, group, f=perceptron):
    """The compiled average of a function of a cloud over the frame ``make(x, group=group)``."""
    reps = OUT_REPS if f is perceptron else Vector() * Vector()
    return quick_jit(frame_average(f, functools.partial(make, group=group), (Point(),), reps))


def average_error(make, group, x, f=perceptron):
    """The largest entry of f(g x) - g f(x) for the average of f, over three random g."""
    averaged, x = average(make, group, f), jnp.asarray(x)
    reps = OUT_REPS if f is perceptron else Vector() * Vector()
    elements = group.sample(jax.random.key(11), (3,), x.dtype)
    output = averaged(x)
    errors = []
    for number in range(3):
        g = jax.tree.map(lambda leaf, number=number: leaf[number], elements)
        moved = averaged(Point().act(g, x))
        errors.append(jax.tree.map(lambda a, b: np.max(np.abs(a - b)), moved, act(reps, g, output)))
    return max(float(leaf) for leaf in jax.tree.leaves(errors))


def slopes(make, group, x, direction, steps):
    """Finite-difference slopes |f(x + h d) - f(x - h d)| / 2 h of the average of f, for each h."""
    averaged = average(make, group)

    def size(h):
        there, back = averaged(x + h * direction), averaged(x - h * direction)
        return float(np.sqrt(sum(np.sum((there[name] - back[name]) ** 2) for name in there))) / (2 * h)

    return [size(h) for h in steps]


def same_frames(group, first, second):
    """The largest distance from an element of one frame to the nearest of the other, both ways."""
    a, b = group.matrix(first.elements), group.matrix(second.elements)
    distances = jnp.max(jnp.abs(a[:, None] - b), axis=(-2, -1))
    return float(jnp.maximum(jnp.max(jnp.min(distances, 0)), jnp.max(jnp.min(distances, 1))))
