"""Systems of equations on pixel grids: the fourth engine."""

from photochrom.num.solve.solver import Method, Solution, solve
from photochrom.num.solve.stencil import NEIGHBOURS
from photochrom.num.solve.system import GridSystem, SolverError

__all__ = ["NEIGHBOURS", "GridSystem", "Method", "Solution", "SolverError", "solve"]
