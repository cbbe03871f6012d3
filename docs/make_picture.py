"""Draw the picture of the README: what commutes with a symmetry, and what does not.

    python docs/make_picture.py          (writes docs/picture.png; about half a minute)

Two functions on the sphere are multiplied by `equijax.sphere.gaunt_product`, before and after a rotation and
reflection moves them; and a ReLU is applied to the components of one of them, before and after. Radius and
colour show the values; the errors in the picture are those of `equijax.equivariance.commutator`.
"""

import pathlib

import jax
import jax.numpy as jnp
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyArrowPatch

import equijax as ej

DEGREE = 3
PIXELS = 440
STEPS = 96
INK, RIGHT, WRONG = "#26323f", "#2c8c6b", "#c8423f"
VALUES = LinearSegmentedColormap.from_list("values", ["#12486b", "#3b8fb8", "#f4efe6", "#ee9460", "#b5302c"])


def main(path: pathlib.Path) -> None:
    """Compute, measure and draw."""
    keys = jax.random.split(jax.random.key(3), 3)
    x, y = (0.8 ** ej.sphere.degree_index(DEGREE) * jax.random.normal(key, (16,)) for key in keys[:2])
    g = -ej.groups.SO(3).sample(keys[2])
    in_rep, product_rep = signals(DEGREE), signals(2 * DEGREE)

    figure = plt.figure(figsize=(12.4, 5.6), facecolor="white")
    draw_inputs(figure, x, y, in_rep.act(g, x), in_rep.act(g, y))
    names = r"$g\,(x \cdot y)$", r"$g\,x \cdot g\,y$"
    product = ej.sphere.gaunt_product, g, (in_rep, in_rep), product_rep, (x, y)
    compare(figure, 0.400, "ej.sphere.gaunt_product", names, RIGHT, *product)
    names = r"$g\,\mathrm{relu}(x)$", r"$\mathrm{relu}(g\,x)$"
    relu = jax.nn.relu, g, (in_rep,), in_rep, (x,)
    compare(figure, 0.725, "jax.nn.relu, on components", names, WRONG, *relu)
    for left in (0.375, 0.695):
        figure.add_artist(plt.Line2D([left, left], [0.06, 0.95], color="#d9dde1", linewidth=1))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def signals(lmax: int) -> ej.groups.Irreps:
    """How the coefficients of a function on the sphere transform."""
    return ej.groups.Irreps("+".join(f"{l}y" for l in range(lmax + 1)))


def draw_inputs(figure, x, y, moved_x, moved_y) -> None:
    """The left part: two functions, and how the group element moves them."""
    note(figure, 0.187, 0.945, "two functions on the sphere")
    for bottom, pair, names in (
        (0.50, (x, y), ("$x$", "$y$")),
        (0.03, (moved_x, moved_y), (r"$g\,x$", r"$g\,y$")),
    ):
        for left, function, name in zip((0.015, 0.19), pair, names, strict=True):
            draw(figure, (left, bottom), function)
            note(figure, left + 0.02, bottom + 0.34, name, size=15)
    style = {"arrowstyle": "-|>", "mutation_scale": 18, "color": INK, "linewidth": 1.6}
    figure.add_artist(FancyArrowPatch((0.187, 0.53), (0.187, 0.42), transform=figure.transFigure, **style))
    note(figure, 0.20, 0.475, r"$g$: rotate and reflect", size=11, ha="left")


def compare(figure, left: float, title: str, names, colour: str, f, g, in_reps, out_rep, args) -> None:
    """One part: a map and then the group element above, the group element and then the map below."""
    output = f(*args)
    difference = ej.equivariance.commutator(f, g, in_reps, out_rep, args)
    relative = float(jnp.linalg.norm(difference) / jnp.linalg.norm(output))
    draw(figure, (left, 0.50), out_rep.act(g, output))
    draw(figure, (left, 0.03), f(*ej.groups.act(in_reps, g, args)))
    note(figure, left + 0.135, 0.945, title, family="monospace")
    for bottom, name, order in zip((0.50, 0.03), names, ("map,\nthen move", "move,\nthen map"), strict=True):
        note(figure, left + 0.225, bottom + 0.24, name, size=14)
        note(figure, left + 0.225, bottom + 0.14, order, size=10.5, color="#6b7683")
    sign, verdict = ("=", "equal") if relative < 1e-9 else ("≠", "not equal")
    note(figure, left + 0.085, 0.475, sign, size=26, color=colour, weight="bold")
    note(
        figure, left + 0.115, 0.475, f"{verdict}: error {written(relative)}", size=12, color=colour, ha="left"
    )


