"""What the parsers of all commands share: wrong arguments are Errors, which end as every other bad input does."""

import argparse

from winnow._core import Error


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Error(f"{self.prog.removeprefix('winnow ')}: {message}")


def command_parser(name, description, examples):
    """The parser of `winnow NAME`, whose --help keeps the lines of both texts."""
    return _Parser(
        prog=f"winnow {name}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
