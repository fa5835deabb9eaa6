"""Hurt bodies and threatened law by the shape of the sentence, in the eight languages that we write."""

import pytest

from support_agents.wording.triage import triage

HURT = [
    "The sole came off on a descent and I fell and broke my wrist.",
    "When the stool gave way I sprained my left ankle",
    "My daughter's finger was crushed in the hinge",
    "He needed stitches after the glass burst",
    "My wife tripped over the loose cable",
    "I think I have a fractured rib because of your ladder",
    "Die Sohle löste sich, ich bin gestürzt und habe mir das Handgelenk gebrochen.",
    "Mein Sohn hat sich an der Kante den Daumen aufgeschnitten",
    "Seit dem Unfall mit der Leiter ist mein Arm im Gips, mein Knöchel ist verstaucht",
    "Beim Zusammenklappen wurde mir der Finger gequetscht",
    "Se soltó la suela, me caí y me rompí la muñeca.",
    "Mi hijo se ha cortado el dedo con el borde",
    "Tengo el brazo escayolado por culpa de la escalera",
    "Mi madre se torció el tobillo al romperse la silla",
    "La semelle s'est décollée, je suis tombé et je me suis cassé le poignet.",
    "Ma fille s'est coincé le doigt dans la charnière",
    "J'ai la cheville foulée à cause de l'échelle",
    "Mon mari s'est brûlé la main avec la poignée",
    "Si è staccata la suola, sono caduta e mi sono rotta il polso.",
    "Mio figlio si è tagliato il dito con il bordo",
    "Mi sono bruciato la mano con il manico",
    "Siamo finiti al pronto soccorso con la caviglia slogata",
    "De zool liet los, ik ben gevallen en heb mijn pols gebroken.",
    "Mijn dochter heeft haar vinger bekneld in het scharnier",
    "Ik heb mijn hand verbrand aan het handvat",
    "Door de ladder heb ik een gebroken enkel",
    "Podeszwa odpadła, upadłam i złamałam nadgarstek.",
    "Syn rozciął sobie palec o krawędź",
    "Przez drabinę mam skręconą kostkę",
    "Poparzyłam rękę uchwytem",
    "A sola descolou, caí e parti o pulso.",
    "O meu filho cortou o dedo na borda",
    "Queimei a mão na pega",
    "Por causa da escada tenho o tornozelo torcido",
]
LAW = [
    "If nothing happens I will hand this over to my lawyers",
    "I am passing the matter to small claims",
    "Wenn ich bis Freitag nichts höre, übergebe ich die Sache meinem Anwalt und der Verbraucherzentrale.",
    "Dann gehe ich damit vor Gericht",
    "Si no recibo el dinero, mi abogada se pondrá en contacto con ustedes",
    "Sans réponse, je saisis le tribunal",
    "Se non ricevo il rimborso passo alle vie legali",
    "Il mio avvocato vi scriverà",
    "Anders neem ik juridische stappen",
    "Ik meld dit bij de Consumentenbond",
    "W przeciwnym razie skieruję sprawę do sądu",
    "Zgłoszę to do rzecznika konsumentów i UOKiK",
    "Caso contrário, o meu advogado entrará em contacto",
    "Vou apresentar queixa no livro de reclamações",
]
ONLY_SOUNDS_LIKE_IT = [
    "The strap broke, it sits on my wrist all day",
    "The left arm of the chair is broken",
    "A leg of the table broke off in transit",
    "The zip broke and the back is torn",
    "I fell in love with the colour, do you have it in blue?",
    "My discount code slipped my mind, can I still use it?",
    "Do the gloves cover the wrist and the back of the hand?",
    "Der Griff ist gebrochen, der Arm des Stuhls auch",
    "Das Armband ist gerissen",
    "Mir fiel auf, dass die Farbe anders ist",
    "Die Handtasche ist am Henkel gerissen",
    "Se rompió el brazo de la silla",
    "Se me cayó el termo y ahora pierde, ¿entra en garantía?",
    "¿La manta está hecha a mano?",
    "Le pied de la table est cassé",
    "Je suis tombé sur votre site, livrez-vous en Belgique ?",
    "Un bracelet cassé, que faire ?",
    "La gamba del tavolo è rotta",
    "È caduta la linea, potete richiamare l'ordine?",
    "È fatto a mano?",
    "De poot van de stoel is gebroken",
    "Mij viel op dat de kleur anders is",
    "Noga krzesła jest złamana",
    "Cena spadła po moim zakupie, czy dostanę różnicę?",
    "A perna da mesa está partida",
    "O braço do sofá veio quebrado",
]


@pytest.mark.parametrize("text", HURT)
def test_somebody_hurt_is_found(text: str) -> None:
    assert "injury" in {found.kind for found in triage(text)}


@pytest.mark.parametrize("text", LAW)
def test_threatened_law_is_found(text: str) -> None:
    assert "legal" in {found.kind for found in triage(text)}


@pytest.mark.parametrize(
    "text",
    [
        "Non voglio più vivere",
        "Ik wil niet meer leven",
        "Nie chcę już żyć",
        "Quero acabar com a minha vida",
    ],
)
def test_talk_of_harming_oneself_is_found(text: str) -> None:
    assert "self_harm" in {found.kind for found in triage(text)}


@pytest.mark.parametrize("text", ONLY_SOUNDS_LIKE_IT)
def test_a_broken_thing_is_no_broken_body(text: str) -> None:
    assert triage(text) == ()
