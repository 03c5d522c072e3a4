"""Voicemail as callers and owners live through it: leaving a message, and hearing them.

It does no I/O: boxes, lamps and the post office are Protocols (boxes.py), which `server.py` binds.
"""
