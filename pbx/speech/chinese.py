"""The grammar that Mandarin and Cantonese share; what differs is in the `Wording` of each.

Numbers are grouped by 万 and 亿 (GB/T 15835 §4.3 and the rules taught in school): zeros at the end
of a group of four are silent, others are one 零; 十 loses its 一 only at the very beginning. A two
that opens a number takes 两 before the units of the wording, any later one stays 二 (两万二千).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from pbx.speech.reading import Moment, Money, Near, Number, near

DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Currency:
    """What the units of a currency are called: `name` goes before the number, `tenths` are "" where
    only hundredths have a name, which are "" where there are none."""

    unit: str
    name: str = ""
    tenths: str = ""
    hundredths: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one Chinese language.

    `units` are (10⁸, 10⁴, 10³, 10², 10), `paired` those of them that take `two`. `hours` are (first
    hour, what that part of the day is called). `telephone` are the digits 0–9 and the keys.
    """

    units: str
    two: str
    paired: str
    minus: str
    point: str
    day: str
    days: Mapping[Near, str]
    hours: tuple[tuple[int, str], ...]
    midnight: str
    clock: str
    half: str
    telephone: Mapping[str, str]
    own_currency: str
    currencies: Mapping[str, Currency]


_SIZES = (10**8, 10**4, 1000, 100, 10)


class Chinese:
    """Values as words of one Chinese language."""

    def __init__(self, wording: Wording) -> None:
        self._words = wording
        self._units = tuple(zip(wording.units, _SIZES, strict=True))

    def number(self, number: Number) -> str:
        """Return 负两千零二点五 for -2002.5."""
        return self._signed(number, self._whole(number.whole, opens=True) + self._tail(number))

    def counted(self, number: Number) -> str:
        """Return the number as it stands before what is counted: a two alone is 两."""
        if number.whole == 2 and not number.decimals:
            return self._signed(number, self._words.two)
        return self.number(number)

    def digits(self, groups: tuple[str, ...]) -> str:
        """Return 幺三八，零零幺三，八零零零 for three groups; letters stand apart."""
        return "，".join(self._spelled(group) for group in groups)

    def date(self, day: date, now: datetime | None) -> str:
        """Return 今天, 九月三十号, or with its year where that is not the one of `now`."""
        if name := near(day, now):
            return self._words.days[name]
        month = self._whole(day.month, opens=True)
        words = f"{month}月{self._whole(day.day, opens=True)}{self._words.day}"
        if now is not None and day.year == now.year:
            return words
        return "".join(DIGITS[int(digit)] for digit in f"{day.year:04}") + "年" + words

    def time(self, clock: time) -> str:
        """Return 上午九点半."""
        words = self._words
        part = next(name for first, name in reversed(words.hours) if clock.hour >= first)
        hour = clock.hour if clock.hour <= 12 else clock.hour - 12
        if hour == 0:
            said = words.midnight
        else:
            said = words.two if hour == 2 else self._whole(hour, opens=True)
        return part + said + words.clock + self._minutes(clock.minute)

    def moment(self, moment: Moment, now: datetime | None) -> str:
        """Return day and time, or which of them there is."""
        day = "" if moment.day is None else self.date(moment.day, now)
        return day + ("" if moment.clock is None else self.time(moment.clock))

    def money(self, money: Money) -> str:
        """Return 两百五十元五角; 角 and 分 for currencies that count so."""
        own = self._words.own_currency
        code = money.currency or own
        currency = self._words.currencies[code]
        if money.cents and not currency.hundredths:
            words = self.number(Number(money.number.whole, money.number.decimals)) + currency.unit
        else:
            words = self._amount(money, currency)
        return ("" if code == own else currency.name) + self._signed(money.number, words)

    def _signed(self, number: Number, words: str) -> str:
        return (self._words.minus if number.negative else "") + words

    def _tail(self, number: Number) -> str:
        if not number.decimals:
            return ""
        return self._words.point + "".join(DIGITS[int(digit)] for digit in number.decimals)

    def _whole(self, number: int, *, opens: bool) -> str:
        """Return a number below 10¹⁶; `opens` where nothing of the same number stands before."""
        if number < 10:
            return DIGITS[number]
        unit, size = next((unit, size) for unit, size in self._units if number >= size)
        count, rest = divmod(number, size)
        return self._count(count, unit, opens) + unit + self._rest(rest, size)

    def _count(self, count: int, unit: str, opens: bool) -> str:
        if opens and count == 1 and unit == self._words.units[-1]:
            return ""
        if opens and count == 2 and unit in self._words.paired:
            return self._words.two
        return self._whole(count, opens=opens)

    def _rest(self, rest: int, size: int) -> str:
        if not rest:
            return ""
        gap = DIGITS[0] if rest < size // 10 else ""
        return gap + self._whole(rest, opens=False)

    def _spelled(self, group: str) -> str:
        words = ""
        for character in group:
            said = self._words.telephone.get(character)
            words += said if said is not None else f" {character} "
        return " ".join(words.split())

    def _minutes(self, minute: int) -> str:
        if minute == 0:
            return ""
        if minute == 30:
            return self._words.half
        return (DIGITS[0] if minute < 10 else "") + self._whole(minute, opens=True) + "分"

    def _amount(self, money: Money, currency: Currency) -> str:
        whole, (tenths, hundredths) = money.number.whole, divmod(money.cents, 10)
        words = self.counted(Number(whole)) + currency.unit if whole or not money.cents else ""
        if not currency.tenths:
            cents = self.counted(Number(money.cents)) + currency.hundredths
            return words + (cents if money.cents else "")
        if tenths:
            words += (DIGITS[tenths] if words else self.counted(Number(tenths))) + currency.tenths
        elif words and hundredths:
            words += DIGITS[0]
        if hundredths:
            said = DIGITS[hundredths] if words else self.counted(Number(hundredths))
            words += said + currency.hundredths
        return words
