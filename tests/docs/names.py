"""What comments and pages name exists: a walk over a source tree that follows every name.

Kinds of names, and when one is rotten:

  link      [text](target) in a page: the file is not there
  anchor    page.md#heading: no heading of that page has this anchor
  heading   page.md, "Heading" in a comment or page: that page has no such heading
  path      golden/num.h, `side.h`, scripts/rtl/*: no file of the tree ends in that, and no program writes it
  program   build/NAME: no CMakeLists.txt builds it
  command   `winnow NAME`, `scripts/NAME`: there is none
  option    --name behind a command: its --help (of a script: its text) does not know it; alone: nothing does
  value     --policy NAME, --machine NAME, --set KEY=...: not among those that winnow lists
  test      ctest -R NAME, scripts/test -R NAME: no test's name matches
  type      FetchJob or kBurst in a comment or `code`: no code has that name
  function  reserve() in a comment or `code`: no code declares or calls it
  outside   /home/..., ~/...: a place outside the tree
  contract  a header of golden/, models/ or sim/ that does not begin with a comment
  section   "section 3" without a document, or a number that the paper has not

`python3 names.py [ROOT [WINNOW]]` prints one line a rotten name, then how many names it followed.
"""

import functools
import pathlib
import re
import subprocess
import sys
from collections import Counter
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Not followed: recorded output, other people's texts and data.
LEFT_OUT = re.compile(
    r"(^|/)(LICENSE|\.git|__pycache__)(/|$)|^traces/samples/.*\.txt$|^tests/rtl/\w+/long/|\.(json|safetensors|svg|inc)$"
    r"|^tests/docs/"
)
CODE = {".h", ".cpp", ".cuh", ".cu", ".sv", ".vlt"}
# What a name may end in to be taken for a file of the tree, or one that a program writes.
FILE_ENDS = r"(?:h|cuh|cu|cpp|sv|vlt|py|md|yaml|probes|mutants|inc|cmake|tsv|csv|json|log|svg|txt)"
# Names in capital and small letters that are no types of ours.
PROPER = {
    "SpAtten",
    "NumPy",
    "SystemC",
    "SystemVerilog",
    "PyTorch",
    "GoogleTest",
    "NaN",
    "RoBaRaCoCh",
    "KiB",
    "MiB",
    "GiB",
}
# Functions of other libraries that comments may name.
FOREIGN = {"main", "printf", "assert", "fork", "kill", "close", "exec", "sleep", "abort", "exit", "malloc", "free"}


class Rot(NamedTuple):
    file: str
    line: int
    kind: str
    name: str
    why: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.kind} {self.name}: {self.why}"


class Commands:
    """What the command line knows, asked of the program itself."""

    def __init__(self, program):
        self.program = program
        listed = self._ask("--help").split("Subcommands:")[-1]
        self.names = set(re.findall(r"^  ([a-z0-9]+) ", listed, re.M))
        self.keys = set()
        self.machines = self._listed("machines")
        self.policies = self._listed("policies")

    @functools.cache  # noqa: B019 (one object a run)
    def help(self, command):
        return self._ask(command, "--help")

    def _ask(self, *arguments):
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{self.program} {' '.join(arguments)}: exit code {done.returncode}: {done.stderr}")
        return done.stdout

    def _listed(self, command):
        """First words of the list that --show prints, and the keys that it prints of each."""
        names = set()
        for word in {line.split()[0] for line in self._ask(command).splitlines() if re.match(r"\s*[a-z]", line)}:
            try:
                self.keys |= keys_of_yaml(self._ask(command, "--show", word))
                names.add(word)
            except RuntimeError:  # the table's heading
                continue
        if not names:
            raise RuntimeError(f"{self.program} {command}: lists nothing that --show prints")
        return names


def keys_of_yaml(text):
    """Dotted keys of a YAML of mappings, every prefix and every last part included."""
    keys, stack = set(), []
    for line in text.splitlines():
        m = re.match(r"( *)([a-z_0-9]+):", line)
        if not m:
            continue
        depth = len(m[1])
        stack = [(d, k) for d, k in stack if d < depth] + [(depth, m[2])]
        keys.add(".".join(k for _, k in stack))
    return keys


def tree_files(root):
    """Paths below root: those that git knows or would take, else all."""
    done = subprocess.run(
        ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True
    )
    if done.returncode == 0 and done.stdout:
        names = done.stdout.splitlines()
    else:
        names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
        names = [n for n in names if not re.match(r"(build[^/]*|results|\.venv|\.git)/", n)]
    return sorted(n for n in set(names) if (root / n).is_file())


