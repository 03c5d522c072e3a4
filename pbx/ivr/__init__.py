"""Menus and flows: the verbs of dialplan.yaml, the interpreter, and its rehearsal."""
