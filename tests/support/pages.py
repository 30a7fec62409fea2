"""The pages of the documentation, and the comments of the configs, as tests read them: which commands they show."""

import re
import shlex

from support.workspace import ROOT


def comments_of(config):
    """Return the comments of a config, without their signs, as the text of a page."""
    return "\n".join(line.replace("#", " ", 1) for line in config.splitlines() if line.lstrip().startswith("#"))


# What was typed once, and need not work today.
HISTORY = ("CHANGELOG.md", "docs/log.md")
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/**/*.md", "config/**/*.md")
    for path in sorted(ROOT.glob(pattern))
    if str(path.relative_to(ROOT)) not in HISTORY
}
CONFIGS = sorted((ROOT / "config").glob("**/*.yaml"))
PAGES |= {str(path.relative_to(ROOT)): comments_of(path.read_text(encoding="utf-8")) for path in CONFIGS}


INLINE = ("snakemake", "make", "python", "optical", "pip", "--config")
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def commands_in(text):
    """Return the commands of a page as lists of words: of indented lines, of shell blocks, and those in backticks."""
    text = BLOCK.sub(shell_lines, text)
    lines, place, found = text.splitlines(), 0, []
    while place < len(lines):
        words, count = words_from(lines[place:]) if re.match(r" {4,}[a-z.-]", lines[place]) else ([], 1)
        found.append(words)
        place += count
    inline = [shlex.split(code) for code in re.findall(rf"`((?:{'|'.join(INLINE)})\s[^`]*)`", text)]
    return [words for line in [*found, *inline] for words in parts_of(line) if words]


def shell_lines(block):
    """Return the commands of a block as indented lines; in a `console` block they follow `$`. Others have none."""
    kind, lines = block[1], block[2].splitlines()
    if kind == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return "\n".join(f"    {line}" for line in lines) if kind in ("sh", "console") else ""


def words_from(lines):
    """Return the words of the command that the first of these lines begins, and how many lines it takes."""
    text = ""
    for count, line in enumerate(lines, start=1):
        text = f"{text} {line.strip().removesuffix(chr(92))}"
        try:
            words = shlex.split(text, comments=True)
        except ValueError:  # a quotation is still open
            continue
        if not line.endswith("\\"):
            return words, count
    return [], 1  # an apostrophe: this is no command


def parts_of(words):
    """Yield the commands that `&&` joins."""
    while "&&" in words:
        place = words.index("&&")
        yield words[:place]
        words = words[place + 1 :]
    yield words


def commands_of(program):
    """Return the commands of the pages that start a program, each once, with the page it stands in first."""
    found = {}
    for page, text in PAGES.items():
        for words in commands_in(text):
            if words[:1] == [program]:
                found.setdefault(shlex.join(words[1:]), page)
    return found
