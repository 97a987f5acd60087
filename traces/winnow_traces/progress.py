"""Progress on a terminal, nothing in a pipe."""

import shutil
import sys

from tqdm import tqdm


def progress_bar(total, unit, label):
    """A bar with rate and time left on stderr; silent when stderr is not a terminal."""
    return tqdm(
        total=total,
        unit=unit,
        desc=label,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        ncols=shutil.get_terminal_size().columns,
        leave=False,
    )
