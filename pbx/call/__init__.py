"""Calls: what a party lives through, written as coroutines over the SIP and media cores.

exchange.py      pulls the events of SIP and media and gives them to whom they concern
admission.py     who is calling: extension, trunk, or nobody we know
registration.py  REGISTER, the bindings' life, OPTIONS qualify
routing.py       where a call goes next: the registry of destination kinds
call.py          the actor of one call: its script, its legs, its one ending
leg.py           one party's SIP invite usage and media
ringing.py       several contacts rung at once; the first 2xx wins
bridge.py        two legs that hear each other
features.py      codes that a phone dials
outcome.py       how things end: outcomes, endings, Q.850 causes

`async def`, but no I/O of its own: everything that touches the world comes in through Protocols.
"""
