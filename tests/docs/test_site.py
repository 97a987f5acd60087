"""The site of the pages (scripts/docs): built without network, every link followed, a planted broken one found."""

import html.parser
import re
import shutil
import subprocess
import sys

import pytest
from names import ROOT, tree_files

pytest.importorskip("mkdocs", reason="scripts/setup --dev brings it")
pytest.importorskip("material", reason="scripts/setup --dev brings it")
PAGE_FOLDERS = ("docs", "golden", "models", "sim", "rtl", "cuda_ref", "traces", "python")


def build(tree, output):
    done = subprocess.run(
        [sys.executable, tree / "scripts/docs", "--output", output], capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


class Links(html.parser.HTMLParser):
    """What a page asks for when it is opened."""

    def __init__(self, text):
        super().__init__()
        self.loaded = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.loaded.append(found["src"])
        if tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(found["href"])


def test_the_site(tmp_path, capsys):
    site = tmp_path / "site"
    code, said = build(ROOT, site)
    assert code == 0, said
    pages = sorted(site.rglob("*.html"))
    names = {str(page.relative_to(site)) for page in pages}
    markdown = [name for name in tree_files(ROOT) if name.endswith(".md")]
    for name in markdown:
        wanted = re.sub(r"README\.md$", "index.md", name).removesuffix(".md") + ".html"
        assert wanted in names, f"{name}: not in the site: mkdocs.yml, nav"
    asked = 0
    for page in pages:
        for address in Links(page.read_text(encoding="utf-8")).loaded:
            if page.name == "404.html" and address.startswith("/"):
                continue
            assert not re.match(r"(https?:)?//", address), f"{page}: asks for {address}"
            if not address.startswith("data:"):
                assert (page.parent / address.split("?")[0]).resolve().exists(), f"{page}: {address}"
            asked += 1
    with capsys.disabled():
        print(f"\n{len(markdown)} pages in the site, {asked} files that they load, {said.strip()}")
    assert asked > len(pages)


# A page that is not there, a heading that is not, a file of the tree that is not; and what of it is told.
PLANTED = {
    "[words](docs/nowhere.md)": "docs/nowhere.md",
    "[words](docs/results.md#no-such-heading)": "no-such-heading",
    "[words](sim/nowhere)": "sim/nowhere",
}


def test_links_that_lead_nowhere(tmp_path):
    tree = tmp_path / "tree"
    for folder in PAGE_FOLDERS:
        for name in tree_files(ROOT):
            if name.startswith(f"{folder}/") and name.endswith((".md", ".svg", ".png", ".ipynb", ".yaml", ".html")):
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, tree / name)
    (tree / "scripts").mkdir()
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "mkdocs.yml", "scripts/docs", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(ROOT / ".venv")
    lines = "\n\n".join(["", *PLANTED, ""])
    (tree / "README.md").write_text((ROOT / "README.md").read_text(encoding="utf-8") + lines, encoding="utf-8")
    code, said = build(tree, tmp_path / "site")
    assert code == 1, said
    for told in PLANTED.values():
        assert told in said, said
    # Other pages link to sources, which this tree has not.
    assert said.count("Doc file 'README.md'") == len(PLANTED), said
