"""What descriptions, stage files and the audit may contain, as pydantic models with one-line errors.

This package decides only a file's shape and what can be judged of one value.  :mod:`.values` has the types
of values, :mod:`.tables` the files that people and stages write, :mod:`.audit` a line of clips.jsonl;
:mod:`.validation` checks a value against a model.  What several values mean together is decided by the
modules that read them.  They import this package when they read a file and not before, because pydantic
takes a while to import.
"""
