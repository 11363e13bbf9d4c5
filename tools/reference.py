#!/usr/bin/env python3
"""The reference pages, from what the program says of itself; nothing in them is typed by hand.

  reference.py PROGRAM OUT    writes OUT/learners.md, steps.md, metrics.md ... and index.md
                              from `PROGRAM list --json`; the last line is the tally of entries
"""
import json
import os
import subprocess
import sys


def ask(program, *words):
    return json.loads(subprocess.run([program, "list", *words, "--json"], check=True,
                                     stdout=subprocess.PIPE).stdout)


def entries(value):
    """All objects with a kind and a name, however the answer nests them."""
    if isinstance(value, list):
        for v in value:
            yield from entries(v)
    elif isinstance(value, dict):
        if "kind" in value and "name" in value:
            yield value
        else:
            for v in value.values():
                yield from entries(v)


def span(p):
    if "choices" in p:
        return ", ".join(f"`{c}`" for c in p["choices"])
    if "min" not in p and "max" not in p:
        return p["type"]
    left = "(" if p.get("open_min") or "min" not in p else "["
    right = ")" if p.get("open_max") or "max" not in p else "]"
    return f"{p['type']} in {left}{p.get('min', '-inf')}, {p.get('max', 'inf')}{right}"


def default(p):
    value = p.get("default")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value in (None, "") else f"`{value}`"


def row(p):
    notes = [p.get("help", "")]
    if "when" in p:
        notes.append(f"matters when `{p['when']}`")
    if "aliases" in p:
        notes.append("also known as " + ", ".join(f"`{a}`" for a in p["aliases"]))
    cells = [f"`{p['name']}`", default(p), span(p), "; ".join(n for n in notes if n)]
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def page(kind, found):
    out = [f"# Reference: {kind}s", "", f"Written by tools/reference.py from `tidemill list {kind} --json`."]
    for e in found:
        out += ["", f"## {e['name']}", "", e.get("title", "") + "."]
        for key, words in (("tasks", "Tasks"), ("traits", "Traits"), ("guide", "Guide questions")):
            if e.get(key):
                out += ["", f"{words}: {', '.join(e[key])}"]
        if e.get("paper"):
            out += ["", f"Source: {e['paper']}"]
        if e.get("parameters"):
            out += ["", "| parameter | default | values | meaning |", "| --- | --- | --- | --- |"]
            out += [row(p) for p in e["parameters"]]
    return "\n".join(out) + "\n"


def main(program, out):
    kinds = {}
    for e in entries(ask(program)):
        kinds.setdefault(e["kind"], []).append(
            e if "parameters" in e else next(entries(ask(program, e["kind"], e["name"]))))
    os.makedirs(out, exist_ok=True)
    index = ["# Reference", ""]
    for kind, found in kinds.items():
        with open(os.path.join(out, kind + "s.md"), "w", encoding="utf-8") as f:
            f.write(page(kind, found))
        index += [f"- [{kind}s]({kind}s.md): " + ", ".join(f"`{e['name']}`" for e in found)]
    with open(os.path.join(out, "index.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(index) + "\n")
    n = sum(len(v) for v in kinds.values())
    print(f"{n} passed, 0 failed" if n else "0 passed, 1 failed")
    return 0 if n else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
