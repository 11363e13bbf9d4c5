#!/usr/bin/env python3
"""The tools are tested on a small tree with planted faults: what they must find, and nothing else."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
counts = {"passed": 0, "failed": 0}


def tree(files):
    """A folder with the tools and these files."""
    top = tempfile.mkdtemp(prefix="tools-")
    shutil.copytree(os.path.join(ROOT, "tools"), os.path.join(top, "tools"),
                    ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
        with open(os.path.join(top, path), "w", encoding="utf-8") as f:
            f.write(text)
    return top


def finds(what, command, files, expected, status=1):
    """One test: the command's lines on stdout begin as expected, one expectation a line."""
    top = tree(files)
    run = subprocess.run([sys.executable] + command, cwd=top, capture_output=True, text=True)
    shutil.rmtree(top)
    lines = run.stdout.split("\n")[:-1]
    good = run.returncode == status and len(lines) == len(expected) and all(
        line.startswith(e) for line, e in zip(lines, expected))
    counts["passed" if good else "failed"] += 1
    if not good:
        print(f"tests/tools_test.py:1: {what}: status {run.returncode}, expected {status} and\n  "
              + "\n  ".join(expected) + "\nfound\n  " + "\n  ".join(lines) + run.stderr)


EMPTY = {"src/base/str.h": "", "include/tidemill/ctx.h": "", "src/frame/frame.h": ""}


def rooms(what, path, text, expected):
    finds(what, ["tools/rooms.py", "check"], {**EMPTY, path: text}, expected, 1 if expected else 0)


def style(what, path, text, expected):
    finds(what, ["tools/style.py"], {path: text}, expected, 1 if expected else 0)


def rooms_tests():
    rooms("allowed edges pass", "src/frame/csv.c",
          '#include "frame/frame.h"\n#include <math.h>\n#include <tidemill/ctx.h>\n#include "base/str.h"\n', [])
    rooms("a forbidden edge", "src/base/up.c", '\n#include "frame/frame.h"\n', ["src/base/up.c:2: 'base'"])
    rooms("the program uses public headers", "src/cli/x.c", '#include "frame/frame.h"\n',
          ["src/cli/x.c:1: 'cli'"])
    rooms("a name that is taken", "src/prep/str.h", "", ["src/prep/str.h:1: the name"])
    rooms("a private header", "src/learners/tree/grow.h", "", [])
    finds("a foreign private header", ["tools/rooms.py", "check"],
          {"src/base/deep/x.h": "", "src/frame/a.c": '#include "base/deep/x.h"\n'},
          ["src/frame/a.c:1: base/deep/x.h is private"])
    rooms("an external header has one owner", "src/frame/t.c", "#include <pthreadpool.h>\n",
          ["src/frame/t.c:1: <pthreadpool.h> belongs to base/par.c"])
    rooms("POSIX stays in base", "src/math/t.c", "#include <unistd.h>\n", ["src/math/t.c:1: <unistd.h>"])
    rooms("public headers need nothing inside", "include/tidemill/y.h", '#include "base/str.h"\n',
          ["include/tidemill/y.h:1:"])
    finds("headers in a cycle", ["tools/rooms.py", "check"],
          {"src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/a.h"\n',
           "include/tidemill/c.h": ""}, ["src/base/a.h:1: headers in a cycle"])


