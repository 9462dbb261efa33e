"""Running one row: set up, compare, and only then take the time."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.agree import Agreement, difference
from benchmarks.measure import interleave
from benchmarks.row import AbsentError, Bench, Ready, Result, Row, Target

Say = Callable[[str], None]
State = Literal["timed", "compared", "disagrees", "failed"]


@dataclass(frozen=True)
class Verdict:
    """A target beside what was reached."""

    target: str
    reached: float | None
    limit: float | None
    met: bool | None
    """None where nothing is asked, or where a contestant that the target names is absent."""
    unit: str = "×"


@dataclass
class Outcome:
    """Everything that came of a row."""

    row: Row
    state: State = "timed"
    reason: str = ""
    absent: dict[str, str] = field(default_factory=dict)
    agreements: list[Agreement] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)


def run_row(row: Row, bench: Bench, say: Say = lambda sentence: None) -> Outcome:
    """Run a row.

    Args:
        row: what to run.
        bench: sizes, folders and commands.
        say: told what goes on.

    Returns:
        What came of it. A row whose results disagree is not timed; an error is recorded, never raised.
    """
    outcome = Outcome(row)
    try:
        if row.checks is not None:
            outcome.agreements = [Agreement(name, found, row.tolerance, row.measure, row.unit)
                                  for name, found in row.checks(bench)]
            outcome.state = "compared" if all(check.holds for check in outcome.agreements) else "disagrees"
        else:
            _run_contestants(outcome, bench, say)
    except Exception as error:   # one row that breaks must not cost the others
        outcome.state, outcome.reason = "failed", " ".join(f"{type(error).__name__}: {error}".split())
        say(f"  failed: {outcome.reason}")
    gc.collect()
    return outcome


def judge(targets: tuple[Target, ...], results: dict[str, Result]) -> list[Verdict]:
    """Hold each target against the times."""
    verdicts = []
    for target in targets:
        try:
            value = target.value(results)
            limit = target.limit(results)
        except KeyError:
            value = limit = None
        met = None if value is None or limit is None else target.met(value, limit)
        verdicts.append(Verdict(target.text, value, limit, met, target.unit))
    return verdicts


def _run_contestants(outcome: Outcome, bench: Bench, say: Say) -> None:
    row, ready = outcome.row, {}
    for contestant in row.contestants:
        try:
            ready[contestant.name] = contestant.prepare(bench)
        except (AbsentError, ModuleNotFoundError) as missing:
            outcome.absent[contestant.name] = str(missing)
            say(f"  {contestant.name} is not here: {missing}")
    if not ready:
        outcome.state, outcome.reason = "failed", "none of its contestants is installed"
        return
    outcome.agreements = _compare(row, ready)
    for check in outcome.agreements:
        say(f"  {check.name}: {check.measure} difference {check.difference:.3g} {check.unit}, "
            f"allowed {check.tolerance:g}{'' if check.holds else ' - DISAGREES'}")
    if not all(check.holds for check in outcome.agreements):
        outcome.state = "disagrees"
        return
    rounds = min(row.rounds, 3) if bench.quick else row.rounds
    timed = {contestant.name: ready[contestant.name] for contestant in row.contestants
             if contestant.timed and contestant.name in ready}
    outcome.results = interleave(timed, rounds, row.warm)
    outcome.verdicts = judge(row.targets, outcome.results)
    for name, result in outcome.results.items():
        say(f"  {name}: {result.median:.4g} s")


def _compare(row: Row, ready: dict[str, Ready]) -> list[Agreement]:
    """Compare each contestant's result with the one it is to equal; results are made once and let go early."""
    made: dict[str, Any] = {}
    wanted: dict[str, str] = {}
    for contestant in row.contestants:
        other = contestant.against if contestant.against != "" else row.contestants[0].name
        if other is not None and other != contestant.name and contestant.name in ready and other in ready:
            wanted[contestant.name] = other
    checks = []
    for contestant in row.contestants:
        if contestant.name not in wanted:
            continue
        other = wanted[contestant.name]
        if other not in made:
            made[other] = _result(ready[other], other)
        apart = difference(made[other], _result(ready[contestant.name], contestant.name), row.measure)
        allowed = row.tolerance if contestant.tolerance is None else contestant.tolerance
        checks.append(Agreement(f"{contestant.name} with {other}", apart, allowed, row.measure, row.unit))
    return checks


def _result(ready: Ready, name: str) -> Any:
    if ready.result is None:
        raise TypeError(f"{name} is to be compared but has no result")
    return ready.result()


def failed_badly(outcomes: list[Outcome]) -> bool:
    """Tell whether any row broke or disagreed; a missed target is a finding, not an error."""
    return any(outcome.state in ("failed", "disagrees") for outcome in outcomes)
