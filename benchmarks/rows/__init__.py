"""The rows of the benchmark, in the order in which they are run. Adding one: see benchmarks/README.md."""

from benchmarks.row import Row
from benchmarks.rows import (
                         accuracy,
                         colorize,
                         commands,
                         convolve,
                         edges,
                         enlarge,
                         filters,
                         folder,
                         gradient,
                         gray,
                         hdr,
                         histograms,
                         large,
                         luts,
                         networks,
                         runs,
                         sampling,
                         scores,
                         spaces,
                         tables,
                         transfer,
                         warp,
)

ROWS: tuple[Row, ...] = (*filters.ROWS, *accuracy.ROWS, *tables.ROWS, *spaces.ROWS, *histograms.ROWS, *transfer.ROWS,
                         *gray.ROWS, *luts.ROWS, *commands.ROWS, *large.ROWS, *folder.ROWS, *runs.ROWS, *hdr.ROWS,
                         *gradient.ROWS, *edges.ROWS, *convolve.ROWS, *warp.ROWS, *sampling.ROWS, *colorize.ROWS,
                         *scores.ROWS, *networks.ROWS, *enlarge.ROWS)
