"""The PJSIP phone: the demo's own, driven the same way by tests."""

from pbx.demo.driver import RECORDED_HZ, Event, EventLog, PhoneError, SoftCall, SoftPhone, Srtp

__all__ = ["RECORDED_HZ", "Event", "EventLog", "PhoneError", "SoftCall", "SoftPhone", "Srtp"]
