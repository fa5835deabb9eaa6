"""The triage list: what a person must answer, and what only sounds like it."""

import pytest

from support_agents.wording.triage import triage


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("My son cut his hand on the broken plate", "injury"),
        ("The lantern caught fire last night", "injury"),
        ("A splinter came off, my daughter swallowed it", "injury"),
        ("No drama, but the doctor says to wait", "injury"),
        ("The chair collapsed and my mother had to be taken to hospital", "injury"),
        ("Wegen der Lampe mussten wir in die Notaufnahme", "injury"),
        ("La silla se cerró y mi padre se hizo un corte en la mano", "injury"),
        ("La mesa se rompió y tuvimos que llevarlo al hospital", "injury"),
        ("La chaise a cassé, on l'a emmené à l'hôpital", "injury"),
        ("It came too late, could I have a voucher as an apology?", "goodwill"),
        ("Somebody was in my account last night", "fraud"),
        ("I have a confirmation for a bench I never ordered it", "fraud"),
        ("This is now the fourth time I write to you", "repeated"),
        ("I made a formal complaint and nobody answered it", "repeated"),
        ("You will hear from my solicitor", "legal"),
        ("I received another customer's invoice with her address", "privacy"),
        ("I did not authorise this payment", "fraud"),
        ("I opened a PayPal dispute", "chargeback"),
        ("I'm a journalist and would like a statement", "press"),
        ("My mother died and I need to return her order", "bereavement"),
        ("Your driver made racist remarks", "discrimination"),
        ("I want to speak to a real person", "person"),
        ("I don't want to live any more", "self_harm"),
        ("Ich habe mich an der Pfanne verbrannt", "injury"),
        ("Ich schalte meinen Anwalt ein", "legal"),
        ("Quiero hablar con una persona", "person"),
        ("Voy a denunciaros al juzgado", "legal"),
        ("Je vais porter plainte", "legal"),
        ("Mon père est décédé la semaine dernière", "bereavement"),
    ],
)
def test_cases_for_a_person_are_found(text: str, kind: str) -> None:
    assert kind in {found.kind for found in triage(text)}


@pytest.mark.parametrize(
    "text",
    [
        "I am in hospital for an operation that day, can my husband collect it?",
        "Am Montag bin ich wegen einer Operation im Krankenhaus, kann mein Mann das Paket annehmen?",
        "El lunes me operan en el hospital, ¿puede recogerlo mi marido?",
        "I work at the hospital, can you deliver there?",
        "Can I burn the candle outdoors?",
        "The handle is cut too short for my taste",
        "Is the pan suitable for an open fire?",
        "This is the second time I order from you",
        "Where do I make a complaint and who answers it?",
        "I have never ordered gift wrap before, how does it work?",
        "What is your phone number?",
        "Where is the delivery person with my parcel?",
        "I'm dying to get my new tent, where is it?",
        "My dead phone could not show the tracking page",
        "Please deliver to my neighbour instead",
        "Can I order a gift card for a friend?",
        "The colour is killing the room, can I return it?",
        "Das Gericht in der Pfanne brennt immer an, wie pflege ich sie?",
        "¿Puedo cambiar la persona de contacto del pedido?",
        "Le feu de camp marche-t-il avec cette poêle ?",
    ],
)
def test_what_only_sounds_like_it_is_left_alone(text: str) -> None:
    assert triage(text) == ()
