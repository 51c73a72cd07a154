"""What descriptions, stage files and an audit's lines may say, as pydantic models; complaints in one line.

Only the shape of a file and what can be judged of one value is decided here: :mod:`.values` has the types
of values, :mod:`.tables` the files that people and stages write, :mod:`.audit` a line of clips.jsonl, and
:mod:`.validation` holds a value to a model.  What several values say together is for the modules that read
them: they import this package when they read a file and not before, because pydantic takes a while to
import.
"""
