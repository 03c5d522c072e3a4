"""The process that speaks: `python -m pbx.outside.speech.studio`, one order a line. [io]

All that works on samples or loads a model is in here; signalling talks to it by a pipe (`desk.py`)
and never imports it. Engines are functions of an `Order` that return samples (`engines` in
`__main__`); `mastering` brings what they return to one level, rate and length of silence.
"""
