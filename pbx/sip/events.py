"""What a `UserAgent` tells the layer above: ids and events.

Every event is in the past tense and names the INVITE, the server transaction or the request that it
is about. An id is unique within one run of the user agent and never used twice. A verb called with
the id of something that is over does nothing, because the far end may have ended it a moment ago.

What an INVITE lives through, as events:

    UAS   InviteReceived → (InviteCancelled | [InviteAcked] → … → InviteEnded)
    UAC   InviteProgressed* → (InviteFailed | InviteAnswered → … → InviteEnded)

Exactly one of InviteCancelled, InviteFailed and InviteEnded ends an INVITE, unless the layer above
ended it itself: after `UserAgent.end`, and after a `respond` with a failure, no event follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from pbx.sip.flow import Flow
    from pbx.sip.headers import Reason
    from pbx.sip.message import Request, Response

InviteId = NewType("InviteId", int)
"""Names an INVITE and the dialog that comes of it, from its first message to its end."""

TransactionId = NewType("TransactionId", int)
"""Names a server transaction that waits for `UserAgent.respond`."""

RequestId = NewType("RequestId", int)
"""Names a request sent by `UserAgent.request` or `UserAgent.send`."""

SubscriptionId = NewType("SubscriptionId", str)
"""Names a subscription that `UserAgent.accept_subscription` took."""


@dataclass(frozen=True, slots=True)
class InviteReceived:
    """A new INVITE. Answer it with `respond`, or turn it down with `end`.

    100 goes out by itself if no other response does within 0.1 s.
    """

    invite: InviteId
    transaction: TransactionId
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class InviteCancelled:
    """The caller gave up before the answer; CANCEL got its 200 and the INVITE its 487.

    `reasons` holds the Reason headers of the CANCEL (RFC 3326), such as "Call completed elsewhere".
    """

    invite: InviteId
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class InviteAcked:
    """Our 2xx to an INVITE or re-INVITE was acknowledged.

    The body of `request` holds the answer where our 2xx held the offer.
    """

    invite: InviteId
    request: Request


@dataclass(frozen=True, slots=True)
class InviteProgressed:
    """A provisional response 101–199. `response.to_tag` tells the branches of a fork apart."""

    invite: InviteId
    response: Response


@dataclass(frozen=True, slots=True)
class InviteAnswered:
    """The first 2xx; `ack` is due now, once. Later 2xx of other branches are ACKed and BYEd
    inside."""

    invite: InviteId
    response: Response


@dataclass(frozen=True, slots=True)
class InviteFailed:
    """The INVITE ended unanswered.

    `status` is that of `response`, redirections included; without a response it is 408 (nobody
    answered, slug "timeout"), 503 (the transport failed, "transport") or 480 (the callee hung up
    before answering, "bye").
    """

    invite: InviteId
    status: int
    response: Response | None
    slug: str


@dataclass(frozen=True, slots=True)
class InviteEnded:
    """An INVITE received, or an answered one that we sent, ended without our doing.

    `slug` is one of: "bye" (`request` is the BYE), "no_ack" (our 2xx was never acknowledged),
    "session_expired" (no refresh came, RFC 4028), "dialog_gone" (the far end answered 481 or
    nothing to a request in the dialog; `status` says which), "transport" (no way to reach it is
    left). A BYE, where one is due, was sent. `status` is 0 where no response was the cause.
    """

    invite: InviteId
    slug: str
    request: Request | None = None
    status: int = 0


@dataclass(frozen=True, slots=True)
class ReinviteReceived:
    """A re-INVITE or UPDATE, with or without a body; answer it with `respond`."""

    invite: InviteId
    transaction: TransactionId
    request: Request


@dataclass(frozen=True, slots=True)
class ReinviteAnswered:
    """A 2xx to our re-INVITE; `ack` is due now, once."""

    invite: InviteId
    response: Response


@dataclass(frozen=True, slots=True)
class ReinviteFailed:
    """Our re-INVITE was refused; what was agreed before still holds.

    491 comes up only after three tries. Where the refusal ends the dialog, InviteEnded follows
    instead.
    """

    invite: InviteId
    status: int
    response: Response | None


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """Any other request: INFO in a dialog, REGISTER, SUBSCRIBE and the like outside. Answer with
    `respond`, or a SUBSCRIBE with `accept_subscription`."""

    invite: InviteId | None
    transaction: TransactionId
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """The final response, of any class, to `request` or `send`."""

    request_id: RequestId
    response: Response


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """No response came: 408 "timeout", 503 "transport", or 481 "dialog_gone" (the dialog was over
    already), or 491 "offer_open" (an UPDATE would have crossed another offer)."""

    request_id: RequestId
    status: int
    slug: str


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """A subscription to something of ours is over, without our doing.

    `slug` is one of: "unsubscribed" (or it was a single question), "expired" (never refreshed),
    "dialog_gone" (the subscriber answered a NOTIFY by 481 and the like, or not at all; `status`
    says which), "transport" (no way to reach it is left). The state that it was to be told last may
    not have arrived in the last two cases.
    """

    subscription: SubscriptionId
    slug: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something received was ignored; `slug` says why, for counters and traces."""

    slug: str
    flow: Flow


UserAgentEvent = (
    InviteReceived
    | InviteCancelled
    | InviteAcked
    | InviteProgressed
    | InviteAnswered
    | InviteFailed
    | InviteEnded
    | ReinviteReceived
    | ReinviteAnswered
    | ReinviteFailed
    | RequestReceived
    | RequestAnswered
    | RequestFailed
    | SubscriptionEnded
    | Dropped
)
"""The closed union of all that `UserAgent.next_event` returns."""
