"""The plan run by plain Python, PyAV and NumPy, one frame at a time.

This is the specification in code, the oracle of the tests and the baseline of the benchmarks.  It is
written to be read: where the core is fast, this is short.
"""
