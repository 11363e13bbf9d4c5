#!/usr/bin/env python3
"""Numbers of other programs that the tests compare with: tests/golden/*.json.

  golden.py check    each file is the work of the script beside it: the script's hash (with that of
                     golden_file.py) is the one in the file; the script opens with its exact pip
                     line; the file is no larger than 200 kB; every case states a tolerance and why
"""
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PIP = re.compile(r'#!/usr/bin/env python3\n"""pip install( [\w-]+==[\w.]+)+\n')


def problems(folder):
    sys.path.insert(0, folder)
    import golden_file as golden
    found = []
    scripts = sorted(glob.glob(os.path.join(folder, "make_*.py")))
    files = {os.path.basename(p): p for p in glob.glob(os.path.join(folder, "*.json"))}
    for path in scripts:
        script = os.path.basename(path)
        name = script.removeprefix("make_").removesuffix(".py") + ".json"
        with open(path, encoding="utf-8") as f:
            if not PIP.match(f.read()):
                found.append(f"{script}: does not open with its pip line of exact versions")
        if name not in files:
            found.append(f"{script}: {name} is not there")
            continue
        if os.path.getsize(files[name]) > golden.MOST:
            found.append(f"{name}: larger than {golden.MOST} bytes")
        with open(files.pop(name), encoding="utf-8") as f:
            made = json.load(f)
        if made.get("script") != script or made.get("sha256") != golden.sha256(script):
            found.append(f"{name}: not what {script} writes now (run: {made.get('command')})")
        for case in made["cases"]:
            if not re.fullmatch(r"exact|(rel|abs) \de-\d+", case["tolerance"]) or not case["why"]:
                found.append(f"{name}: {case['name']}: no tolerance with its reason")
    found += [f"{name}: no script makes it" for name in files]
    return len(scripts), found


def main(args):
    if args != ["check"]:
        sys.exit(__doc__)
    n, found = problems(os.path.join(ROOT, "tests", "golden"))
    for line in found:
        print(line)
    print(f"{n} scripts")
    print(f"{1 if n and not found else 0} passed, {len(found)} failed")
    return 1 if found or not n else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
