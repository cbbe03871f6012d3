import threading

import numpy as np
import threadpoolctl

from equijax.weights.matching.threads import one_thread_a_product, workers


def blas_threads():
    return [each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]


def test_small_products_run_on_one_thread_and_the_setting_comes_back():
    np.eye(2) @ np.eye(2)
    before = blas_threads()
    with one_thread_a_product(64):
        assert set(blas_threads()) <= {1}
    assert blas_threads() == before
    with one_thread_a_product(4096):
        assert blas_threads() == before


def test_large_assignments_have_threads_and_results_keep_their_order():
    for size, in_threads in ((8, False), (512, True)):
        with workers(size) as run:
            names = list(run(lambda i: (i, threading.current_thread() is threading.main_thread()), range(8)))
        assert [number for number, _ in names] == list(range(8))
        assert all(main != in_threads for _, main in names)
