"""Capture of attention traces: runs a real model on a text and writes its queries, keys and values.

The trace format is described in ../FORMAT.md. `python -m winnow_traces capture --help` shows the use.
"""

__version__ = "0.1.0"  # the project's version (CMakeLists.txt)
