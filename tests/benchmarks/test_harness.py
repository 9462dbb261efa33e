"""The harness of the benchmark: what it compares, times, judges and reports."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import chosen, main
from benchmarks.agree import difference
from benchmarks.measure import ProcessError, call, interleave, run_process, single
from benchmarks.report import as_data, as_markdown, duration
from benchmarks.row import (
    AbsentError,
    Bench,
    Contestant,
    Ready,
    Result,
    Row,
    Sample,
    Target,
    at_most_times,
    quantile,
    times_as_fast,
)
from benchmarks.rows import ROWS
from benchmarks.runner import failed_badly, judge, run_row

FACTS = {"date": "d", "commit": "c", "photochrom": "0", "processor": "p", "cores": 2, "memory_gib": 1, "system": "s",
         "python": "3", "packages": {}, "commands": {}, "threads": {}, "load_average_before": []}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(True, tmp_path, tmp_path, (sys.executable,), (sys.executable, "-m", "photochrom.cli.main"))


def giving(name: str, value: float, **more: object) -> Contestant:
    return Contestant(name, lambda bench: call(lambda: np.full((2, 3), value)), **more)   # type: ignore[arg-type]


def taking(seconds: float) -> Result:
    return Result((Sample(seconds), Sample(seconds * 3), Sample(seconds / 2)))


def absent(bench: Bench) -> Ready:
    raise AbsentError("not installed")


def test_agreeing_results_are_timed(bench):
    outcome = run_row(Row("r", "", (giving("a", 1.0), giving("b", 1.001)), tolerance=0.01), bench)
    assert outcome.state == "timed"
    assert set(outcome.results) == {"a", "b"}
    assert outcome.agreements[0].difference == pytest.approx(0.001)


def test_disagreeing_results_are_said_and_not_timed(bench):
    row = Row("r", "", (giving("a", 1.0), giving("b", 2.0)), (times_as_fast("b", 1, ours="a"),), tolerance=0.01)
    outcome = run_row(row, bench)
    assert outcome.state == "disagrees"
    assert not outcome.results
    assert failed_badly([outcome])
    assert "the results disagree: not timed" in as_markdown([outcome], FACTS, False)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_a_number_disagrees(bench, value):
    outcome = run_row(Row("r", "", (giving("a", 1.0), giving("b", value)), tolerance=1e9), bench)
    assert outcome.state == "disagrees"


def test_an_absent_peer_is_skipped_and_said(bench):
    row = Row("r", "", (giving("a", 1.0), Contestant("b", absent)), (times_as_fast("b", 2, ours="a"),))
    outcome = run_row(row, bench)
    assert outcome.state == "timed"
    assert outcome.verdicts[0].met is None
    assert "b was left out (not installed)" in as_markdown([outcome], FACTS, False)


def test_a_broken_row_does_not_cost_the_others(bench):
    def broken(bench: Bench) -> Ready:
        raise ValueError("no\nway")

    outcome = run_row(Row("r", "", (Contestant("a", broken),)), bench)
    assert (outcome.state, outcome.reason) == ("failed", "ValueError: no way")


def test_a_truth_is_compared_but_not_timed(bench):
    row = Row("r", "", (giving("truth", 1.0, timed=False), giving("a", 1.0)))
    outcome = run_row(row, bench)
    assert set(outcome.results) == {"a"}
    assert outcome.agreements[0].holds


def test_repetitions_are_interleaved():
    order: list[str] = []
    ready = {name: call(lambda name=name: order.append(name)) for name in "abc"}
    results = interleave(ready, rounds=2, warm=1)
    assert "".join(order) == "cba" + "abc" + "cba"
    assert len(results["a"].samples) == 2


def test_targets_are_judged_by_medians():
    times = {"ours": taking(1.0), "peer": taking(2.5)}
    verdicts = judge((times_as_fast("peer", 2, ours="ours"), times_as_fast("peer", 3, ours="ours"),
                      at_most_times("ours", 0.5, "peer"), times_as_fast(("peer", "missing"), 2, ours="ours"),
                      Target("shown", lambda t: t["ours"].median)), times)
    assert [verdict.met for verdict in verdicts] == [True, False, True, True, None]
    assert verdicts[0].reached == 2.5


def test_differences():
    one = np.arange(12, dtype=np.uint8).reshape(3, 4)
    other = one.copy()
    other[0, 0] = 6
    assert difference(one, other) == 6
    assert difference(one, other, "mean") == 0.5
    assert difference(one, one[:2]) == float("inf")
    assert difference({"a": one}, {"b": one}) == float("inf")
    assert difference({"a": one}, {"a": other}) == 6


def test_processes_are_measured_with_their_memory():
    small = run_process([sys.executable, "-c", "pass"])
    large = run_process([sys.executable, "-c", "x = bytes(range(256)) * 400000"])
    assert large.peak - small.peak > 90_000_000
    assert small.peak < 60_000_000, "the peak of the benchmark itself must not count"
    assert 0 < small.seconds < 30


def test_what_takes_minutes_is_run_once(bench):
    runs = []

    def function():
        runs.append(1)
        return np.zeros(2)

    both = tuple(Contestant(name, lambda bench: single(function)) for name in "ab")
    row = Row("r", "", both, rounds=1, warm=0)
    outcome = run_row(row, bench)
    assert outcome.state == "timed"
    assert len(runs) == 2
    assert all(len(result.samples) == 1 for result in outcome.results.values())


def test_a_failing_process_is_said():
    with pytest.raises(ProcessError, match="ended with 3: too bad"):
        run_process([sys.executable, "-c", "import sys; print('too bad'); sys.exit(3)"])


def test_report_is_plain_data_and_does_not_judge_a_quick_run():
    row = Row("r", "")
    from benchmarks.runner import Outcome, Verdict

    outcome = Outcome(row, results={"a": taking(0.01)}, verdicts=[Verdict("t", 1.0, 2.0, False)])
    assert as_data([outcome], FACTS, False)["rows"][0]["targets"][0]["met"] is False
    assert as_data([outcome], FACTS, True)["rows"][0]["targets"][0]["met"] is None
    assert "**missed**" in as_markdown([outcome], FACTS, False)
    assert "**missed**" not in as_markdown([outcome], FACTS, True)


def test_numbers_for_people():
    assert quantile([4.0, 1.0, 2.0, 3.0], 0.5) == 2.5
    assert (duration(2), duration(0.0125)) == ("2.00 s", "12.5 ms")


def test_the_rows_are_sound(capsys):
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    for row in ROWS:
        contestants = [contestant.name for contestant in row.contestants]
        assert len(set(contestants)) == len(contestants)
        assert bool(contestants) != bool(row.checks)
        assert all(contestant.against in ("", None, *contestants) for contestant in row.contestants)
    assert [row.name for row in chosen(ROWS, "gaussian*")] == ["gaussian-2", "gaussian-5", "gaussian-20"]
    assert main(["--list"]) == 0
    assert all(name in capsys.readouterr().out for name in names[:1])
    assert main(["--rows", "nothing-of-the-kind"]) == 2


def test_the_picture_is_the_same_every_time():
    pytest.importorskip("skimage")
    from benchmarks.picture import photograph, photograph8

    one = photograph(40, 60).copy()
    photograph.cache_clear()
    assert np.array_equal(one, photograph(40, 60))
    assert one.shape == (40, 60, 3)
    assert photograph8(40, 60).std() > 10
