"""Printing operations and facts, for people and as JSON."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from photochrom.cli.index import entries
from photochrom.cli.operate import dashed
from photochrom.core.errors import ControlError, nearest


def show_operations(as_json: bool) -> None:
    """Print all operations."""
    if as_json:
        print(json.dumps(list(entries().values()), indent=1, ensure_ascii=False))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("operation", "chapter", "looks at", "what it does"):
        table.add_column(heading)
    for entry in entries().values():
        table.add_row(dashed(entry["name"]), entry["chapter"], entry["reach"], entry["summary"])
    Console().print(table)


def show_operation(name: str, as_json: bool) -> None:
    """Print the declaration of one operation."""
    plain = name.replace("-", "_")
    if plain not in entries():
        raise ControlError(f"there is no operation '{name}'{nearest(plain, list(entries()))}")
    entry = entries()[plain]
    if as_json:
        print(json.dumps(entry, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{dashed(entry['name'])}[/bold]  {entry['summary']}\n\n{entry['about']}\n")
    for port in entry["ports"]:
        console.print(f"  {port['name']}  (picture)  {port['help']}", markup=False)
    for control in entry["controls"]:
        limits = f"{control['low']:g} to {control['high']:g} {control['unit']}".rstrip() if "low" in control else (
            " | ".join(control.get("choices", [])) or control["kind"])
        console.print(f"  --{dashed(control['name'])}  ({limits}; default {control['default']})  {control['help']}",
                      markup=False)
    console.print(f"\n{entry['reference']}", markup=False)


def show_facts(facts: dict[str, Any], as_json: bool) -> None:
    """Print facts about a file."""
    if as_json:
        print(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    for name, value in facts.items():
        if value not in (None, "", [], ()):
            print(f"{name}: {', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value}")
