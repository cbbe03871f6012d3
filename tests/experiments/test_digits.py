import numpy as np
import pytest

from experiments.tasks.digits import load_digits


def test_all_digits_are_divided_once():
    digits, other = load_digits("scikit-learn", 360), load_digits("scikit-learn", 360, seed=1)
    assert digits.train.shape == (1437, 8, 8, 1)
    assert digits.train.dtype == np.float32
    assert (digits.train.min(), digits.train.max()) == (0, 1)
    assert sorted(np.concatenate([digits.train_labels, digits.test_labels])) == sorted(
        np.concatenate([other.train_labels, other.test_labels])
    )
    assert not np.array_equal(digits.test, other.test)
    images = np.concatenate([digits.train, digits.test]).reshape(1797, -1)
    assert len(np.unique(images, axis=0)) == 1797
    np.testing.assert_array_equal(load_digits("scikit-learn", 360).test, digits.test)


def test_wrong_requests_are_refused():
    with pytest.raises(ValueError, match="source must be one of"):
        load_digits("usps", 10)
    with pytest.raises(ValueError, match="num_test must be below 1797, got 1797"):
        load_digits("scikit-learn", 1797)
    with pytest.raises(ValueError, match="num_test must be a number of at least 1"):
        load_digits("scikit-learn", 0)
