"""Frame averaging as a module: any network made equivariant."""

from collections.abc import Callable
from typing import Any

import flax
import flax.linen as nn
import jax

from equijax.equivariance.frame_averaging import canonicalize, frame_mean
from equijax.groups.frame import Frame, sample_frame
from equijax.numerics import check


class FrameAveraged(nn.Module):
    """The average of a network over a frame of its input: ``x -> sum of w g module(g^-1 x)``.

    The network is called once, on all canonical forms together. Without batch axes of the frame, it is mapped
    over them by ``flax.linen.vmap``, and must not keep statistics. With batch axes, the forms lie along the
    first of these, which becomes as many times longer: the network sees inputs of the usual rank, and batch
    normalisation runs over the whole frame, as in the reference of Puny et al., ICLR 2022.

    In training, ``num_samples`` random elements may stand for the frame (Duval et al., ICML 2023), drawn from
    the random stream ``frame``; evaluation takes all of it, or also a sample.

    Attributes:
      module: the network, any Flax module.
      frame: ``frame(*args)`` gives the `equijax.groups.Frame` of the arguments, as for
        `equijax.equivariance.frame_average`.
      in_reps: signature of the arguments, a prefix of them (tuples and dictionaries, no lists).
      out_reps: signature of the output.
      num_samples: how many elements are drawn where the call is not deterministic; all are used if None.

    Example:
      >>> import jax.numpy as jnp
      >>> from equijax.euclid import pca_frame
      >>> from equijax.groups import SE, Point, Trivial
      >>> class Energy(nn.Module):
      ...     @nn.compact
      ...     def __call__(self, x):
      ...         return nn.Dense(1)(x.reshape(-1))[0]
      >>> model = FrameAveraged(Energy(), lambda x: pca_frame(x, group=SE(3)), (Point(),), Trivial())
      >>> model.init_with_output(jax.random.key(0), jnp.ones((4, 3)))[0].shape
      ()
    """

    module: nn.Module
    frame: Callable[..., Frame]
    in_reps: Any
    out_reps: Any
    num_samples: int | None = None

    @nn.compact
    def __call__(self, *args, deterministic: bool = True):
        """Apply the averaged network.

        Args:
          *args: arguments of the network. For a batch of frames, every array has the batch's leading axes.
          deterministic: whether the whole frame is used.

        Returns:
          What the network returns, averaged.

        Raises:
          TypeError: if ``frame`` returns no frame.
          ValueError: if a signature does not match, an array lacks the batch axes, or ``num_samples`` is
            below 1.
        """
        if self.num_samples is not None:
            check.count("num_samples", self.num_samples, 1)
        frame = self.frame(*args)
        check.instance("frame", frame, Frame)
        if self.num_samples is not None and not deterministic:
            frame = sample_frame(self.make_rng("frame"), frame, self.num_samples)
        # Flax freezes dictionaries that are attributes, and signatures have the structure of plain ones.
        in_reps, out_reps = flax.core.unfreeze(self.in_reps), flax.core.unfreeze(self.out_reps)
        forms = canonicalize(frame, in_reps, args)
        outputs = self._along_batch(forms) if frame.batch_shape else self._mapped(forms)
        return frame_mean(frame, out_reps, outputs)

    def _mapped(self, forms):
        """The network over single inputs, mapped over the forms."""
        mapped = nn.vmap(
            lambda module, *form: module(*form),
            variable_axes={"intermediates": 0, flax.core.DenyList("intermediates"): None},
            split_rngs={"params": False, flax.core.DenyList("params"): True},
        )
        return mapped(self.module, *forms)

    def _along_batch(self, forms):
        """The network over a batch, with the forms along its first axis."""
        m = jax.tree.leaves(forms)[0].shape[0]
        joined = jax.tree.map(lambda leaf: leaf.reshape(m * leaf.shape[1], *leaf.shape[2:]), forms)
        outputs = self.module(*joined)

        def split(leaf):
            return leaf.reshape(m, leaf.shape[0] // m, *leaf.shape[1:])

        return jax.tree.map(split, outputs)
