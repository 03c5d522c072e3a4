"""The PJSIP phone: the demo's own, driven the same way by tests."""

from pbx.demo.driver import Event, EventLog, PhoneError, SoftCall, SoftPhone

__all__ = ["Event", "EventLog", "PhoneError", "SoftCall", "SoftPhone"]