def written(number: float) -> str:
    """A number with two decimals, or a small one as a power of ten."""
    mantissa, exponent = f"{number:.0e}".split("e")
    return f"{number:.2f}" if number > 0.01 else rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def note(figure, x: float, y: float, text: str, **style) -> None:
    """Text in figure coordinates, centred unless told otherwise."""
    figure.text(x, y, text, **{"color": INK, "size": 12.5, "ha": "center", "va": "center", **style})


def draw(figure, corner: tuple[float, float], coefficients) -> None:
    """Put the rendered surface of a function on the sphere into the figure."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((*corner, 0.18, 0.18 * width / height))
    axes.imshow(render(coefficients))
    axes.axis("off")


def render(coefficients) -> np.ndarray:
    """An RGBA image of the surface whose radius and colour are the values, seen from the positive z axis."""
    values = ej.sphere.to_grid(coefficients, ej.sphere.SphereGrid("gauss_legendre", 60))
    coefficients = coefficients / jnp.abs(values).max()
    line = jnp.linspace(-1.02, 1.02, PIXELS)
    points, hit = trace(coefficients, jnp.stack(jnp.meshgrid(line, -line), -1).reshape(-1, 2))
    colour = VALUES(np.asarray(0.5 + 0.5 * value(coefficients, points)))[:, :3]
    normals = jax.vmap(jax.grad(inside, argnums=1), (None, 0))(coefficients, points)
    normals /= jnp.linalg.norm(normals, axis=-1, keepdims=True)
    light, half = (
        vector / np.linalg.norm(vector) for vector in np.array([[-0.5, 0.7, 0.7], [-0.5, 0.7, 1.7]])
    )
    diffuse = np.clip(normals @ light, 0, 1)[:, None]
    shine = np.clip(normals @ half, 0, 1)[:, None] ** 40
    shaded = np.clip(colour * (0.5 + 0.55 * diffuse) + 0.15 * shine, 0, 1)
    image = np.concatenate([shaded, np.asarray(hit, float)[:, None]], axis=-1).reshape(PIXELS, PIXELS, 4)
    # Averaging blocks of four pixels smooths the outline; colours count by their coverage.
    image[..., :3] *= image[..., 3:]
    image = image.reshape(PIXELS // 2, 2, PIXELS // 2, 2, 4).mean((1, 3))
    image[..., :3] /= np.maximum(image[..., 3:], 1e-9)
    return image


def value(coefficients, points):
    """Values of a function on the sphere in the directions of points."""
    lmax = ej.sphere.degree_of(coefficients.shape[-1])
    return ej.sphere.spherical_harmonics(lmax, points) @ coefficients


def inside(coefficients, points):
    """Negative inside the surface, of radius 0.4 where the function is zero and 1 where it is 1 or -1."""
    return jnp.linalg.norm(points, axis=-1) - 0.4 - 0.6 * value(coefficients, points) ** 2


@jax.jit
def trace(coefficients, pixels):
    """Where rays along the z axis first meet the surface, and which of them do.

    Args:
      coefficients: of the function, shape ``(k,)``.
      pixels: x and y of the rays, shape ``(p, 2)``.

    Returns:
      Points ``(p, 3)`` and a mask ``(p,)``.
    """

    def at(depth):
        return jnp.concatenate([pixels, jnp.broadcast_to(depth, pixels.shape[:-1])[:, None]], axis=-1)

    depths = jnp.linspace(1.02, -1.02, STEPS)
    found = jax.lax.map(lambda depth: inside(coefficients, at(depth)) < 0, depths)
    first = jnp.argmax(found, axis=0)
    near, far = depths[jnp.maximum(first - 1, 0)], depths[first]

    def halve(_, bounds):
        near, far = bounds
        middle = (near + far) / 2
        within = inside(coefficients, at(middle)) < 0
        return jnp.where(within, near, middle), jnp.where(within, middle, far)

    near, far = jax.lax.fori_loop(0, 25, halve, (near, far))
    return at(far), jnp.any(found, axis=0)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main(pathlib.Path(__file__).with_name("picture.png"))
