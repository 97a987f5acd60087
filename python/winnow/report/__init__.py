"""The report of runs: one HTML file that needs nothing else (docs/report.md).

from winnow.report import write
write(["results/dense", "results/select"], "report.html")
"""

from winnow.report.page import Written, write
from winnow.report.stored_run import StoredRun, load_run

__all__ = ["StoredRun", "Written", "load_run", "write"]
