"""The benchmark suite: emomedia against the best that a user could do instead. See docs/benchmarks.md."""
