"""The worked examples of docs/how-to-add.md: patches applied to a copy, what depends on them compiled, commands run.

What is compiled are the objects of `winnow` that read a patched file, with the build's own flags and the copy's headers
first. They go before the build's libraries when the program is linked, so nothing else is built."""

import json
import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

RULES = "golden/policies/rules/"
LINKED = ("traces/samples", "golden", "models", "sim")  # what commands and patches name


def blocks(page):
    """[(language, text)] of the fenced blocks, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, re.S | re.M)


def _ninja(build, *words):
    return subprocess.run(["ninja", "-C", build, "-t", *words], capture_output=True, text=True, check=True).stdout


class Copy:
    """A folder with the sources that patches need, and then a `winnow` of its own."""

    def __init__(self, root, build, folder):
        self.root, self.build, self.folder = root, build, folder
        self.patched = set()  # paths in the repository
        for part in LINKED:
            shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["git", "init", "-q", folder], check=True)

    def patch(self, text):
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            input=text,
            text=True,
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"docs/how-to-add.md: {done.stderr}"
        self.patched |= set(re.findall(r"^\+\+\+ b/(.*)$", text, re.M))

    def _commands(self):
        """{object of winnow: its command of the compiler}, of those that read a patched file."""
        wanted = {str(self.root / path) for path in self.patched}
        depends, name = set(), ""
        for line in _ninja(self.build, "deps").splitlines():
            if line and not line.startswith(" "):
                name = line.split(": #deps")[0]
            elif os.path.normpath(self.build / line.strip()) in wanted:
                depends.add(name)
        all_of_it = _ninja(self.build, "commands", "winnow")
        database = json.loads((self.build / "compile_commands.json").read_text())
        found = {}
        for one in database:
            words = shlex.split(one["command"])
            made = words[words.index("-o") + 1]
            if made in depends and f" {made} " in all_of_it and "winnow_cuda.dir" not in made:
                found[made] = words
        return found | self._new_rules(database)

    def _new_rules(self, database):
        """The same of policies that are new: their own objects, as their neighbours are compiled, and the registry's,
        with the lists that CMake would make of the folder."""
        names = sorted(path for path in self.patched if path.startswith(RULES) and not (self.root / path).exists())
        if not names:
            return {}
        commands = {
            os.path.relpath(words[-1], self.root): words
            for words in (shlex.split(one["command"]) for one in database)
            if "winnow_golden.dir" in words[words.index("-o") + 1]
        }
        functions = [name.removeprefix(RULES).removesuffix(".cpp").replace("-", "_") for name in names]
        made = self.build / "golden/generated" / RULES
        for file, line in (("declared.inc", "PolicyEntry {}();\n"), ("listed.inc", "rules::{}(),\n")):
            text = (made / file).read_text() + "".join(map(line.format, functions))
            (self.folder / RULES / file).write_text(text)
        found = {"registry.o": commands["golden/policies/registry.cpp"]}
        for name in names:
            found[name + ".o"] = [*commands[RULES + "dense.cpp"][:-1], str(self.root / name)]
        return found

    def make(self):
        """Returns how many objects were compiled."""
        commands, objects = self._commands(), self.folder / "objects"
        objects.mkdir()
        ccache = [shutil.which("ccache")] if shutil.which("ccache") else []
        new = {made: objects / made.replace("/", "+") for made in commands}

        def compile_one(made):
            words = ["-O0" if word == "-O3" else word for word in commands[made]]  # the run is short, the build is not
            source = os.path.relpath(words[-1], self.root)
            words[-1] = str(self.folder / source if source in self.patched else self.root / source)
            words[words.index("-o") + 1] = str(new[made])
            words.insert(1, f"-I{self.folder}")
            done = subprocess.run([*ccache, *words], cwd=self.build, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(compile_one, commands))
        link = shlex.split(_ninja(self.build, "commands", "winnow").splitlines()[-1].split(" && ")[1])
        direct = [str(new.pop(word)) if word in new else word for word in link]
        at = direct.index("-o")
        program = self.folder / "build/winnow"
        program.parent.mkdir()
        words = [*direct[:at], *map(str, new.values()), "-o", str(program), *direct[at + 2 :]]
        subprocess.run(words, cwd=self.build, check=True)
        return len(commands)

    def run(self, line):
        """(exit code, stdout and stderr) of a command as the page has it."""
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        return done.returncode, done.stdout + done.stderr
