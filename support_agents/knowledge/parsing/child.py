"""The parsing process: reads files from standard input, one after another, and answers with articles; nothing else."""

import sys

from support_agents.knowledge.parsing import formats
from support_agents.knowledge.parsing.limits import CPU_SECONDS, EXPANSION, SMALL_TEXT, allow_cpu, confine
from support_agents.knowledge.parsing.rehearsal import samples
from support_agents.knowledge.parsing.wire import Answer, RawArticle, UnreadableError, receive, send, told


def main() -> None:
    """Rehearse the parsers, give up every right, then answer until the input ends."""
    for kind, content in samples():
        answer(kind, "sample", content)
    confine()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    send(target, {"ready": True})
    while (message := receive(source)) is not None:
        head, content = message
        allow_cpu(CPU_SECONDS)
        send(target, told(answer(str(head["kind"]), str(head["name"]), content)))


def answer(kind: str, name: str, content: bytes) -> Answer:
    """Parse one file; every failure is an answer."""
    try:
        return Answer(_parsed(kind, name, content))
    except UnreadableError as error:
        code, message = error.code, str(error)
    except MemoryError:
        code, message = "too_much_memory", "needs more memory than a file may"
    except RecursionError:
        code, message = "too_deep", "is nested too deeply"
    except Exception as error:  # noqa: BLE001 - third-party parsers raise anything; the file is at fault, not the run
        code, message = "invalid", f"cannot be read as {kind}: {type(error).__name__}"
    return Answer(code=code, message=message)


def _parsed(kind: str, name: str, content: bytes) -> tuple[RawArticle, ...]:
    articles, size = [], 0
    for article in formats.parse(kind, name, content):
        size += len(article.body)
        if size > max(SMALL_TEXT, EXPANSION * len(content)):
            raise UnreadableError("expands", f"grows to more than {EXPANSION} times its size")
        articles.append(article)
    if not any(one.body.strip() for one in articles):
        raise UnreadableError("empty", "holds no text")
    return tuple(articles)


if __name__ == "__main__":
    main()
