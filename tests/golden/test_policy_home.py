"""A policy has one home: blocks reach no policy through any include, and only golden/policies reads its parameters.

What others get is the plan (golden/policies/decisions.h) and the cascade's rules (golden/policies/schedule.h).
"""

import re
import sys
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
ROOMS = ("golden", "models", "cuda_ref", "sim", "traces")
SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}
HOME = "golden/policies/"
# The parameters as a table for files and --set.
SCHEMA = "sim/config/policy_schema.cpp"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def sources(rooms=ROOMS):
    found = [p for room in rooms for p in (SOURCE / room).rglob("*") if p.suffix in SUFFIXES]
    return {p.relative_to(SOURCE).as_posix(): p.read_text(encoding="utf-8") for p in found}


def includes_of(text):
    return INCLUDE.findall(text)


def way_to(start, files, target):
    """The chain of includes from `start` to `target`, or None."""
    came_from, waiting = {start: None}, [start]
    while waiting:
        at = waiting.pop()
        if at == target:
            chain = []
            while at:
                chain.append(at)
                at = came_from[at]
            return chain[::-1]
        for name in includes_of(files.get(at, "")):
            if name in files and name not in came_from:
                came_from[name] = at
                waiting.append(name)
    return None


def words_of_policy(files):
    """Enumerations of the policy's header, and its members' names where they are asked of something called a policy."""
    text = files[HOME + "policy.h"]
    enums = re.findall(r"enum class (\w+)", text)
    members = {key.split(".")[0] for key in re.findall(r'\bv\("([a-z_.]+)", p\.', text)}
    members |= set(re.findall(r"^  \w[\w:<> ]* (\w+)\(.*\) const", text.split("struct Policy {")[1], re.MULTILINE))
    return enums, members


def conditions(text, enums, members):
    pattern = rf"\b(?:{'|'.join(enums)})::\w+|\bpolicy(?:_|\(\))?\.(?:{'|'.join(sorted(members))})\b"
    code = re.sub(r"//.*", "", text)
    return re.findall(pattern, code)


class PolicyHome(unittest.TestCase):
    def test_blocks_reach_no_policy(self):
        files = sources()
        blocks = [name for name in files if name.startswith("models/")]
        self.assertGreater(len(blocks), 50)
        for name in blocks:
            for target in ("policy.h", "schedule.h"):
                chain = way_to(name, files, HOME + target)
                self.assertIsNone(chain, f"a block must take golden/policies/decisions.h: {' -> '.join(chain or [])}")

    def test_conditions_stand_at_home(self):
        files = sources()
        enums, members = words_of_policy(files)
        self.assertIn("SelectRule", enums)
        self.assertLessEqual({"k_digits", "select", "tokens", "protect_newest", "scope"}, members)
        for name, text in files.items():
            if name.startswith(HOME) or name == SCHEMA:
                continue
            found = conditions(text, enums, members)
            self.assertEqual(found, [], f"{name}: must ask golden/policies/decisions.h or schedule.h")

    def test_the_checks_can_fail(self):
        files = sources()
        enums, members = words_of_policy(files)
        self.assertTrue(conditions("if (policy_.select == golden::SelectRule::none) return;", enums, members))
        self.assertTrue(conditions("model.policy().v_bits", enums, members))
        self.assertFalse(conditions("// policy.select\n p.policy.name", enums, members))
        files["models/x.h"] = '#include "models/y.h"\n'
        files["models/y.h"] = '#include "golden/quant.h"\n'
        chain = way_to("models/x.h", files, HOME + "policy.h")
        self.assertEqual(chain, ["models/x.h", "models/y.h", "golden/quant.h", HOME + "policy.h"])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
