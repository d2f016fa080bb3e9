"""Week 3: attention, its exact and approximate forms, and how a transformer knows positions."""
