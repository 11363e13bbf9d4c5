"""peers.py - what bench/predict and bench/shap share: tables, our side, timing."""
import json, os, subprocess, sys, time
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('TIDEMILL_BUILD', os.path.join(ROOT, 'build'))
TIDEMILL = os.environ.get('TIDEMILL', os.path.join(BUILD, 'src', 'tidemill'))


def run(*args):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, text=True).stdout


def compile_c(name, folder, *more):
    out = os.path.join(folder, name)
    run('cc', '-O2', '-std=gnu17', os.path.join(ROOT, 'bench', name + '.c'), '-o', out, *more)
    return out


def ours_program(folder):
    lib = os.path.join(BUILD, 'src')
    return compile_c('ours', folder, '-I', os.path.join(ROOT, 'include'), '-L', lib,
                     '-Wl,-rpath,' + lib, '-ltidemill', '-lm')


def table(folder, rows, n_train):
    """CSV of 28 numbers and a label: (training file, file of the rows to score, X, y)."""
    path = os.path.join(folder, 'all.csv')
    run(TIDEMILL, 'make', 'higgs_like', '--rows', n_train + rows, '-q', '-o', path)
    lines = open(path).read().splitlines()
    head, body = lines[0], lines[1:]
    train, test = os.path.join(folder, 'train.csv'), os.path.join(folder, 'test.csv')
    open(train, 'w').write('\n'.join([head] + body[:n_train]) + '\n')
    open(test, 'w').write('\n'.join([head] + body[n_train:]) + '\n')
    target = head.split(',').index('y')
    data = np.genfromtxt(body, delimiter=',')
    return train, test, np.delete(data, target, 1), data[:, target].astype(int), n_train


class Timings:
    """Least processor time of each contestant; rounds are interleaved."""
    def __init__(self):
        self.todo, self.best = {}, {}

    def add(self, name, call):
        call()  # warm
        self.todo[name] = call

    def rounds(self, n):
        for _ in range(n):
            for name, call in self.todo.items():
                t = time.process_time_ns()
                own = call()
                t = time.process_time_ns() - t if not isinstance(own, float) else own
                self.best[name] = min(self.best.get(name, 1e300), t)

    def show(self, what, ours, unit):
        peers = {k: v for k, v in self.best.items() if k != 'tidemill'}
        for name, v in sorted(peers.items(), key=lambda kv: kv[1]):
            print(f'{what:22} {name:18} {v * unit:10.3f}  tidemill {ours * unit:10.3f}  '
                  f'ratio {v / ours:6.2f}')
        if peers:
            print(f'{what:22} best peer / tidemill: {min(peers.values()) / ours:.2f}')


def versions(*names):
    import importlib.metadata as known
    own = run(TIDEMILL, '--version').strip()
    print(', '.join([own] + [f'{n} {known.version(n)}' for n in names]))


def absent(name, why):
    print(f'{name}: left out, {type(why).__name__}: {str(why).splitlines()[0][:100] if str(why) else ""}',
          file=sys.stderr)
