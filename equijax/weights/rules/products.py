"""Matrix products and convolutions."""

from equijax.weights.factors import Free
from equijax.weights.nest import Link, Place, Traced
from equijax.weights.propagation import Propagation
from equijax.weights.registry import rule


@rule("dot_general")
def dot_general(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Tie what is contracted, and what is batched over; the other axes pass.

    Example:
      >>> import jax, numpy as np
      >>> walk, eye = Propagation(), np.eye(3)
      >>> a, b = walk.data((3, 3)), walk.data((3, 3))
      >>> _ = walk.run(jax.make_jaxpr(jax.numpy.matmul)(eye, eye), [a, b])
      >>> walk.factors.expand(a.axes[1]) == walk.factors.expand(b.axes[0])
      True
    """
    left, right = inputs
    (left_sum, right_sum), (left_batch, right_batch) = equation.params["dimension_numbers"]
    summed = [(Place(left, a), Place(right, b)) for a, b in zip(left_sum, right_sum, strict=True)]
    batch = [(Place(left, a), Place(right, b)) for a, b in zip(left_batch, right_batch, strict=True)]
    free = [(Place(left, a),) for a in range(len(left.axes)) if a not in (*left_sum, *left_batch)]
    free += [(Place(right, b),) for b in range(len(right.axes)) if b not in (*right_sum, *right_batch)]
    axes = [propagation.tie(*(p.array.axes[p.axis] for p in group)) for group in batch + free]
    for group in summed:
        propagation.tie(*(p.array.axes[p.axis] for p in group))
    output = propagation.array(axes)
    groups = summed + [(*group, Place(output, axis)) for axis, group in enumerate(batch + free)]
    links = propagation.links(*groups)
    return [propagation.record("dot_general", inputs, output, links, equation.params)]


@rule("conv_general_dilated")
def convolution(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Tie channels as in a matrix product, group by group; spatial axes are frozen.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> image, kernel = np.ones((1, 4, 5, 5)), np.ones((6, 4, 3, 3))
      >>> jaxpr = jax.make_jaxpr(lambda x, w: jax.lax.conv(x, w, (1, 1), "SAME"))(image, kernel)
      >>> x, w = walk.data(image.shape), walk.data(kernel.shape)
      >>> (y,) = walk.run(jaxpr, [x, w])
      >>> y.axes[1] == w.axes[0], walk.factors.expand(x.axes[1]) == walk.factors.expand(w.axes[1])
      (True, True)
    """
    (image, kernel), params = inputs, equation.params
    numbers = params["dimension_numbers"]
    image_spec, kernel_spec, out_spec = numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec
    shape = equation.outvars[0].aval.shape
    axes: list = [None] * len(shape)
    links, groups = [], []
    if params["batch_group_count"] > 1:
        propagation.freeze_all(inputs, "convolution in batch groups")
        axes = [propagation.axis(size, propagation.reason("convolution in batch groups")) for size in shape]
        output = propagation.array(axes)
        links = propagation.links(*(Place(output, axis) for axis in range(len(axes))))
        return [propagation.record("conv_general_dilated", inputs, output, links, params)]
    axes[out_spec[0]] = image.axes[image_spec[0]]
    channels, out_channels = _channels(propagation, image, kernel, params)
    axes[out_spec[1]] = out_channels
    pointwise = _pointwise(propagation, kernel, params)
    for a, b, c in zip(image_spec[2:], kernel_spec[2:], out_spec[2:], strict=True):
        if pointwise:
            axes[c] = image.axes[a]
            continue
        propagation.freeze(image, a, "spatial axis of a convolution")
        propagation.freeze(kernel, b, "spatial axis of a convolution")
        axes[c] = propagation.axis(shape[c], propagation.reason("spatial axis of a convolution"))
    output = propagation.array(axes)
    groups.append((Place(image, image_spec[0]), Place(output, out_spec[0])))
    for a, c in zip(image_spec[2:], out_spec[2:], strict=True):
        groups.append((Place(image, a), Place(output, c)) if pointwise else (Place(output, c),))
    links = [
        *propagation.links(*groups),
        *_channel_links(propagation, image, kernel, output, params, channels),
    ]
    return [propagation.record("conv_general_dilated", inputs, output, links, params)]


def _pointwise(propagation: Propagation, kernel: Traced, params) -> bool:
    """Whether every window is a single pixel, so that positions pass."""
    spatial = [
        propagation.factors.size(kernel.axes[axis]) for axis in params["dimension_numbers"].rhs_spec[2:]
    ]
    return (
        all(size == 1 for size in spatial)
        and all(stride == 1 for stride in params["window_strides"])
        and all(tuple(pad) == (0, 0) for pad in params["padding"])
        and all(dilation == 1 for dilation in params["lhs_dilation"])
    )


def _channels(propagation: Propagation, image: Traced, kernel: Traced, params):
    """Tie the channels; returns the axes (groups, inputs of a group, outputs of a group), and the outputs."""
    numbers, factors = params["dimension_numbers"], propagation.factors
    held = image.axes[numbers.lhs_spec[1]]
    inner, outer = kernel.axes[numbers.rhs_spec[1]], kernel.axes[numbers.rhs_spec[0]]
    count = params["feature_group_count"]
    if count == 1:
        propagation.tie(held, inner)
        return ((), inner, outer), outer
    inner = factors.new(inner.size) if isinstance(inner, Free) else inner
    group, each = factors.new(count), factors.new(factors.size(outer) // count)
    propagation.tie(held, group + inner)
    propagation.tie(group + each, outer)
    return (group, inner, each), group + each


def _channel_links(propagation: Propagation, image, kernel, output, params, channels) -> list[Link]:
    """The loop variables of the channels."""
    numbers, factors = params["dimension_numbers"], propagation.factors
    group, inner, each = channels
    if not group:
        summed = (Place(image, numbers.lhs_spec[1]), Place(kernel, numbers.rhs_spec[1]))
        made = (Place(kernel, numbers.rhs_spec[0]), Place(output, numbers.out_spec[1]))
        return list(propagation.links(summed, made))
    inputs, outputs = factors.size(inner), factors.size(each)
    wanted = [
        (group, (image, numbers.lhs_spec[1], 0, inputs)),
        (group, (kernel, numbers.rhs_spec[0], 0, outputs)),
        (group, (output, numbers.out_spec[1], 0, outputs)),
        (inner, (image, numbers.lhs_spec[1])),
        (inner, (kernel, numbers.rhs_spec[1])),
        (each, (kernel, numbers.rhs_spec[0])),
        (each, (output, numbers.out_spec[1])),
    ]
    links = []
    for axis in dict.fromkeys((group, inner, each)):
        places = [Place(*place) for each_axis, place in wanted if each_axis == axis]
        places = [place for place in places if not isinstance(place.array.axes[place.axis], Free)]
        if axis and places:
            links.append(Link(axis, tuple(places)))
    return links
