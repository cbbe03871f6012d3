import gzip
import os

import numpy as np
import pytest

import equijax as ej
from equijax.data import DataError, images, registry, store

needs_files = pytest.mark.skipif(not os.environ.get("EQUIJAX_DATA"), reason="EQUIJAX_DATA is not set")


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """A folder with files in the two formats, three and two images, and their entries."""
    random = np.random.default_rng(0)
    grey = random.integers(0, 256, (3, 28, 28))
    lines = random.uniform(-1, 1, (2, 256)).round(3)
    contents = {
        "mnist_t10k": {"images": idx(grey), "labels": idx(np.array([7, 0, 9]))},
        "usps": {"test": "\n".join(" ".join(map(str, [i, *row])) for i, row in enumerate(lines)).encode()},
    }
    for name, parts in contents.items():
        files = {}
        for part, content in parts.items():
            path = tmp_path / registry.ENTRIES[name].files[part].path
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress(content))
            files[part] = registry.ENTRIES[name].files[part]._replace(sha256=store.sha256(path))
        monkeypatch.setitem(registry.ENTRIES, name, registry.ENTRIES[name]._replace(files=files))
    monkeypatch.setenv("EQUIJAX_DATA", str(tmp_path))
    return grey, lines


def test_grey_values_and_labels(digits):
    grey, lines = digits
    loaded = ej.data.load("mnist_t10k")
    np.testing.assert_allclose(loaded.images, grey / 255, rtol=1e-6)
    np.testing.assert_array_equal(loaded.labels, [7, 0, 9])
    loaded = ej.data.load("usps")
    np.testing.assert_allclose(loaded.images.reshape(2, -1), (lines + 1) / 2, rtol=1e-5)
    np.testing.assert_array_equal(loaded.labels, [0, 1])


def test_what_is_no_idx_file_is_refused():
    whole = idx(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(images.parse_idx(whole), np.arange(6).reshape(2, 3))
    with pytest.raises(DataError, match=r"of shape \(2, 3\) must have as many bytes, got 5"):
        images.parse_idx(whole[:-1])
    with pytest.raises(DataError, match="must begin with 00 00 08, got 1f 8b 08"):
        images.parse_idx(gzip.compress(whole))


@needs_files
def test_real_digits():
    mnist, usps = ej.data.load("mnist_t10k"), ej.data.load("usps")
    assert mnist.images.shape == (10_000, 28, 28)
    assert usps.images.shape == (2007, 16, 16)
    for digits in (mnist, usps):
        assert digits.images.min() == 0
        assert digits.images.max() == 1
        assert set(digits.labels) == set(range(10))
    np.testing.assert_array_equal(mnist.labels[:10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
