"""`python -m benchmarks`: run the rows and write the report."""

from __future__ import annotations

import argparse
import fnmatch
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.row import Bench, Row


def main(words: list[str] | None = None) -> int:
    """Run the benchmark; 0 done, 1 a row broke or its results disagree. A missed target is a finding, not an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", metavar="PATTERN", default="*", help="only rows so called (such as 'gaussian*')")
    parser.add_argument("--quick", action="store_true", help="small pictures, few repetitions: does everything work?")
    parser.add_argument("--out", metavar="FOLDER", type=Path, help="where benchmark.json and benchmark.md are written")
    parser.add_argument("--work", metavar="FOLDER", type=Path, help="where pictures are made and kept for the next run")
    parser.add_argument("--list", action="store_true", help="list the rows and their targets")
    given = parser.parse_args(words)

    from benchmarks.rows import ROWS

    rows = [row for row in chosen(ROWS, given.rows) if row.quick or not given.quick]
    if given.list:
        for row in rows:
            print(f"{row.name}: {row.about}")
            for target in row.targets:
                print(f"    {target.text}")
        return 0
    if not rows:
        print(f"no row is called {given.rows!r}; --list shows them", file=sys.stderr)
        return 2

    from benchmarks import machine, report
    from benchmarks.runner import failed_badly, run_row

    facts = machine.facts()
    work = given.work or Path(tempfile.gettempdir()) / "photochrom-benchmarks"
    work.mkdir(parents=True, exist_ok=True)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="photochrom-bench-", dir=fast_folder()) as scratch:
        bench = Bench(given.quick, work, Path(scratch), (sys.executable,), photochrom())
        for row in rows:
            print(f"{row.name}: {row.about}", file=sys.stderr, flush=True)
            outcomes.append(run_row(row, bench, say))
    facts["load_average_after"] = machine.load()
    print(report.as_markdown(outcomes, facts, given.quick))
    if given.out:
        for path in report.write(given.out, outcomes, facts, given.quick):
            say(f"written: {path}")
    return 1 if failed_badly(outcomes) else 0


def chosen(rows: tuple[Row, ...], pattern: str) -> list[Row]:
    """Return the rows that match a pattern, or whose names begin with it."""
    return [row for row in rows if fnmatch.fnmatchcase(row.name, pattern) or row.name.startswith(pattern)]


def say(sentence: str) -> None:
    """Tell what goes on, on standard error."""
    print(sentence, file=sys.stderr, flush=True)


def photochrom() -> tuple[str, ...]:
    """Return how the command is started: the one installed beside this Python."""
    installed = Path(sys.executable).with_name("photochrom")
    return (str(installed),) if installed.exists() else (sys.executable, "-m", "photochrom.cli.main")


def fast_folder() -> str | None:
    """Return a folder in memory for intermediate files of the peers, where there is one with room."""
    shared = "/dev/shm"
    roomy = os.path.isdir(shared) and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 4 * 2**30
    return shared if roomy else None


if __name__ == "__main__":
    sys.exit(main())
