"""Systems of equations on pixel grids: the fourth engine."""

from photochrom.num.solve.frames import box_of
from photochrom.num.solve.membrane import membrane
from photochrom.num.solve.solver import Method, Solution, solve
from photochrom.num.solve.stencil import NEIGHBOURS
from photochrom.num.solve.system import GridSystem, SolverError

__all__ = ["NEIGHBOURS", "GridSystem", "Method", "Solution", "SolverError", "box_of", "membrane", "solve"]
