"""Messages that say too little, and those that only sound so."""

import pytest

from support_agents.wording.phrases import LANGUAGES, phrases_of
from support_agents.wording.vague import question_needed


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("I am not happy with the lamp. What can you do for me?", "what_is_wrong"),
        ("Ich bin mit der Lampe nicht zufrieden. Was können Sie für mich tun?", "what_is_wrong"),
        ("No estoy contenta con la lámpara, ¿qué podéis hacer?", "what_is_wrong"),
        ("Je ne suis pas satisfait de la lampe. Que pouvez-vous faire ?", "what_is_wrong"),
        ("My code doesn't work, can you help?", "which_code"),
        ("Mein Code funktioniert nicht.", "which_code"),
        ("Mi código no funciona", "which_code"),
        ("Mon code ne marche pas", "which_code"),
        ("I am not happy with the lamp, the glass arrived cracked. What can you do?", ""),
        ("I am not happy with the lamp. Can you help me to return it?", ""),
        ("I am not happy with your courier. What can you do?", ""),
        ("My discount code doesn't work", ""),
        ("The code that you sent by e-mail doesn't work", ""),
        ("What can you do for a birthday?", ""),
        ("Hi, I'd like to cancel please. Thanks, Megan", "what_to_cancel"),
        ("Ich möchte bitte kündigen. Danke, Anna", "what_to_cancel"),
        ("Hola, quiero cancelar, por favor. Gracias", "what_to_cancel"),
        ("Bonjour, je voudrais annuler. Merci", "what_to_cancel"),
        ("I'd like to cancel my order please", ""),
        ("Please cancel the bench", ""),
        ("Please cancel my account", ""),
        ("Please cancel, it will not arrive before the birthday of my son", ""),
        ("Ich möchte mein Abo kündigen", ""),
        ("Quiero cancelar el pedido", ""),
        ("Je voudrais annuler ma commande", ""),
    ],
)
def test_the_question_that_is_needed(text: str, question: str) -> None:
    assert question_needed(text) == question


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_every_question_is_one_of_our_phrases(language: str) -> None:
    assert language in LANGUAGES
    phrases = phrases_of(language)
    assert phrases is not None
    for name in ("what_is_wrong", "which_code", "what_to_cancel"):
        said = phrases.line(f"question.{name}")
        assert said.rstrip().endswith("?")
        assert phrases.is_courtesy(said, "")
