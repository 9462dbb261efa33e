"""The figures as JSON and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.row import quantile
from benchmarks.runner import Outcome, Verdict


def as_data(outcomes: list[Outcome], facts: dict[str, Any], quick: bool) -> dict[str, Any]:
    """Return everything as plain data, each repetition included."""
    return {
        "quick": quick, "machine": facts,
        "rows": [{
            "name": outcome.row.name, "about": outcome.row.about, "state": outcome.state, "reason": outcome.reason,
            "absent": outcome.absent,
            "agreements": [{"name": check.name, "measure": check.measure, "difference": _finite(check.difference),
                            "tolerance": check.tolerance, "unit": check.unit, "holds": check.holds}
                           for check in outcome.agreements],
            "times": {name: {"median": result.median, "min": min(result.seconds), "max": max(result.seconds),
                             "quartiles": [quantile(result.seconds, 0.25), quantile(result.seconds, 0.75)],
                             "seconds": result.seconds, "peak_bytes": result.peak or None,
                             "cpu_seconds": [sample.cpu for sample in result.samples] if result.peak else None}
                      for name, result in outcome.results.items()},
            "targets": [{"target": verdict.target, "reached": verdict.reached, "limit": verdict.limit,
                         "unit": verdict.unit, "met": None if quick else verdict.met} for verdict in outcome.verdicts],
        } for outcome in outcomes],
    }


def as_markdown(outcomes: list[Outcome], facts: dict[str, Any], quick: bool) -> str:
    """Return the report for people."""
    parts = ["# Benchmark", ""]
    if quick:
        parts += ["**A quick run: small pictures, few repetitions. It shows that the harness works; the targets are "
                  "meant for the full sizes and are not judged.**", ""]
    parts += [f"- {line}" for line in _facts(facts)]
    parts += ["", "## Targets", "",
              *_table(("row", "target", "reached", "verdict"), _target_lines(outcomes, quick)),
              "", "## Times", "", "Medians of interleaved repetitions; the spread is least to greatest. "
              "Relative: the median divided by that of the row's first contestant.", "",
              *_table(("row", "contestant", "median", "spread", "relative", "peak memory"), _time_lines(outcomes)),
              "", "## Agreement of the results, checked before any timing", "",
              *_table(("row", "compared", "difference", "allowed", "verdict"), _agreement_lines(outcomes)), ""]
    notes = [f"- {outcome.row.name}: {note}" for outcome in outcomes for note in outcome.row.notes]
    absent = [f"- {outcome.row.name}: {name} was left out ({why})"
              for outcome in outcomes for name, why in outcome.absent.items()]
    for title, lines in (("Notes", notes), ("Left out", absent)):
        parts += [f"## {title}", "", *lines, ""] if lines else []
    return "\n".join(parts)


def write(folder: Path, outcomes: list[Outcome], facts: dict[str, Any], quick: bool) -> tuple[Path, Path]:
    """Write both forms into a folder and return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "quick" if quick else "benchmark"
    data, text = folder / f"{stem}.json", folder / f"{stem}.md"
    data.write_text(json.dumps(as_data(outcomes, facts, quick), indent=1) + "\n")
    text.write_text(as_markdown(outcomes, facts, quick))
    return data, text


def _facts(facts: dict[str, Any]) -> list[str]:
    def listed(values: dict[str, Any]) -> str:
        return ", ".join(f"{name} {value}" for name, value in values.items())

    return [f"{facts['date']}, commit {facts['commit']}, photochrom {facts['photochrom']}",
            f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, {facts['system']}",
            f"Python {facts['python']}; {listed(facts['packages'])}",
            f"commands: {listed(facts['commands']) or 'none'}",
            f"threads: {listed(facts['threads'])}",
            f"load average before {facts['load_average_before']}, after {facts.get('load_average_after', [])}"]


def _target_lines(outcomes: list[Outcome], quick: bool) -> Iterable[tuple[str, ...]]:
    for outcome in outcomes:
        name = outcome.row.name
        if outcome.state in ("failed", "disagrees") and outcome.row.checks is None:
            reason = outcome.reason if outcome.state == "failed" else "the results disagree: not timed"
            for target in outcome.row.targets:
                yield name, target.text, "-", f"**{outcome.state}**: {reason}"
            if not outcome.row.targets:
                yield name, "(none)", "-", f"**{outcome.state}**: {reason}"
        elif outcome.row.checks is not None:
            worst = max((check.difference for check in outcome.agreements), default=float("nan"))
            shown = f"{worst:.2g}" if outcome.agreements else "-"
            word = {"compared": "met", "disagrees": "**missed**"}.get(outcome.state, f"**failed**: {outcome.reason}")
            yield name, f"greatest error ≤ {outcome.row.tolerance:g}", shown, word
        for verdict in outcome.verdicts:
            yield name, verdict.target, _reached(verdict), "quick run: not judged" if quick else _word(verdict)


def _reached(verdict: Verdict) -> str:
    if verdict.reached is None:
        return "-"
    limit = f" (limit {verdict.limit:.2f})" if verdict.limit is not None and verdict.unit == "s" else ""
    return f"{verdict.reached:.3g} {verdict.unit}{limit}"


def _word(verdict: Verdict) -> str:
    if verdict.met is None:
        return "a contestant is absent" if verdict.reached is None else "for information"
    return "met" if verdict.met else "**missed**"


def _time_lines(outcomes: list[Outcome]) -> Iterable[tuple[str, ...]]:
    for outcome in outcomes:
        first = next(iter(outcome.results.values()), None)
        for name, result in outcome.results.items():
            assert first is not None
            peak = f"{result.peak / 2**20:.0f} MiB" if result.peak else ""
            spread = f"{duration(min(result.seconds))} - {duration(max(result.seconds))}"
            yield (outcome.row.name, name, duration(result.median), spread,
                   f"{result.median / first.median:.2f}", peak)


def _agreement_lines(outcomes: list[Outcome]) -> Iterable[tuple[str, ...]]:
    for outcome in outcomes:
        for check in outcome.agreements:
            yield (outcome.row.name, check.name, f"{check.measure} {check.difference:.2g} {check.unit}",
                   f"{check.tolerance:g}", "agrees" if check.holds else "**disagrees**")


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> list[str]:
    found = [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
    if not found:
        return ["(nothing)"]
    return [f"| {' | '.join(head)} |", "|" + " --- |" * len(head), *found]


def duration(seconds: float) -> str:
    """Write a time for people.

    Example:
        >>> duration(0.0125)
        '12.5 ms'
    """
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _finite(value: float) -> float | str:
    return value if abs(value) < float("inf") else str(value)
