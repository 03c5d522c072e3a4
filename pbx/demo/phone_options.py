"""What a phone process is told when it starts, and what it leaves out of its descriptions."""

from __future__ import annotations

import argparse


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Be a soft phone, driven on stdin.")
    parser.add_argument(
        "--bind", default="127.0.0.1", help="our IPv4 address (pjsua2 is built without IPv6)"
    )
    parser.add_argument("--port", type=int, default=0, help="our SIP port, UDP and TCP; 0: any")
    parser.add_argument("--codecs", default="PCMU,PCMA,G722", help="what is offered, in order")
    parser.add_argument("--ptime", type=int, default=0, help="ms a packet, as we ask for")
    parser.add_argument(
        "--no-events", dest="events", action="store_false", help="have no telephone-event"
    )
    parser.add_argument("--log", default="", help="file for PJSIP's own log")
    parser.add_argument("--tls-ca", default="", help="whom to believe; with it there is TLS")
    parser.add_argument(
        "--srtp", type=int, default=0, help="0: off, 1: optional, 2: required, as PJSIP counts"
    )
    parser.add_argument(
        "--subscribe", action="store_true", help="subscribe to the messages in one's box"
    )
    return parser.parse_args()


def without_events(description: str) -> str:
    """Return an SDP without telephone-event, as a phone writes it that has none."""
    lines = description.splitlines()
    events = {
        line.removeprefix("a=rtpmap:").split()[0]
        for line in lines
        if line.startswith("a=rtpmap:") and "telephone-event" in line
    }
    kept = []
    for line in lines:
        if line.startswith(("a=rtpmap:", "a=fmtp:")) and line.split(":")[1].split()[0] in events:
            continue
        if line.startswith("m=audio"):
            head, formats = line.split()[:3], line.split()[3:]
            line = " ".join([*head, *(each for each in formats if each not in events)])
        kept.append(line)
    return "\r\n".join([*kept, ""])
