from experiments.framework import publish


def test_the_page_of_experiments_is_fresh():
    assert publish.is_fresh(), "make it with: python -m experiments report"