def style_tests():
    style("clean code passes", "src/math/a.c", 'int f(void)\n{\n    return s.free(1); /* malloc(3) */\n}\n', [])
    style("memory", "src/math/a.c", "p = malloc(3);\n", ["src/math/a.c:1: malloc"])
    style("memory inside base", "src/base/a.c", "p = malloc(3);\n", [])
    style("unsafe strings, everywhere", "tests/unit/a.c", "\nstrcpy(a, b);\n", ["tests/unit/a.c:2: strcpy"])
    style("printing", "src/tune/a.c", 'printf("x");\n', ["src/tune/a.c:1: printf"])
    style("printing in the program", "src/cli/a.c", 'printf("x");\n', [])
    style("the locale's numbers", "src/cli/a.c", 'f("%5.2f %d");\n', ["src/cli/a.c:1: \"%5.2f"])
    style("words of messages", "src/prep/a.c", 'err_set(e, C, "failed to read \'%s\'", f);\n',
          ['src/prep/a.c:1: "failed to"'])
    style("full stops of messages", "src/prep/a.c", 'err_set(e, C,\n "it is so.", f);\n',
          ["src/prep/a.c:2: a message ends"])
    style("a machine's path", "docs/a.md", "see /" + "home/me/x\n", ["docs/a.md:1: path"])
    style("a dead link", "docs/a.md", "[x](b.md) [y](a.md) [z](https://x.org)\n", ["docs/a.md:1: links to b.md"])
    style("OpenMP", "src/simd/a.c", "#pragma omp parallel\n#pragma omp simd\n", ["src/simd/a.c:1: "])
    style("a TODO without issue", "src/simd/a.c", "/* TOD" + "O: x */ /* TOD" + "O(#3) */\n", ["src/simd/a.c:1: "])


def transcript(what, body, expected, status):
    finds(what, ["tools/transcript.py", "t.md"], {"./t.md": body}, expected, status)


def transcript_tests():
    block = "```console\n{}\n```\n".format
    transcript("exact output passes", block("$ echo 'a  b'; echo c >&2\na  b\nc"), ["1 passed, 0 failed"], 0)
    transcript("one session", block("$ x=1\n$ echo $x > f\n") + block("$ cat f\n1"), ["3 passed, 0 failed"], 0)
    transcript("times are masked", block("$ echo read 3.21 s, 5 threads\nread   0.1 s, 1 thread"),
               ["1 passed, 0 failed"], 0)
    transcript("scores are not", block("$ echo auc 0.91\nauc 0.92"),
               ["t.md:2: ", "    --- ", "    +++ ", "    @@ ", "    -auc", "    +auc", "0 passed, 1 failed"], 1)
    transcript("any lines", block("$ seq 9\n1\n...\n5\n...\n9"), ["1 passed, 0 failed"], 0)
    transcript("a status is stated", block("$ (exit 3)\n# exit 3"), ["1 passed, 0 failed"], 0)
    transcript("a status that is not", block("$ (exit 3)"), ["t.md:", "    exit 3, not 0", "0 passed, 1 failed"], 1)
    transcript("other fences are prose", "```sh\n$ false\n```\n", ["0 passed, 0 failed"], 0)


def golden(what, script, made, expected):
    with open(os.path.join(ROOT, "tests/golden/golden_file.py"), encoding="utf-8") as f:
        shared = f.read()
    sha = hashlib.sha256((script + shared).encode()).hexdigest()
    files = {"tests/golden/golden_file.py": shared, "tests/golden/make_x.py": script,
             "tests/golden/x.json": json.dumps(dict({"script": "make_x.py", "sha256": sha, "cases": [
                 {"name": "c", "tolerance": "rel 1e-9", "why": "sums"}]}, **made))}
    finds(what, ["tools/golden.py", "check"], files, expected + ["1 scripts", f"{int(not expected)} passed"],
          1 if expected else 0)


def golden_tests():
    pip = '#!/usr/bin/env python3\n"""pip install a==1.0 b-c==2.1\n"""\n'
    golden("a file and its script", pip, {}, [])
    golden("a script that was changed", pip, {"sha256": "0" * 64}, ["x.json: not what make_x.py writes now"])
    golden("no exact versions", '#!/usr/bin/env python3\n"""pip install a>=1\n"""\n', {},
           ["make_x.py: does not open with its pip line"])
    golden("a tolerance without a reason", pip, {"cases": [{"name": "c", "tolerance": "rel 1e-9", "why": ""}]},
           ["x.json: c: no tolerance with its reason"])


rooms_tests()
style_tests()
transcript_tests()
golden_tests()
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] else 0)
