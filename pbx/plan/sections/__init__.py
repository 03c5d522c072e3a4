"""The sections of dialplan.yaml, one file and one row each.

To add one, write its file and a row here, and a field of `Plan`. Each says how it is read and, in
the same table, what editors and the documentation are told. Rows are in the order in which sections
are read: `defaults` come first, names may be used before they are defined.
"""

from __future__ import annotations

from typing import Final

from pbx.plan.sections import (
    conferences,
    defaults,
    features,
    flows,
    hours,
    lookups,
    menus,
    numbers,
    outbound,
    prompts,
    queues,
    ring_groups,
    surveys,
    tests,
    voicemail,
)
from pbx.plan.sections.section import Section

SECTIONS: Final[dict[str, Section]] = {
    each.SECTION.name: each.SECTION
    for each in (
        defaults,
        prompts,
        hours,
        numbers,
        lookups,
        flows,
        menus,
        ring_groups,
        queues,
        voicemail,
        surveys,
        conferences,
        outbound,
        features,
        tests,
    )
}

__all__ = ["SECTIONS", "Section"]
