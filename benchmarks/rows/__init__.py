"""The rows of the benchmark, in the order in which they are run. Adding one: see benchmarks/README.md."""

from benchmarks.row import Row
from benchmarks.rows import accuracy, commands, filters, folder, large, tables, transfer

ROWS: tuple[Row, ...] = (*filters.ROWS, *accuracy.ROWS, *tables.ROWS, *transfer.ROWS, *commands.ROWS, *large.ROWS,
                         *folder.ROWS)
