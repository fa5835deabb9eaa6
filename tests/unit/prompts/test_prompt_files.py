import pytest

from support_agents.domain.errors import SupportError
from support_agents.prompts.files import load_prompt, parse_prompt

FILE = "---\nname: x\nversion: 3\nmax_tokens: 10\ntemperature: 0\n---\n# system\nBe {manner}.\n# user\n{text}\n"


def test_a_prompt_is_rendered_without_reading_its_values() -> None:
    prompt = parse_prompt(FILE, "x")
    assert prompt.identity == "x.3"
    assert prompt.render({"manner": "kind", "text": "{manner} {0}"}) == ("Be kind.", "{manner} {0}")


def test_a_missing_value_is_named() -> None:
    with pytest.raises(SupportError, match="no value for text"):
        parse_prompt(FILE, "x").render({"manner": "kind"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no front matter",
        FILE.replace("version: 3", ""),
        FILE.replace("# user", "# other"),
        FILE.replace("# system", "Hello\n# system"),
    ],
)
def test_a_broken_file_is_refused_by_name(text: str) -> None:
    with pytest.raises(SupportError, match="prompt x"):
        parse_prompt(text, "x")


def test_the_shipped_prompt_loads_and_a_missing_one_is_named() -> None:
    assert load_prompt("drafting").identity == "drafting.4"
    with pytest.raises(SupportError, match="no prompt nothing"):
        load_prompt("nothing")
