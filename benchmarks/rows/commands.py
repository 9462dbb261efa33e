"""How long one waits for the help and for the import."""

from __future__ import annotations

from benchmarks.measure import process
from benchmarks.row import Bench, Contestant, Ready, Row, Target, Times


def _python(name: str, code: str) -> Contestant:
    return Contestant(name, lambda bench: process([*bench.python, "-c", code]), against=None)


def _help(bench: Bench) -> Ready:
    return process([*bench.command, "--help"])


def _help_bound(times: Times) -> float:
    return max(0.35, 4 * times["import typer"].median)


def _import_alone(times: Times) -> float:
    return times["import photochrom"].median - times["python alone"].median


ROWS = (
    Row(name="help", about="photochrom --help, a whole process",
        contestants=(Contestant("photochrom --help", _help, against=None), _python("import typer", "import typer"),
                     _python("python alone", "pass")),
        targets=(Target("photochrom --help ≤ max(0.35 s, 4 × import typer)",
                        lambda times: times["photochrom --help"].median, _help_bound, "<=", "s"),)),
    Row(name="import", about="import photochrom, a whole process",
        contestants=(_python("import photochrom", "import photochrom"), _python("python alone", "pass")),
        targets=(Target("import photochrom < 0.2 s, starting Python included",
                        lambda times: times["import photochrom"].median, 0.2, "<", "s"),
                 Target("import photochrom < 0.2 s, starting Python taken off", _import_alone, 0.2, "<", "s"))),
)
