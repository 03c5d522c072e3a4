"""Calls: what a party lives through, written as coroutines over the SIP and media cores.

exchange.py        pulls the events of SIP and media and gives them to whom they concern
admission.py       who is calling: extension, trunk, or nobody we know
registration.py    REGISTER, the bindings' life, OPTIONS qualify
routing.py         where a call goes next: the registry of destination kinds; standard.py fills it
call.py            the actor of one call: its script, its legs, its one ending
extension.py       calling an extension, and its mailbox; ring_group.py several parties for one call
ringing.py         several contacts (contact.py) rung at once; the first 2xx wins
bridge.py          two legs that hear each other
features.py        codes that a phone dials: their registry
leg.py             one party's SIP invite usage and media (leg_media.py)
renegotiation.py   what changes while a leg is up: hold, codec; info.py keys and INFO
worker_reports.py  what the media worker says of a leg (quality.py: its figures)
outcome.py         how things end: outcomes, Q.850 causes; endings.py reads them from SIP

`async def`, but no I/O of its own: everything that touches the world comes in through Protocols.
"""
