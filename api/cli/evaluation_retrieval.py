"""The work of `eval retrieval`: reads the files, has them measured in a folder of its own, and shows the figures."""

from pathlib import Path
from tempfile import TemporaryDirectory

from api.cli.installation import configured
from api.cli.output import figures_table, progress, remarks, results
from api.engines import searching
from support_agents.evals.retrieval import measure, read_documents, read_queries


async def retrieval(documents: Path, queries: Path, *, as_json: bool) -> None:
    """Measure and print one table, or one JSON object."""
    articles = read_documents(documents)
    asked = read_queries(queries, {article.id for article in articles})
    with (
        TemporaryDirectory(prefix="support-eval-") as folder,
        progress("retrieval", remarks()) as step,
        searching(configured(), Path(folder)) as tools,
    ):
        figures = await measure(articles, asked, tools, lambda _, done, total: step(done, total))
    if as_json:
        print(figures.model_dump_json())  # noqa: T201 - this is a command line
        return
    results().print(figures_table(figures))
