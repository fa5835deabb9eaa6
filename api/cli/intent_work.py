"""The work of `intents train`: embeds the examples, trains, stores and shows the out-of-fold figures."""

from pathlib import Path

from rich.table import Table

from api.bootstrap import embedding
from api.cli.installation import configured
from api.cli.output import progress, remarks, results
from support_agents.intents import examples, model
from support_agents.intents.training import train as fit


async def train(data: Path | None, out: Path | None) -> None:
    """Train on `data` into `out`; both default to what is shipped."""
    folder = out or model.SHIPPED
    with progress("intents", remarks()) as step, embedding(configured()) as embedder:
        manifest = await fit(data or examples.PATH, embedder, folder, lambda _, done, total: step(done, total))
    table = Table("figure", "out of fold", box=None)
    for name, value in manifest.metrics.model_dump().items():
        table.add_row(name.replace("_", " "), f"{value:.3f}")
    results().print(table)
    results().print(f"{manifest.examples} examples, {len(manifest.classes)} classes → {folder}", markup=False)
