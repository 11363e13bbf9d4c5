#!/usr/bin/env python3
"""The catalogue of bad inputs against its cases.

  bad.py check     docs/bad-inputs.md (rows), tests/bad/cases.tsv (cases), tests/bad/later.txt (what
                   waits for which part) and include/tidemill/status.h (codes) agree:
                   every row has a case or waits; every case has a row; what waits for a part
                   that is there fails; every code of a case exists with its exit code; every
                   code but `ok` and `internal` is reached by a case or named in later.txt
  bad.py missing   rows and letters without a case or a line in later.txt
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOC, CASES, LATER = "docs/bad-inputs.md", "tests/bad/cases.tsv", "tests/bad/later.txt"
EXITS = {"TIDE_OK": 0, "TIDE_ENO": 1, "TIDE_EINVAL": 2, "TIDE_EDATA": 3, "TIDE_EMODEL": 4, "TIDE_EFILE": 5,
         "TIDE_ELIMIT": 6, "TIDE_ENUMERIC": 7, "TIDE_EPEER": 8, "TIDE_ENOMEM": 6, "TIDE_EINTERNAL": 70,
         "TIDE_ECANCELLED": 130}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read().split("\n")


def rows():
    """{ID: letters of the verbs that meet it}"""
    found = {}
    for line in read(DOC):
        m = re.match(r"\| ([A-Z]\d\d) \|", line)
        if m:
            cells = re.split(r"(?<!\\)\|", line)
            found[m.group(1)] = "".join(sorted(set(re.findall(r"[TPDISWLAR]", cells[3]))))
    return found


def cases():
    """[(line, ID, letters, exit, code without w:, is a warning)]"""
    found = []
    for number, line in enumerate(read(CASES), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t") + [""] * 9
        name, _, letters = cells[0].partition("/")
        code = "" if cells[4] == "-" else cells[4]
        found.append((number, name, letters.split(".")[0], cells[3], code.removeprefix("w:"),
                      code.startswith("w:")))
    return found


def codes():
    text = "\n".join(read("include/tidemill/status.h"))
    return {m.group(1): EXITS[m.group(2)]
            for m in re.finditer(r'X\(\d+, \w+, "([a-z0-9-]+)", (TIDE_\w+),', text)}


def later():
    """parts {name: path}, letters {letter: part}, rows {(ID, letters): part}, codes {code: part}"""
    parts, letters, waits, unreached, problems = {}, {}, {}, {}, []
    for number, line in enumerate(read(LATER), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        kind = words[0]
        if kind == "part" and len(words) == 3:
            parts[words[1]] = words[2]
        elif kind == "letter" and len(words) == 3:
            letters[words[1]] = words[2]
        elif kind == "code" and len(words) == 3:
            unreached[words[1]] = words[2]
        elif re.fullmatch(r"[A-Z]\d\d(/[A-Z]+)?", kind) and len(words) == 2:
            waits[tuple((kind + "/").split("/")[:2])] = words[1]
        else:
            problems.append(f"{LATER}:{number}: not understood: {line}")
    return parts, letters, waits, unreached, problems


def elsewhere(part):
    """A test of its own holds the row."""
    return part.startswith("@") and os.path.exists(os.path.join(ROOT, part[1:]))


def is_there(path):
    return path != "-" and os.path.exists(os.path.join(ROOT, path))


def uncovered():
    """[(ID, letter or "", part it waits for or None)]"""
    _, letters, waits, _, _ = later()
    have = {}
    for _, name, by, *_ in cases():
        have.setdefault(name, set()).update(by)
    out = []
    for name, by in rows().items():
        whole = waits.get((name, ""))
        named = {x: p for (i, xs), p in waits.items() if i == name for x in xs}
        if not have.get(name):
            parts = {letters.get(x) for x in by}
            part = whole or (None if None in parts and not named else ",".join(
                sorted(p for p in parts | set(named.values()) if p)))
            out.append((name, "", part or None))
            continue
        for x in by:
            if x in letters and x not in have[name]:
                out.append((name, x, named.get(x) or letters[x]))
    return out


def check():
    parts, letters, waits, unreached, problems = later()
    known, listed, reached = codes(), rows(), set()
    for number, name, by, status, code, is_warning in cases():
        where = f"{CASES}:{number}"
        if name not in listed:
            problems.append(f"{where}: {DOC} has no row {name}")
        if not code:
            continue
        if code.startswith("("):
            reached.update(code.strip("()").split("|"))
            continue
        reached.add(code)
        if code not in known:
            problems.append(f"{where}: status.h has no code '{code}'")
        elif not is_warning and known[code] != int(status or 0) and not code.startswith(("param-", "pipeline-")):
            problems.append(f"{where}: '{code}' exits with {known[code]}, not {status}")
    for name, letter, part in uncovered():
        row = f"{name}/{letter}" if letter else name
        if part is None:
            problems.append(f"{DOC}: {row} has no case, and {LATER} does not say what it waits for")
            continue
        for p in part.split(","):
            if elsewhere(p):
                continue
            if p not in parts:
                problems.append(f"{LATER}: {row} waits for '{p}', which is no part")
            elif is_there(parts[p]):
                problems.append(f"{LATER}: {row} waits for '{p}', and {parts[p]} is there")
    for code in known:
        if code in reached or code in ("ok", "internal"):
            continue
        part = unreached.get(code)
        if part is None:
            problems.append(f"status.h: no case reaches '{code}'")
        elif elsewhere(part):
            continue
        elif part not in parts:
            problems.append(f"{LATER}: code {code} waits for '{part}', which is no part")
        elif is_there(parts[part]):
            problems.append(f"{LATER}: code {code} waits for '{part}', and {parts[part]} is there")
    for code in sorted(set(unreached) & (reached | set(unreached) - set(known))):
        problems.append(f"{LATER}: code {code} need not be named")
    for (name, by), part in waits.items():
        if name not in listed:
            problems.append(f"{LATER}: {DOC} has no row {name}")
    for p in problems:
        print(p)
    print(f"{len(listed)} rows, {len(cases())} lines of cases, {sum(1 for u in uncovered())} wait")
    print(f"{1 if not problems else 0} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        sys.exit(check())
    if sys.argv[1:] == ["missing"]:
        for item in uncovered():
            print(*item)
        sys.exit(0)
    sys.exit(__doc__)
