#!/usr/bin/env python3
"""House style that no compiler checks; prints file:line: what, and exits 1 when there is any.

  style.py          banned functions, words of error messages, names, machine paths, TODOs, links
  style.py sizes    the longest files and functions (aims: file 600, header 300, function 40)
  style.py files    the files of the tree, one a line
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PRINTS = ("src/cli/", "src/serve/", "src/tutor/")
# (what, expression on code without comments and strings, where it is allowed)
BANNED = [
    ("memory goes through base/alloc.h",
     r"(?<![.>\w])(malloc|calloc|realloc|free|aligned_alloc|posix_memalign)\s*\(", ("src/base/",)),
    ("files go through base/file.h", r"(?<![.>\w])(fopen|open|openat|mmap|munmap)\s*\(",
     ("src/base/",)),
    ("qsort orders ties differently between C libraries: math/sort.h",
     r"(?<![.>\w])(qsort(_r)?)\s*\(", ("src/base/",)),
    ("not safe or not seeded", r"(?<![.>\w])(strcpy|strcat|sprintf|vsprintf|strtok|gets|s?rand"
     r"|random|drand48|alloca)\s*\(", ()),
    ("time is no seed: base/clock.h for reports", r"(?<![.>\w])(time)\s*\(", ("src/base/clock.c",)
     + PRINTS),
    ("depends on the locale: base/numparse.h", r"(?<![.>\w])(ato[ifl]l?|strto(d|f|ld)|v?f?sscanf"
     r"|v?f?scanf)\s*\(", ()),
    ("the library never prints", r"(?<![.>\w])(v?f?printf|f?puts|f?putc|putchar|perror)\s*\(",
     PRINTS),
    ("the library never ends the process, reads the environment or touches the locale",
     r"(?<![.>\w])(_?exit|_Exit|abort|(secure_)?getenv|setenv|putenv|setlocale|localtime(_r)?"
     r"|gmtime|signal|sigaction)\s*\(", PRINTS),
    ("no OpenMP runtime", r"(\bomp_\w+|#\s*pragma\s+omp(?!\s+simd))", ()),
    ("threads only by base/par.h", r"\b(pthread_create|thrd_create|pthreadpool_\w+)\s*\(",
     ("src/base/par.c", "src/serve/")),
    ("names in _t belong to POSIX, tm_ to libc",
     r"(\btypedef\b[^;{]*\b\w+_t\s*;|\}\s*\w+_t\s*;|\bstruct\s+\w+_t\s*\{|^[\w *]+\btm_\w+\s*\()", ()),
]
BANNED = [(what, re.compile(rx, re.M), where) for what, rx, where in BANNED]
FLOAT_FORMAT = re.compile(r"%[-+#0']*(\*|\d+)?(\.(\*|\d+)?)?L?[aefgAEFG]")
ERROR_CALL = re.compile(r"\b(err_setv?|err_hint|err_place|ctx_note|ctx_warn)\s*\(")
ERROR_WORDS = re.compile(r"\b(failed to|invalid|please)\b", re.I)
TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'", re.S)
MACHINE = re.compile(r"(?<![\w.<])/(?:wor[k]|roo[t]|hom[e])/|\bshare[d]/(?!data\b|lib)")
TODO = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b(?!\(#\d+\))")


def tracked():
    """The files of the tree: by git where there is one, else all but builds."""
    git = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, text=True)
    if git.returncode == 0:
        names = git.stdout.split("\n")
    else:
        names = [os.path.relpath(os.path.join(w, f), ROOT)
                 for w, dirs, files in os.walk(ROOT) for f in files
                 if not os.path.relpath(w, ROOT).startswith(("build", "."))]
    return sorted(n for n in names if n and os.path.isfile(os.path.join(ROOT, n)))


def read(path):
    with open(os.path.join(ROOT, path), "rb") as f:
        data = f.read()
    return None if b"\0" in data[:4096] else data.decode("utf-8", "replace")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def split_code(text):
    """The code with comments and strings blanked, and the strings as (offset, text)."""
    strings = []

    def take(m):
        s = m.group()
        if s[0] == '"':
            strings.append((m.start(), s[1:-1]))
            return '"' + blank(s[1:-1]) + '"'
        return blank(s)
    return TOKENS.sub(take, text), strings


def call_end(code, start):
    depth = 0
    for i in range(start, min(len(code), start + 4000)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return i
    return start


def check_errors(code, strings, say):
    for m in ERROR_CALL.finditer(code):
        end = call_end(code, m.end() - 1)
        said = [(o, s) for o, s in strings if m.end() <= o < end]
        for offset, s in said:
            bad = ERROR_WORDS.search(s)
            if bad:
                say(offset, f'"{bad.group()}" in a message: name what is and what must be')
        if said and m.group(1).startswith("err_set") and re.search(r"[^.]\.$", said[-1][1]):
            say(said[-1][0], "a message ends without a full stop")


def check_c(path, text, say):
    code, strings = split_code(text)
    inside = path.startswith(("src/", "include/", "bindings/"))
    for what, rx, where in BANNED:
        if (not inside and where) or path.startswith(where or ("-",)):
            continue
        if not inside and ("locale" in what):
            continue
        for m in rx.finditer(code):
            say(m.start(), f"{m.group(1).strip()}: {what}")
    if not inside:
        return
    for offset, s in strings:
        if FLOAT_FORMAT.search(s):
            say(offset, f'"{s}" prints by the locale: %r of base/err.h, str_num of base/str.h')
    check_errors(code, strings, say)


def check_links(path, text, say):
    prose = re.sub(r"^```.*?^```", lambda m: blank(m.group()), text, flags=re.S | re.M)
    for m in re.finditer(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
        target = m.group(1)
        if "://" not in target and not target.startswith("mailto:") and not os.path.exists(
                os.path.join(ROOT, os.path.dirname(path), target)):
            say(m.start(), f"links to {target}, which is not there")


def check():
    problems = []
    for path in tracked():
        text = read(path)
        if text is None or path.startswith(("data/", "tests/fuzz/corpus/")):
            continue

        def say(offset, what, path=path, text=text):
            problems.append((path, text.count("\n", 0, offset) + 1, what))
        for m in MACHINE.finditer(text):
            say(m.start(), "path of one machine")
        for m in TODO.finditer(text) if not path.endswith((".py", ".md")) else ():
            say(m.start(), f"{m.group()} names no issue; write it as {m.group()}(#12)")
        if path.endswith((".c", ".h")):
            check_c(path, text, say)
        if path.endswith(".md"):
            check_links(path, text, say)
    for path, line, what in sorted(set(problems)):
        print(f"{path}:{line}: {what}")
    return 1 if problems else 0


def functions(text):
    """(lines, name, line) of each function; relies on the brace at column 0 of our format."""
    lines, start = text.split("\n"), None
    for i, line in enumerate(lines):
        if line == "{":
            head = i - 1
            while head > 0 and lines[head].startswith((" ", "\t")):
                head -= 1
            name = re.search(r"(\w+)\s*\(", lines[head])
            start = (head, name.group(1) if name else "?")
        elif line == "}" and start:
            yield i - start[0] + 1, start[1], start[0] + 1
            start = None


def sizes():
    files, funcs = [], []
    for path in tracked():
        if path.endswith((".c", ".h")):
            text = read(path)
            files.append((text.count("\n"), path))
            if path.startswith("src/"):
                funcs += [(n, path, line, name) for n, name, line in functions(text)]
    lengths = sorted(n for n, *_ in funcs)
    if lengths:
        print(f"{len(lengths)} functions: median {lengths[len(lengths) // 2]} lines, "
              f"nine in ten below {lengths[len(lengths) * 9 // 10] + 1}")
    print("longest files")
    for n, path in sorted(files, reverse=True)[:20]:
        print(f"{n:6} {path}")
    print("longest functions")
    for n, path, line, name in sorted(funcs, reverse=True)[:30]:
        print(f"{n:6} {path}:{line} {name}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["sizes"]:
        sys.exit(sizes())
    if sys.argv[1:] == ["files"]:
        print("\n".join(tracked()))
        sys.exit(0)
    sys.exit(check() if len(sys.argv) == 1 else __doc__)