def slug(heading):
    """GitHub's anchor of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"[^\w\- ]", "", text.replace("`", "").strip().lower())
    return text.replace(" ", "-")


def headings_of(text):
    found, fenced = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and (m := re.match(r"#+ +(.*?) *#*$", line)):
            found.append(m[1])
    return found


class Comment(NamedTuple):
    line: int
    text: str


def comments_of(name, text):
    """The comments of a source file, a line each; code and strings are left out."""
    found = []
    if pathlib.PurePath(name).suffix in CODE:
        for i, line in enumerate(text.splitlines(), 1):
            plain = re.sub(r'"(?:\\.|[^"\\])*"', lambda m: '"' + " " * (len(m[0]) - 2) + '"', line)
            at = plain.find("//")
            if at >= 0:
                found.append(Comment(i, line[at + 2 :]))
    else:  # shell, Python, YAML, CMake
        for i, line in enumerate(text.splitlines(), 1):
            m = re.match(r"\s*#(?!!)(.*)$", line) or re.search(r"\s{2,}#(?!!) (.*)$", line)
            if m:
                found.append(Comment(i, m[1]))
    return found


def code_without_comments(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = tree_files(self.root)
        self.known = set(self.files)
        self.folders = {str(p) for f in self.files for p in pathlib.PurePath(f).parents} - {"."}
        self.rooms = {f.split("/")[0] for f in self.files if "/" in f and not f.startswith(".")} | {"build", "results"}
        self.text = {}
        for f in self.files:
            try:
                self.text[f] = (self.root / f).read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError):
                continue
        self.endings = set()  # every tail of every path: num.h, golden/num.h, ...
        for f in [*self.files, *self.folders]:
            parts = f.split("/")
            self.endings |= {"/".join(parts[i:]) for i in range(len(parts))}
        self.declared, self.called = self._identifiers()
        self.programs = self._programs()
        self.strings = self._strings()
        self.tests = self._tests()

    def _identifiers(self):
        """What the code itself names, comments and strings left out: it compiles, so that exists."""
        types, functions = set(), set()
        for f, text in self.text.items():
            if LEFT_OUT.search(f):
                continue
            suffix = pathlib.PurePath(f).suffix
            if suffix in CODE:
                code = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code_without_comments(text))
            elif suffix == ".py" or (f.startswith("scripts/") and "." not in f):
                code = re.sub(r"^\s*#[^\n]*", "", text, flags=re.M)
            else:
                continue
            types |= set(re.findall(r"\b(?:[A-Z]|k[A-Z])\w*", code))
            functions |= set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", code))
        return types, functions

    def _programs(self):
        """Patterns of what CMake builds into build/."""
        found = set()
        for f, text in self.text.items():
            if f.endswith("CMakeLists.txt") or f.endswith(".cmake"):
                names = re.findall(r"\b(?:add_executable|add_library|winnow_\w+)\(\s*([\w${}]+)", text)
                found |= {re.sub(r"\$\{\w+\}", r"[A-Za-z0-9_]+", n) for n in names if not n.startswith("${program")}
        return {n for n in found if re.search(r"[a-z]{3}", re.sub(r"\[.*?\]\+", "", n))}

    def _tests(self):
        """Names of ctest's entries: those of add_test, and Suite.Case of GoogleTest behind the program's name."""
        found = set()
        for f, text in self.text.items():
            if f.endswith(("CMakeLists.txt", ".cmake")):
                found |= set(re.findall(r"\bwinnow_test\(\s*(\w+)", text))
                found |= {re.sub(r"\$\{\w+\}", "", n) for n in re.findall(r"\bNAME ([\w.${}]+)", text)}
            elif f.startswith("tests/") and f.endswith(".cpp"):
                found |= {f".{s}.{c}" for s, c in re.findall(r"^TEST(?:_[FP])?\((\w+), *(\w+)\)", text, re.M)}
        return found

    def _strings(self):
        """Names of files that programs write or read: in strings of the source, in scripts and in CMake's files."""
        name = r"[\w.<>{}$-]+\." + FILE_ENDS + r"\b"
        found = set()
        for f, text in self.text.items():
            suffix = pathlib.PurePath(f).suffix
            if suffix in CODE | {".py"}:
                text = re.sub(r"^\s*#include[^\n]*", "", text, flags=re.M)
                quoted = re.findall(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', text)
                names = {n for s in quoted for n in re.findall(name, s)}
                # A source is in the tree, or it is not there.
                found |= {n for n in names if not re.search(r"\.(h|cuh|cu|cpp|py|md)$", n)}
            elif suffix in ("", ".cmake") or f.endswith("CMakeLists.txt"):
                found |= set(re.findall(name, re.sub(r"^\s*#[^\n]*", "", text, flags=re.M)))
        return found

    def has_path(self, path, near):
        """Whether a path, its tail, or a pattern of one is there; `near` is the file that names it."""
        path = path.removeprefix("./").rstrip("/")
        if path in self.endings or path in self.known or path in self.folders:
            return True
        folder = str(pathlib.PurePath(near).parent)
        while folder not in (".", "/", ""):
            if f"{folder}/{path}" in self.known or f"{folder}/{path}" in self.folders:
                return True
            folder = str(pathlib.PurePath(folder).parent)
        if re.search(r"[<*{$\[]", path):
            pattern = re.escape(path)
            pattern = re.sub(r"\\\{[^}/]*\\\}|<[^>/]*>|\\\$\w+|(?:\\\*)+", r"[^/]*", pattern)
            pattern = pattern.replace(r"\[", "[").replace(r"\]", "]")
            try:
                rule = re.compile(r"(?:.*/)?" + pattern + r"$")
            except re.error:
                return False
            parent = str(pathlib.PurePath(path).parent)  # of what a program is to make there
            return any(rule.match(f) for f in [*self.files, *self.folders]) or parent in self.folders
        return False


PATH = re.compile(r"(?<![\w/.:~$@%-])((?:[\w.<>*{}$-]+/)*[\w.<>*{}$-]+)/?(?![\w/])")
COMMAND = re.compile(r"(?:(?<=[\s`(])|^)(?:build/)?winnow +([a-z]\w*)\b")
SCRIPT = re.compile(r"(?:(?<=[\s`(])|^)(scripts/[\w/.-]*\w)")


class Check:
    def __init__(self, root=ROOT, commands=None):
        self.tree = Tree(root)
        self.commands = commands
        self.rot = []
        self.followed = Counter()
        for f, text in self.tree.text.items():
            if LEFT_OUT.search(f):
                continue
            self.places(f, text)
            if f == "CHANGELOG.md":  # what was released is history
                self.page(f, "## [".join(text.split("## [")[:2]))
            elif f.endswith(".md"):
                self.page(f, text)
            else:
                self.source(f, text)

    # --- one name -------------------------------------------------------------------------------------------------

    def follow(self, kind, good, file, line, name, why):
        self.followed[kind] += 1
        if not good:
            self.rot.append(Rot(file, line, kind, name, why))

    def path(self, file, line, name):
        """A token that may be a path: followed if it looks like one of the tree's."""
        name = name.rstrip(".,:;")
        name = re.sub(r"\.$", "", name)
        first = name.split("/")[0]
        if ("{" in name) != ("}" in name):  # a piece of {a,b}
            return
        if name.startswith("build/"):
            # The Python package's folder is no program.
            if "/" not in name[6:] and re.fullmatch(r"[a-z]\w+", name[6:]) and name != "build/python":
                rule = any(re.fullmatch(p, name[6:]) for p in self.tree.programs)
                self.follow("program", rule, file, line, name, "no CMakeLists.txt builds that")
            return
        if first == "results" or name.startswith("-"):
            return
        ends = re.search(r"\." + FILE_ENDS + r"$", name)
        in_room = "/" in name and first in self.tree.rooms
        if not in_room and not ends:
            return
        last = name.split("/")[-1]
        if not in_room:
            stem = last.rsplit(".", 1)[0]
            if stem.upper() == stem or len(stem) == 1 or "$" in name:  # FILE.csv, a.cpp: stand-ins
                return
            if last in self.tree.strings or re.sub(r"[{<$][^}>]*[}>]?", "", last) in self.tree.strings:
                return
        good = self.tree.has_path(name, file) or (not in_room and last in self.tree.strings)
        self.follow("path", good, file, line, name, "no such file or folder in this repository")

    def names_in(self, file, line, text, functions=True):
        """Types and functions that a comment or a piece of code in a page names."""
        humps = r"[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+"
        names = re.findall(rf"(?<![\w.`/$-])({humps}|k{humps}|k[A-Z][a-z0-9]+)(?![\w/.]*\.\w)", text)
        for name in names + re.findall(r"\b(?:Fifo|Pipe)<([A-Z][a-z]*)>", text):
            if name not in PROPER:
                self.follow("type", name in self.tree.declared, file, line, name, "no code has that name")
        if functions:
            for name in re.findall(r"(?<![\w./])([A-Za-z_]\w*)\(\)", text):
                if name not in FOREIGN:
                    good = name in self.tree.called
                    self.follow("function", good, file, line, name + "()", "no code has that name")

    def heading(self, file, line, text):
        for wanted in re.findall(r'\bREADME, "([^"]+)"', text):
            good = wanted in headings_of(self.tree.text.get("README.md", ""))
            self.follow("heading", good, file, line, f'README, "{wanted}"', "README.md has no such heading")
        for name, wanted in re.findall(r'([\w./-]+\.md), "([^"]+)"', text):
            page = next((f for f in self.tree.files if f == name or f.endswith("/" + name)), None)
            heads = headings_of(self.tree.text[page]) if page else []
            self.follow("heading", wanted in heads, file, line, f'{name}, "{wanted}"', "that page has no such heading")

    def section(self, file, line, text):
        for m in re.finditer(r"\b(?:SpAtten|[Pp]aper:?) (\d\.\d)(?![\dx])", text):
            self.follow("section", False, file, line, m[0], "the paper's sections are numbered III.A")
        for m in re.finditer(r"\b[Ss]ections? \d", text):
            # In a table or a sentence that names its document just before.
            named = re.search(r"([Pp]aper|JESD\w*|RFC \d+|standard)[^.]{0,40}$", text[: m.start()])
            self.follow("section", bool(named), file, line, m[0], "a number without its document")

    # --- files ----------------------------------------------------------------------------------------------------

    def places(self, file, text):
        for i, line in enumerate(text.splitlines(), 1):
            for m in re.finditer(r"(?<![\w.$}:/<\"'*])(/(?:work|home|root|Users|mnt|srv)\b[\w./-]*|~/[\w./-]+)", line):
                self.follow("outside", False, file, i, m[0], "a place outside this repository")

    def source(self, file, text):
        if file.endswith(".h") and file.startswith(("golden/", "models/", "sim/")):
            begins = re.match(r"#pragma once\n// ?\S", text) is not None
            self.follow("contract", begins, file, 2, file, "says not what it is for")
        typed = file.endswith((".h", ".cuh", ".cpp", ".cu"))
        for line, comment in comments_of(file, text):
            self.heading(file, line, comment)
            self.section(file, line, comment)
            for m in PATH.finditer(comment):
                self.path(file, line, m[1])
            if typed and not file.startswith("tests/"):
                self.names_in(file, line, comment)

    def page(self, file, text):
        fenced, before = False, ""
        for i, line in enumerate(text.splitlines(), 1):
            if line.startswith("```"):
                fenced = not fenced
                continue
            block = fenced or (re.match(r" {4}\S", line) and (not before.strip() or re.match(r" {4}", before)))
            before = line
            if block:
                self.code_line(file, i, line)
                continue
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                self.link(file, i, target)
            self.heading(file, i, line)
            self.section(file, i, re.sub(r"`[^`]*`", "", line))
            for code in re.findall(r"`([^`]+)`", line):
                self.code_span(file, i, code)
            for m in PATH.finditer(re.sub(r"`[^`]*`|\]\([^)]*\)", " ", line)):
                if "/" in m[1] and m[1].split("/")[0] in self.tree.rooms and re.search(r"\." + FILE_ENDS + "$", m[1]):
                    self.path(file, i, m[1])

    def link(self, file, line, target):
        if re.match(r"[a-z]+:", target):
            return
        path, _, anchor = target.partition("#")
        at = self.tree.root / file if not path else (self.tree.root / file).parent / path
        good = at.exists()
        self.follow("link", good, file, line, target, "no such file")
        if anchor and good:
            page = at.read_text(encoding="utf-8") if at.is_file() else ""
            anchors = {slug(h) for h in headings_of(page)}
            self.follow("anchor", anchor in anchors, file, line, target, "no heading has that anchor")

    def code_span(self, file, line, code):
        self.command_line(file, line, code)
        if re.fullmatch(r"--[a-z][a-z-]+(?:[ =].*)?", code):
            name = re.match(r"--[a-z-]+", code)[0]
            self.follow("option", self.known_option(name), file, line, name, "no program here knows it")
        if not re.search(r"\s", code):
            if re.fullmatch(r"[\w-]+/", code):
                good = code == "build/" or code == "results/" or self.tree.has_path(code, file)
                self.follow("path", good, file, line, code, "no such folder in this repository")
            elif not code.startswith("scripts/"):
                self.path(file, line, code)
            if (
                self.commands
                and re.fullmatch(r"[a-z_0-9]+(\.[a-z_0-9]+)+", code)
                and not re.search(r"\." + FILE_ENDS + "$", code)
            ):
                section = code.split(".")[0]
                if section in {k.split(".")[0] for k in self.commands.keys if "." in k}:
                    self.follow("value", self.known_key(code), file, line, code, "no key of a machine or a policy")
        if not re.search(r"[/\\]", code):
            self.names_in(file, line, code)

    def code_line(self, file, line, text):
        self.command_line(file, line, text.strip())
        for m in PATH.finditer(text.split("#")[0]):
            first = m[1].split("/")[0]
            if first in self.tree.rooms and first != "scripts" and not re.search(r"[A-Z]{2,}", m[1]):
                self.path(file, line, m[1])

    def known_key(self, key):
        """A key that --show prints, or one that the schema knows as a shorthand."""
        key = key.removeprefix("machine.").removeprefix("policy.")
        return key in self.commands.keys or any(
            f'"{key}"' in text for f, text in self.tree.text.items() if f.startswith(("sim/", "models/", "golden/"))
        )

    def known_option(self, name):
        return any(
            name in text for f, text in self.tree.text.items() if not f.endswith(".md") and not LEFT_OUT.search(f)
        )

    def command_line(self, file, line, text):
        """`winnow NAME --option VALUE ...` and `scripts/NAME --option ...`, up to a comment or the next command."""
        text = re.sub(r"\s#.*$", "", text)
        for m in SCRIPT.finditer(text):
            name = m[1]
            good = name in self.tree.known or name in self.tree.folders
            self.follow("command", good, file, line, name, "there is no such script")
            if good and name in self.tree.text:
                rest = re.split(r"[;&|`]| > ", text[m.end() :])[0]
                for option in re.findall(r"(?<=\s)(--[a-z][a-z-]*)", rest):
                    good = option in self.tree.text[name]
                    self.follow("option", good, file, line, f"{name} {option}", "the script does not know it")
        for pattern in re.findall(r"(?:\bctest|scripts/test)\b[^`]*? -R +(\"[^\"]+\"|\S+)", text):
            for part in pattern.strip('"').split("|"):
                good = any(re.search(part, name) for name in self.tree.tests)
                self.follow("test", good, file, line, f"-R {part}", "no test has a name like that")
        if not self.commands:
            return
        for m in COMMAND.finditer(text):
            name = m[1]
            rest = re.split(r"[;&|`]| > ", text[m.end() :])[0]
            if not re.match(r"$|[\s,]", text[m.end() :][:1]) or (
                name not in self.commands.names and not rest and "winnow " + name != text
            ):
                continue
            self.follow(
                "command", name in self.commands.names, file, line, "winnow " + name, "there is no such command"
            )
            if name not in self.commands.names:
                continue
            known = self.commands.help(name)
            for option in re.findall(r"(?<=\s)(--[a-z][a-z-]*)", rest):
                good = re.search(re.escape(option) + r"(?![a-z-])", known) is not None
                self.follow("option", good, file, line, f"winnow {name} {option}", "its --help does not know it")
            listed = {"policy": self.commands.policies, "machine": self.commands.machines}
            for kind, value in re.findall(r"--(policy|machine) ([a-z][\w-]*)(?!\S)", rest):
                if f'\n+  p.name = "{value}";' in self.tree.text.get(file, ""):
                    continue  # the page's own patch adds it
                self.follow(
                    "value", value in listed[kind], file, line, f"--{kind} {value}", "winnow lists none of that name"
                )
            for key in re.findall(r"--set ([\w.]+)=", rest):
                if re.search(rf'^\+ +\{{"{re.escape(key)}", ', self.tree.text.get(file, ""), re.M):
                    continue  # the same
                self.follow("value", self.known_key(key), file, line, f"--set {key}", "no key of a machine or a policy")


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    commands = Commands(sys.argv[2]) if len(sys.argv) > 2 else None
    check = Check(root, commands)
    for rot in check.rot:
        print(rot)
    print(
        f"{sum(check.followed.values())} names followed: "
        + ", ".join(f"{n} {k}" for k, n in sorted(check.followed.items()))
    )
    return 1 if check.rot else 0


if __name__ == "__main__":
    sys.exit(main())
