"""The tests, which mirror the source. One thread a numeric library, set before anything imports one: tests run side by
side, small matrices gain nothing from more, and threads that wait for each other on a busy machine cost the most."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
