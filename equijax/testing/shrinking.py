"""Making the arrays of a counterexample simpler, entry by entry, after Hypothesis has found one."""

import numpy as np

_MOST_TRIALS = 300


def simplify(leaves: list, is_drawn: list[bool], still_fails, *, zeros: bool) -> list:
    """Replace entries by zeros and by numbers with fewer digits as long as a property still fails.

    Args:
      leaves: arrays.
      is_drawn: which of them may change.
      still_fails: a function of a list of arrays.
      zeros: whether to try zeros, first for whole arrays and rows, then for entries.

    Returns:
      Arrays for which ``still_fails`` holds if it did for ``leaves``; after at most 300 calls.

    Example:
      >>> simplify([np.array([0.31, 2.75, 0.4])], [True], lambda leaves: leaves[0][1] > 1, zeros=True)
      [array([0., 3., 0.])]
    """
    leaves, trials = list(leaves), _MOST_TRIALS
    for number in np.flatnonzero(is_drawn):
        for place, simpler in _proposals(np.asarray(leaves[number]), zeros):
            current = np.asarray(leaves[number])
            if np.array_equal(simpler(current[place]), current[place]):
                continue
            if trials == 0:
                return leaves
            trials -= 1
            changed = current.copy()
            changed[place] = simpler(current[place])
            attempt = [*leaves[:number], changed, *leaves[number + 1 :]]
            if still_fails(attempt):
                leaves = attempt
    return leaves


def _proposals(array: np.ndarray, zeros: bool):
    """Pairs of an index and a simplification to try there, from coarse to fine."""
    rows = list(np.ndindex(array.shape[:-1])) if array.ndim > 1 else []
    entries = list(np.ndindex(array.shape))
    if zeros:
        for place in [..., *rows, *entries]:
            yield place, np.zeros_like
    for place in [..., *rows, *entries]:
        yield place, np.round
    for place in [..., *entries]:
        yield place, lambda part: np.round(part, 1)
