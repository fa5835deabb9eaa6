from api.correcting import without_identifiers


def test_identifiers_are_masked_by_kind_and_names_too() -> None:
    text = "I am Anna Sørensen, anna@example.com or ANNA@example.com, +1 415 555 2671. Annas parcel, Anna (A)!"
    found = without_identifiers(text, "Anna Sørensen")
    assert found == "I am [NAME], [EMAIL] or [EMAIL], [PHONE]. Annas parcel, [NAME] (A)!"
    assert without_identifiers("Where (is) it?", "(.*) it A") == "Where (is) it?"
