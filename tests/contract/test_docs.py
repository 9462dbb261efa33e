"""The docstring of every operation is complete, and its example runs."""

from __future__ import annotations

import doctest
import inspect
import json
import re
import sys
from pathlib import Path

import photochrom
from photochrom.core.op import Operation
from tests.contract.cases import ALL, OPERATIONS, every


@every(ALL)
def test_all_parts_are_there(operation: Operation) -> None:
    doc = operation.doc
    assert re.fullmatch(r"[A-Z][^\n]{10,110}\.", doc.summary), "one short sentence that serves as tooltip"
    assert len(doc.body) > 40
    assert list(doc.args) == [*operation.ports, *operation.controls], "in the order of the signature"
    assert list(doc.sections) == ["Args", "Returns", "Raises", "Reference", "Example"], "in this order"
    assert operation.result == "data" or doc.sections["Returns"].startswith("(B, ")
    assert "Error: " in doc.sections["Raises"]
    assert re.search(r"\d{4}|ed\.", doc.sections["Reference"]), "a reference can be found again"


@every(ALL)
def test_neutral_values_are_told(operation: Operation) -> None:
    for name, value in operation.neutral().items():
        told = operation.doc.args[name]
        assert re.search(rf"(?:neutral {value:g}|\b{value:g} changes nothing)", told), f"{name}: {told}"


@every(ALL)
def test_units_are_told(operation: Operation) -> None:
    words = {"px": "pixel", "EV": "doubling", "deg": "degree"}
    for name, control in operation.controls.items():
        if control.range is not None and control.range.unit:
            told = operation.doc.args[name]
            assert words.get(control.range.unit, control.range.unit) in told, f"{name}: {told}"


@every(ALL)
def test_no_types_are_repeated(operation: Operation) -> None:
    section = operation.doc.sections["Args"]
    assert not re.search(r"^\w+ \([\w\[\], |.]+\):", section, flags=re.MULTILINE)


@every(ALL)
def test_the_example_runs_and_ends_in_a_number(operation: Operation) -> None:
    function = getattr(photochrom, operation.name)
    module = sys.modules[function.__module__]
    example = doctest.DocTestParser().get_doctest(function.__doc__, dict(vars(module)), operation.name, None, 0)
    assert len(example.examples) > 0
    assert re.search(r"\d", example.examples[-1].want), "the example ends in a number"
    results = doctest.DocTestRunner(verbose=False).run(example)
    assert results.attempted == len(example.examples)
    assert results.failed == 0


@every(ALL)
def test_the_signature_is_kept(operation: Operation) -> None:
    function = getattr(photochrom, operation.name)
    parameters = inspect.signature(function).parameters.values()
    assert [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] == list(operation.ports)
    assert [p.name for p in parameters if p.kind is p.KEYWORD_ONLY] == list(operation.controls)
    assert {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY} == {
        name: control.default for name, control in operation.controls.items()}


@every(ALL)
def test_ranges_are_in_order(operation: Operation) -> None:
    for name, control in operation.controls.items():
        limits = control.range
        if limits is None:
            continue
        soft = limits.soft or (limits.low, limits.high)
        assert limits.low <= soft[0] < soft[1] <= limits.high, name
        assert (control.default is None and control.optional) or limits.low <= control.default <= limits.high, name
        assert limits.scale == "linear" or soft[0] > 0, f"{name}: a slider that is logarithmic cannot start at 0"
        assert limits.neutral is None or limits.low <= limits.neutral <= limits.high, name


@every(ALL)
def test_the_declaration_is_plain_data(operation: Operation) -> None:
    described = operation.describe()
    assert json.loads(json.dumps(described))["name"] == operation.name
    assert described["chapter"] == operation.function.__module__.split(".")[-2]
    assert {entry["name"] for entry in described["ports"]} == set(operation.ports)
    for entry in described["controls"]:
        assert entry["help"]
        assert entry["default"] == operation.controls[entry["name"]].default


def test_the_contract_covers_every_operation() -> None:
    """What does not turn one picture into one of the same size and channels has tests of its own."""
    left_out = {operation.name for operation in ALL} - {operation.name for operation in OPERATIONS}
    for name in left_out:
        operation = next(operation for operation in ALL if operation.name == name)
        assert not operation.chains or operation.resizes is not False or operation.gives is not None
        chapter = operation.function.__module__.split(".")[-2]
        tests = "".join(path.read_text() for path in (Path(__file__).parents[1] / "ops" / chapter).glob("test_*.py"))
        assert name in tests
