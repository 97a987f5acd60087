"""The command line of `winnow capture --policy P`: winnow_traces' own, with golden put in."""


def run(arguments):
    """Raises Error, or winnow_traces' CaptureError."""
    from winnow_traces.cli import run as capture

    from winnow.capture import under_policy

    capture(["capture", *arguments], under_policy)
