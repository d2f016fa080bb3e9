"""Week 2: tokenization."""
