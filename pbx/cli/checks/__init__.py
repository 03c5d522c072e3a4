"""What `callpbx doctor` looks at. A check is a function that yields findings; it changes nothing.

`office.py` looks at the office's folder and at the running server, `certificate.py` at TLS,
`machine.py` at the box: ports, limits, clock, disk. Each ends in a tuple with its checks: a new one
is one function and one row.
"""
