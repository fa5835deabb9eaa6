"""What functions remember has a bound: without one, a process keeps something of every customer that ever wrote."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("support_agents", "db", "approvals", "api")
# Names of files, languages and kinds of ours: there are as many as we have written. Never anything from outside.
OF_OURS = {
    "db.repositories.executions": {"_moving"},
    "db.repositories.runs": {"_adding"},
    "support_agents.agents.checks.differences": {"_words"},
    "support_agents.agents.checks.tone": {"_words"},
    "support_agents.composing.explaining": {"_deciding"},
    "support_agents.intents.cues": {"cues"},
    "support_agents.prompts.files": {"load_prompt"},
    "support_agents.wording.cues": {"_listed"},
    "support_agents.wording.filler": {"_lists"},
    "support_agents.wording.meaning": {"_patterns"},
    "support_agents.wording.outlines": {"_outlines", "_pattern"},
    "support_agents.wording.phrases": {"_nameless", "_templates", "phrases_of"},
    "support_agents.wording.questions": {"_phrases"},
    "support_agents.wording.traits": {"_pattern"},
}


def _unbounded(tree: ast.Module) -> Iterator[str]:
    """Yield the functions that remember every answer to what they are given."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if _takes_something(node) and any(map(_is_unbounded, node.decorator_list)):
            yield node.name


def _takes_something(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    given = node.args
    return bool(given.args or given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg)


def _is_unbounded(decorator: ast.expr) -> bool:
    words = ast.unparse(decorator).removeprefix("functools.")
    return words == "cache" or (words.startswith("lru_cache") and "None" in words)


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_what_is_remembered_for_good_depends_on_nothing_from_outside() -> None:
    found = {name: set(_unbounded(tree)) for name, tree in _modules()}
    assert {name: held for name, held in found.items() if held} == OF_OURS, (
        "a function that remembers all it was asked needs a bound (`lru_cache(maxsize=…)`), or a line in OF_OURS"
        " if what it takes is ours"
    )


def test_the_rule_sees_each_way_of_remembering_without_bound() -> None:
    ways = ("@cache", "@functools.cache", "@lru_cache(None)", "@functools.lru_cache(maxsize=None)")
    for way in ways:
        assert [*_unbounded(ast.parse(f"{way}\ndef known(name): ..."))] == ["known"]
    assert not [*_unbounded(ast.parse("@lru_cache(maxsize=8)\ndef known(name): ..."))]
    assert not [*_unbounded(ast.parse("@cache\ndef known(): ..."))]
