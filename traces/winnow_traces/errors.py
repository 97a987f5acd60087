"""The one exception that reaches a user."""


class CaptureError(Exception):
    """One line that names file, place, value and the rule it breaks; the command exits with code 2."""
