#!/usr/bin/env python3
"""Checks every #include of src/ and include/ against tools/rooms.toml.

  rooms.py check    forbidden edges, foreign private headers, external headers outside their
                    owner, cycles of rooms and of headers, repeated file names; exit 1 if any
  rooms.py graph    the allowed edges, lowest room first
"""
import os
import re
import sys
import tomllib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def tree(folder):
    """All .c and .h files below ROOT/folder, relative to it."""
    top = os.path.join(ROOT, folder)
    found = []
    for where, dirs, files in os.walk(top):
        dirs.sort()
        found += [os.path.relpath(os.path.join(where, f), top)
                  for f in sorted(files) if f.endswith((".c", ".h"))]
    return found


def includes(path):
    """(line, is_quoted, name) of each #include, comments left out."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), f.read(),
                      flags=re.S)
    return [(text.count("\n", 0, m.start()) + 1, m.group(1) == '"', m.group(2))
            for m in INCLUDE.finditer(text)]


def order(edges):
    """Topological order of {node: needed nodes}, or the nodes of a cycle as (None, nodes)."""
    done, todo = [], dict(edges)
    while todo:
        ready = sorted(n for n, needs in todo.items() if not set(needs) & set(todo))
        if not ready:
            return None, sorted(todo)
        done += ready
        for n in ready:
            del todo[n]
    return done, []


def is_face(rooms, header):
    room, _, rest = header.partition("/")
    faces = rooms[room].get("faces", [room + ".h"])
    return rest in faces or ("*" in faces and "/" not in rest)


def owned(owners, path):
    return any(path == o or (o.endswith("/") and path.startswith(o)) for o in owners)


def check_file(rules, path, known, say):
    rooms, room = rules["rooms"], path.split("/")[0]
    mine = rooms[room]
    for line, quoted, name in includes("src/" + path):
        at = f"src/{path}:{line}"
        if name.startswith("tidemill/"):
            if quoted:
                say(f'{at}: write <{name}>, public headers stand in angle brackets')
            elif name[9:] not in known["include"]:
                say(f"{at}: <{name}> is no public header")
        elif quoted and name in rules["headers"]["generated"]:
            continue
        elif quoted:
            check_inside(rooms, room, mine, name, known, at, say)
        elif name in rules["external"]:
            if not owned(rules["external"][name], path):
                say(f"{at}: <{name}> belongs to {' '.join(rules['external'][name])}")
        elif name in rules["headers"]["posix"]:
            if not mine.get("system"):
                say(f"{at}: <{name}> is beyond C17; '{room}' goes through base")
        elif name not in rules["headers"]["c17"]:
            say(f"{at}: <{name}> has no owner in tools/rooms.toml")


def check_inside(rooms, room, mine, name, known, at, say):
    other = name.split("/")[0]
    if "/" not in name or other not in rooms:
        say(f'{at}: "{name}" must be written from src/, as "room/file.h"')
    elif name not in known["src"]:
        say(f'{at}: "{name}" is no file of src/')
    elif other == room or name in mine.get("also", []):
        return
    elif other not in mine["uses"]:
        say(f"{at}: '{room}' may not include '{other}' ({name})")
    elif not is_face(rooms, name):
        say(f"{at}: {name} is private to '{other}'")


def check_public(rules, path, known, say):
    for line, quoted, name in includes("include/tidemill/" + path):
        at = f"include/tidemill/{path}:{line}"
        if quoted or (name not in rules["headers"]["c17"] and
                      not (name.startswith("tidemill/") and name[9:] in known["include"])):
            say(f"{at}: public headers include C17's and <tidemill/...> only, not {name}")


def check_names(paths, what, say):
    seen = {}
    for p in paths:
        other = seen.setdefault(os.path.basename(p), p)
        if other != p:
            say(f"{what}{p}:1: the name is taken by {what}{other}")


def check_cycles(rules, known, say):
    _, ring = order({r: rules["rooms"][r]["uses"] for r in rules["rooms"]})
    if ring:
        say(f"tools/rooms.toml:1: rooms in a cycle: {' '.join(ring)}")
    edges = {}
    for p in known["src"]:
        if p.endswith(".h"):
            edges[p] = [n for _, quoted, n in includes("src/" + p) if quoted and n in known["src"]]
    for p in known["include"]:
        edges["tidemill/" + p] = [n for _, _, n in includes("include/tidemill/" + p)
                                  if n.startswith("tidemill/") and n[9:] in known["include"]]
    _, ring = order(edges)
    if ring:
        say(f"src/{ring[0]}:1: headers in a cycle: {' '.join(ring)}")


def check(rules):
    known = {"src": set(tree("src")), "include": set(tree("include/tidemill"))}
    problems = []
    for path in sorted(known["src"]):
        if path.split("/")[0] not in rules["rooms"]:
            problems.append(f"src/{path}:1: no room of tools/rooms.toml")
        else:
            check_file(rules, path, known, problems.append)
    for path in sorted(known["include"]):
        check_public(rules, path, known, problems.append)
    for ending in (".c", ".h"):
        check_names([p for p in sorted(known["src"]) if p.endswith(ending)], "src/",
                    problems.append)
    check_cycles(rules, known, problems.append)
    for p in problems:
        print(p)
    print(f"{len(known['src']) + len(known['include'])} files read", file=sys.stderr)
    return problems


def main(args):
    with open(os.path.join(ROOT, "tools", "rooms.toml"), "rb") as f:
        rules = tomllib.load(f)
    if args == ["check"]:
        return 1 if check(rules) else 0
    if args == ["graph"]:
        done, ring = order({r: v["uses"] for r, v in rules["rooms"].items()})
        for r in done or ring:
            print(r, "<-", " ".join(rules["rooms"][r]["uses"] + rules["rooms"][r].get("also", [])))
        return 0
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
