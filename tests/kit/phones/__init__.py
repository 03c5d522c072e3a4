"""Drivers for the real phones and tools that interop tests use, one subprocess each.

`pjsua.py` a PJSIP phone, `baresip.py` a baresip phone, `sipp.py` scenario-driven load and answers,
`sipvicious.py` attacks. The two phones are driven alike: `register`, `dial`, `incoming`; a call has
`wait`, `play`, `record`, `hang_up`.
"""
