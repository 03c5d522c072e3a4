"""Telephone numbers as carriers, people and dialplans write them, told to be one and the same.

A carrier's 02888886666, 2888886666, 862888886666, +862888886666 and 00862888886666 are one number
of China. Which country a number without a prefix is of is the office's (`defaults: country`). What
is no number of any country's plan, such as an extension or a carrier's short number, stays as it
is. All from Google's libphonenumber, whose tables are the ITU's and the countries' own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumber, PhoneNumberFormat

INTERNATIONAL_PREFIX: Final = "00"
E164_DIGITS: Final = range(8, 16)  # with the country code; ITU-T E.164 allows at most 15

CACHED: Final = 4096
"""Numbers whose reading is remembered; one costs some 20 µs."""

_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_BY_PREFIX: Final = (
    CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN,
    CountryCodeSource.FROM_NUMBER_WITH_IDD,
)


def spelling_of(number: str) -> str:
    """Return one spelling for all ways to write an international number: digits alone.

    Short numbers stay as they are: 00 before them is no international prefix.
    """
    found = re.fullmatch(rf"(?:\+|{INTERNATIONAL_PREFIX})([1-9][0-9]*)", number)
    return found[1] if found and len(found[1]) in E164_DIGITS else number


@lru_cache(maxsize=4 * CACHED)
def spelled(number: str, country: str) -> str:
    """Return the one spelling of all ways to write a number: its digits with the country code."""
    read = _read(number, country)
    if read is None:
        return spelling_of(number)
    return phonenumbers.format_number(read, PhoneNumberFormat.E164).removeprefix("+")


def dialled(number: str, country: str) -> str:
    """Return the digits by which an office of `country` dials a number: 02888886666, 13800138000,
    0085221234567."""
    read = _read(number, country)
    if read is None:
        return number
    text = phonenumbers.format_out_of_country_calling_number(read, country)
    return re.sub(r"[^0-9]", "", text)


def is_abroad(number: str, country: str) -> bool:
    """Tell whether a number, as a carrier of `country` is sent it, leads to another country."""
    read = _parse(number, country)
    if read is None:
        return _leads_abroad(country).match(number) is not None
    if read.country_code != phonenumbers.country_code_for_region(country):
        return read.country_code_source in _BY_PREFIX
    region = phonenumbers.region_code_for_number(read)  # several countries share +1, +44, +7
    return region is not None and region != country


def is_emergency(number: str, country: str) -> bool:
    """Tell whether `number`, whole, calls for help in `country`."""
    return phonenumbers.is_emergency_number(number, country)


def is_country(code: str) -> bool:
    """Tell whether `code` is a country of two letters whose numbers are known."""
    return code in phonenumbers.SUPPORTED_REGIONS


def is_way_abroad(digits: str, country: str) -> bool:
    """Tell whether these digits, whole, stand before a number of another country."""
    return _leads_abroad(country).fullmatch(digits) is not None


@lru_cache(maxsize=256)
def _leads_abroad(country: str) -> re.Pattern[str]:
    """Return what numbers of other countries begin with, also where there is no such country."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country)
    prefix = None if metadata is None else metadata.international_prefix
    return re.compile(rf"\+|{INTERNATIONAL_PREFIX}|{prefix or INTERNATIONAL_PREFIX}")


@lru_cache(maxsize=CACHED)
def _read(number: str, country: str) -> PhoneNumber | None:
    """Return a number that its country's plan has; None for any other text."""
    read = _parse(number, country)
    return read if read is not None and phonenumbers.is_valid_number(read) else None


@lru_cache(maxsize=CACHED)
def _parse(number: str, country: str) -> PhoneNumber | None:
    if _NUMBER.fullmatch(number) is None:
        return None
    try:
        return phonenumbers.parse(number, country, keep_raw_input=True)
    except NumberParseException:
        return None
