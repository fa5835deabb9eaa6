import pytest

from support_agents.screening.pii import RULES
from support_agents.screening.spans import PiiKind


def kinds(text: str) -> dict[str, str]:
    return {text[found.start : found.end]: str(found.kind) for found in RULES.find(text)}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("my ssn is 123-45-6789", "123-45-6789"),
        ("Social security number 123 45 6789.", "123 45 6789"),
        ("my national insurance number AB123456C", "AB123456C"),
        ("DNI 12345678Z", "12345678Z"),
        ("NIE X1234567L", "X1234567L"),
        ("codice fiscale RSSMRA85T10A562S", "RSSMRA85T10A562S"),
        ("numéro de sécurité sociale 2 55 08 14 168 025 38", "2 55 08 14 168 025 38"),
        ("Meine Steuer-ID ist 86095742719.", "86095742719"),
        ("mijn BSN is 111222333", "111222333"),
        ("mój PESEL to 44051401359", "44051401359"),
        ("o meu NIF é 123456789", "123456789"),
        ("CPF 529.982.247-25", "529.982.247-25"),
        ("AHV 756.9217.0769.85", "756.9217.0769.85"),
    ],
)
def test_a_national_number_is_found_by_its_check_digits(text: str, number: str) -> None:
    assert kinds(text) == {number: "NATIONAL_ID"}


@pytest.mark.parametrize(
    "text",
    [
        "DNI 12345678A",
        "codice fiscale RSSMRA85T10A562A",
        "Meine Steuer-ID ist 86095742718.",
        "mijn BSN is 111222334",
        "mój PESEL to 44051401358",
        "my ssn is 666-45-6789",
        "CPF 529.982.247-26",
        "order 44051401359",
    ],
)
def test_a_wrong_check_digit_or_no_cue_is_no_national_number(text: str) -> None:
    assert "NATIONAL_ID" not in kinds(text).values()


def test_a_licence_is_found_behind_its_name_only() -> None:
    assert kinds("My driver's license number is U62928788557186") == {"U62928788557186": str(PiiKind.LICENCE)}
    assert kinds("The code is U62928788557186") == {}
