"""espeak-ng where only its wheel is installed: `espeakng-loader`, library and voices.

A program of its own that takes the few options of espeak-ng that espeak.py uses. The library is
GPL: it is loaded here and nowhere else, and nothing of callpbx is in this process but this file.
"""

from __future__ import annotations

import argparse
import ctypes
import struct
import sys
from importlib import import_module
from typing import Any, Final

SYNCHRONOUS: Final = 2  # espeak_AUDIO_OUTPUT
UTF8: Final = 1  # espeakCHARS_UTF8
IPA: Final = 2  # phoneme mode, bit 1
TIE: Final = ord("^") << 8 | 1 << 7  # phoneme mode: bit 7 ties, by the character in bits 8-23
RATE: Final = 1  # espeak_PARAMETER


def main(arguments: list[str] | None = None) -> int:
    """Speak what stands on standard input; return the exit status."""
    options = _options(arguments)
    library, rate = _load()
    if library.espeak_SetVoiceByName(options.v.encode()) != 0:
        sys.stderr.write(f"there is no voice {options.v}\n")
        return 1
    library.espeak_SetParameter(RATE, options.s, 0)
    text = sys.stdin.buffer.read().replace(b"\0", b" ") + b"\0"
    if options.ipa:
        sys.stdout.buffer.write(_phonemes(library, text).encode())
    else:
        sys.stdout.buffer.write(_wav(_samples(library, text), rate))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description="Speak the text on standard input.")
    options.add_argument("-v", required=True, help="voice")
    options.add_argument("-s", type=int, default=175, help="words a minute")
    options.add_argument("-b", help="always 1, UTF-8")
    options.add_argument("-q", action="store_true", help="no sound")
    options.add_argument("--tie", help="always ^")
    for flag in ("--ipa", "--stdin", "--stdout"):
        options.add_argument(flag, action="store_true")
    return options.parse_args(arguments)


def _load() -> tuple[Any, int]:
    """Return the library and its samples a second."""
    wheel = import_module("espeakng_loader")
    library = ctypes.CDLL(wheel.get_library_path())
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, wheel.get_data_path().encode(), 0)
    if rate <= 0:
        raise SystemExit("the library of espeak-ng cannot be started")
    return library, rate


def _samples(library: Any, text: bytes) -> bytes:
    parts: list[bytes] = []

    def take(wav: int | None, count: int, _events: int | None) -> int:
        if wav and count > 0:
            parts.append(ctypes.string_at(wav, 2 * count))
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    callback = kind(take)  # the library holds no reference: it has to live until all is said
    library.espeak_SetSynthCallback(callback)
    buffer = ctypes.c_char_p(text)
    library.espeak_Synth(buffer, ctypes.c_size_t(len(text)), 0, 1, 0, UTF8, None, None)
    library.espeak_Synchronize()
    return b"".join(parts)


def _phonemes(library: Any, text: bytes) -> str:
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    place = ctypes.c_void_p(ctypes.cast(ctypes.c_char_p(text), ctypes.c_void_p).value)
    lines: list[str] = []
    while place.value:
        said = library.espeak_TextToPhonemes(ctypes.byref(place), UTF8, IPA | TIE)
        lines.append((said or b"").decode())
    return "\n".join(lines) + "\n"


def _wav(samples: bytes, rate: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    sound = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(sound), b"WAVE") + form + sound


if __name__ == "__main__":
    sys.exit(main())
