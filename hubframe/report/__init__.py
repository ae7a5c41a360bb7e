"""A folder that a person reads without Python: CSV, pictures, a summary, and one page."""

from hubframe.report.collect import SAMPLE, SAMPLE_INSIDE, collect, report
from hubframe.report.write import write_report

__all__ = ["SAMPLE", "SAMPLE_INSIDE", "collect", "report", "write_report"]


def __dir__() -> list[str]:
    return __all__
