"""Threads: limits, ranges, errors, and results that do not depend on their number."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from photochrom.core.memory import empty
from photochrom.num import parallel
from photochrom.num.bands import box, gaussian_kernel, separable
from photochrom.num.parallel import limit_threads, parallel_rows, threads


@pytest.fixture
def four(monkeypatch):
    """Pretend to have four cores, with a pool of its own."""
    monkeypatch.setattr(parallel, "_cores", lambda: 4)
    monkeypatch.setattr(parallel, "_pool", None)


def covered(n: int, grain: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    parallel_rows(lambda a, b: seen.append((a, b)), 3, n, grain)
    return sorted(seen)


def test_ranges_cover_all_and_do_not_depend_on_the_threads(four):
    many = covered(100, 7)
    with limit_threads(1):
        assert covered(100, 7) == many
    assert many[0] == (3, 10)
    assert many[-1] == (94, 100)
    assert sum(b - a for a, b in many) == 97
    assert covered(3, 5) == []


def test_limits_nest_tighten_and_end(four):
    assert threads() == 4
    with limit_threads(3):
        with limit_threads(4):
            assert threads() == 3
        with limit_threads(1):
            assert threads() == 1
            assert torch.get_num_threads() == 1
        assert threads() == 3
    assert threads() == 4
    with pytest.raises(ValueError), limit_threads(0):
        pass


def test_the_main_thread_and_new_threads_keep_their_torch_setting(four):
    def fresh() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    main, new = torch.get_num_threads(), fresh()
    inside: list[int] = []
    barrier = threading.Barrier(4, timeout=20)

    def work(a: int, b: int) -> None:
        barrier.wait()  # all four workers at once
        inside.append(torch.get_num_threads() + 100 * threads())

    parallel_rows(work, 0, 4, 1)
    assert inside == [101] * 4
    assert (torch.get_num_threads(), fresh()) == (main, new)
    with limit_threads(1):
        assert fresh() == new
    assert (torch.get_num_threads(), fresh()) == (main, new)


def test_a_limit_bounds_the_workers(four):
    names = set()
    with limit_threads(2):
        parallel_rows(lambda a, b: (names.add(threading.get_ident()), torch.rand(1000).sum()), 0, 200, 1)
    assert len(names) <= 2
    with limit_threads(1):
        names.clear()
        parallel_rows(lambda a, b: names.add(threading.get_ident()), 0, 200, 1)
    assert names == {threading.get_ident()}


def test_errors_reach_the_caller(four):
    def work(a: int, b: int) -> None:
        if a == 5:
            raise KeyError("row")

    with pytest.raises(KeyError, match="row"):
        parallel_rows(work, 0, 50, 1)
    assert covered(10, 1)  # the pool lives on


def test_nested_use_does_not_wait_for_itself(four):
    seen = []

    def outer(a: int, b: int) -> None:
        parallel_rows(lambda c, d: seen.append((a, c)), 0, 5, 1)

    done = threading.Thread(target=lambda: parallel_rows(outer, 0, 40, 1), daemon=True)
    done.start()
    done.join(20)
    assert not done.is_alive()
    assert len(seen) == 200


def test_torch_inside_hands_a_single_range_to_a_worker(four):
    seen = []
    parallel_rows(
        lambda a, b: seen.append((threading.get_ident(), torch.get_num_threads())), 0, 1, 1, torch_inside=True
    )
    assert seen[0][0] != threading.get_ident()
    assert seen[0][1] == 1
    parallel_rows(lambda a, b: seen.append((a, b)), 0, 0, 1, torch_inside=True)
    assert len(seen) == 1


def test_results_do_not_depend_on_the_threads(four):
    x = torch.rand(1, 3, 500, 410)
    k = gaussian_kernel(4.0)
    calls = [
        lambda: separable(x, k, k, method="direct"),
        lambda: separable(x, k, k, method="products"),
        lambda: separable(x.double(), k, k),
        lambda: box(x, 9),
    ]
    many = [call() for call in calls]
    with limit_threads(1):
        assert all(torch.equal(call(), want) for call, want in zip(calls, many, strict=True))

    def alone(call):
        with limit_threads(1):
            return call()

    with ThreadPoolExecutor(4) as pool:  # as the engine runs several pictures at once
        assert all(torch.equal(a, b) for a, b in zip(pool.map(alone, calls), many, strict=True))


def test_empty_gives_the_asked_shape_small_and_large():
    assert empty((0, 3)).numel() == 0
    large = empty((3000, 1001), torch.float64).fill_(1)
    assert large.sum().item() == 3000 * 1001
