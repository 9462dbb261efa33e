"""The command `export`."""

from __future__ import annotations

from pathlib import Path

from photochrom.cli.report import emit


def export_network(name: str, output: Path, scale: int | None, as_json: bool, quiet: bool, overwrite: bool) -> None:
    """Write a network as ONNX, and tell how far a runtime's numbers are from torch's.

    Args:
        name: of weights, or a file of them.
        output: the .onnx file to write.
        scale: which of the network's factors, or None.
        as_json: print one JSON object.
        quiet: print nothing but errors.
        overwrite: replace a file that is there.
    """
    from photochrom.core.errors import ControlError
    from photochrom.io.guard import check_output
    from photochrom.nets.export import export
    from photochrom.nets.weights import find, load

    if output.suffix.lower() != ".onnx":
        raise ControlError(f"export: the file must end in .onnx, got {output}")
    check_output(output, overwrite, [find(name)])
    network = load(name)
    done = export(network, output, scale)
    if as_json:
        emit({"output": str(done.path), "network": network.descriptor.name, "checked_with": done.runtime,
              "greatest_difference": done.difference})
    elif not quiet:
        print(done.path)
        print(f"{network.descriptor.name}: {done.runtime} differs from torch by at most {done.difference:.2g}")
