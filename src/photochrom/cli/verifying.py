"""`photochrom verify`: are the pictures of an output folder still those that were made?"""

from __future__ import annotations

import typer

from photochrom.cli.report import SOME_FAILED, complain, emit


def verify_folder(out: str, as_json: bool, quiet: bool) -> None:
    """Check every picture in the manifest, report what is wrong, and exit with 1 if anything is."""
    from photochrom.engine.ledger import verify
    from photochrom.io.formats import show

    count, findings = verify(out)
    wrong = 0
    for finding in findings:
        if finding is None:
            continue
        wrong += 1
        if as_json:
            emit({"event": "wrong", "output": str(finding.output), "error": finding.trouble})
        else:
            complain(f"{show(finding.output)} {finding.trouble}")
    if as_json:
        emit({"event": "summary", "pictures": count, "sound": count - wrong, "wrong": wrong})
    elif not quiet:
        print(f"{count - wrong} of {count} pictures are as they were made")
    if wrong:
        raise typer.Exit(SOME_FAILED)
