"""Commands of the command line that are Python: `winnow accuracy ...` runs `python -m winnow accuracy ...`."""

import importlib
import os
import sys

from winnow._core import Error

# What is kept of one that was interrupted.
COMMANDS = {
    "accuracy": "finished windows are in the cache",
    "basis": "nothing was written",
    "capture": "nothing was written",
    "compare": "finished windows are in the cache; --force begins anew",
    "report": "no file was written",
    "reproduce": "--force begins anew",
    "sweep": "--resume goes on with what is finished",
}


def main(arguments=None):
    """Exit code 0, or 2 after one line on stderr."""
    from winnow_traces.errors import CaptureError

    words = sys.argv[1:] if arguments is None else arguments
    try:
        if not words or words[0] not in COMMANDS:
            raise Error(f"{words[0] if words else 'no command'}: no such command: must be {' or '.join(COMMANDS)}")
        importlib.import_module(f"winnow.commands.{words[0]}").run(words[1:])
        sys.stdout.flush()
    except (Error, CaptureError) as error:
        print(" ".join(f"winnow: {error}".split()), file=sys.stderr)
        return 2
    except MemoryError:
        print("winnow: not enough memory: try fewer windows, or --no-tokens of a report", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"winnow: interrupted; {COMMANDS[words[0]]}", file=sys.stderr)
        return 130
    except Exception as error:  # a fault of ours or of a library: still one line, unless the trace is asked for
        if os.environ.get("WINNOW_TRACEBACK"):
            raise
        print(
            " ".join(f"winnow: {type(error).__name__}: {error}; WINNOW_TRACEBACK=1 shows where".split()),
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
