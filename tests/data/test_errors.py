import pytest

import equijax as ej


def test_one_except_clause_catches_every_data_error():
    assert issubclass(ej.data.DataUnavailableError, ej.data.DataError)
    assert issubclass(ej.data.DataError, ValueError)
    with pytest.raises(FileNotFoundError, match=r"^a\.xyz is not there$"):
        raise ej.data.DataUnavailableError("a.xyz is not there")
