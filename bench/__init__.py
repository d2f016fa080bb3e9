"""Side-by-side benchmarks against peers: ratios from one process, never absolute speeds."""
