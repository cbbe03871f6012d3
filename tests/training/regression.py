"""A small regression for the tests of training: a problem to import, and a program to be killed.

``python regression.py '{"workdir": ..., "out": ..., "num_steps": ...}'`` trains and writes the result to
``out``; ``sleep`` slows every batch down, so that there is time to kill it.
"""

import json
import sys
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej


class Problem(NamedTuple):
    params: dict
    arrays: dict
    loss_fn: object
    noisy_loss_fn: object
    batches: object


def predict(params, x):
    hidden = jnp.tanh(x @ params["hidden"]["kernel"] + params["hidden"]["bias"])
    return (hidden @ params["out"]["kernel"])[..., 0]


def loss_fn(params, batch, key):
    error = predict(params, batch["x"]) - batch["y"]
    return jnp.mean(error**2), {"mae": jnp.mean(jnp.abs(error))}


def noisy_loss_fn(params, batch, key):
    return loss_fn(params, {**batch, "x": batch["x"] + 0.1 * jax.random.normal(key, batch["x"].shape)}, key)


def problem(dtype=np.float32) -> Problem:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 3)).astype(dtype)
    arrays = {"x": x, "y": np.sin(x @ np.array([1.0, 2.0, -1.0], dtype))}
    hidden = {"kernel": rng.normal(size=(3, 8)).astype(dtype), "bias": np.zeros(8, dtype)}
    params = {"hidden": hidden, "out": {"kernel": rng.normal(size=(8, 1)).astype(dtype)}}
    batches = ej.training.ShuffledBatches(arrays, 32, jax.random.key(5))
    return Problem(params, arrays, loss_fn, noisy_loss_fn, batches)


def main():
    options = json.loads(sys.argv[1])
    ej.training.initialize_distributed()
    task = problem()

    def batches(step):
        time.sleep(options.get("sleep", 0.0))
        return task.batches(step)

    def evaluate(params):
        return {"rmse": jnp.sqrt(loss_fn(params, task.arrays, None)[0])}

    result = ej.training.fit(
        noisy_loss_fn if options.get("noisy", True) else loss_fn,
        task.params,
        optax.adam(1e-2),
        batches,
        num_steps=options["num_steps"],
        key=jax.random.key(1),
        workdir=options.get("workdir"),
        ema_decay=0.99,
        evaluate=jax.jit(evaluate),
        evaluate_every=50,
        monitor="rmse",
        checkpoint_every=options.get("checkpoint_every", 50),
        log_every=20,
        progress=options.get("progress", False),
    )
    kept = {"params": result.params, "ema": result.ema_params, "best": result.best_params}
    leaves = {name: np.asarray(leaf) for name, leaf in _named_leaves(kept).items()}
    rows = [{k: v for k, v in row.items() if "seconds" not in k} for row in result.history]
    np.savez(options["out"], history=json.dumps(rows), step=result.step, stop=result.interrupted, **leaves)


def _named_leaves(tree) -> dict:
    paths = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in paths}


if __name__ == "__main__":
    main()
