"""How many events are begun at once: few where each computes all the time, more where most of them wait for a model."""

from api.settings import load
from api.worker import assembly


def test_it_goes_by_whether_there_is_a_language_model_unless_it_is_set() -> None:
    model: dict[str, object] = {"llm_provider": "ollama", "llm_model": "llama"}
    assert assembly.at_once(load({})) == 4
    assert assembly.at_once(load(model)) == 32
    assert assembly.at_once(load(model | {"worker_concurrency": 7})) == 7


def test_a_process_that_is_alone_takes_a_burst_in_whole_where_a_model_is_waited_for() -> None:
    model: dict[str, object] = {"llm_provider": "ollama", "llm_model": "llama"}
    assert assembly.at_once_alone(load({})) == 4
    assert assembly.at_once_alone(load(model)) == 256
    assert assembly.at_once_alone(load(model | {"worker_concurrency": 7})) == 7
