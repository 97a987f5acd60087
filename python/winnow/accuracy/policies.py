"""How a policy is written behind --policy, and the machine that its bytes are counted for."""

from winnow._core import Error
from winnow.settings import Policy

MACHINE = "spatten"  # says where regions of the memory begin, which bursts depend on


def parse_policy(words):
    """(label, Policy) of "select v_bits=6 k_digits=3,3": a name or a file, then settings as --set has them."""
    name, *settings = words.split()
    policy = Policy(name)
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise Error(f"--policy: {words!r}: {setting!r}: must have the form key=value")
        policy[key] = value
    policy.check()
    return words, policy
