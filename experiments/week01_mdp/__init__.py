"""Week 1: Markov decision processes, Bellman equations and dynamic programming."""
