"""lleaves_batch.py MODEL.txt ROWS.f64 N COLUMNS - nanoseconds of processor time of a row by lleaves, least of five.

A program of its own, since lleaves 1.3 needs an llvmlite below 0.44: bench/predict calls it by the Python that
LLEAVES_PYTHON names (pip install lleaves "llvmlite<0.44").
"""
import os
import sys
import time
os.environ['OMP_NUM_THREADS'] = '1'
import lleaves
import llvmlite
import numpy as np

n, p = int(sys.argv[3]), int(sys.argv[4])
x = np.fromfile(sys.argv[2]).reshape(n, p)
model = lleaves.Model(model_file=sys.argv[1])
model.compile()
best = 1e300
for _ in range(6):
    t = time.process_time_ns()
    model.predict(x, n_jobs=1)
    best = min(best, time.process_time_ns() - t)
print(best / n)
print(f'lleaves with llvmlite {llvmlite.__version__}', file=sys.stderr)
