"""The work of `intents`: embeds, trains, stores and shows figures; the registry decides what may be put to use."""

from pathlib import Path

from rich.table import Table

from api.bootstrap import embedding, intent_registry
from api.cli.installation import configured
from api.cli.output import progress, remarks, results
from support_agents.intents import examples, kernel_training, model
from support_agents.intents.labelled import Labelled
from support_agents.intents.training import train as fit

_SHIPPED = "the shipped model"


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


async def train_labelled(data: Path, name: str, valid: Path | None) -> None:
    """Train on labelled messages and store the head as a new version, which nothing uses yet."""
    labelled, checked = Labelled.read(data), Labelled.read(valid) if valid else None
    settings = configured()
    registry = intent_registry(settings)
    with progress("intents", remarks()) as step, embedding(settings) as embedder:
        head, content = await kernel_training.train(
            name, labelled, embedder, lambda _, done, total: step(done, total), valid=checked
        )
    version = registry.add(head.manifest, content)
    metrics = head.manifest.metrics
    table = Table("figure", f"on {metrics.held_out} messages held out", box=None)
    for label, value in metrics.model_dump(include={"accuracy", "accuracy_kept", "refused", "ece"}).items():
        table.add_row(label.replace("_", " "), f"{value:.3f}")
    results().print(table)
    bins = Table("confidence", "right", "messages", box=None)
    for one in metrics.reliability:
        bins.add_row(f"{one.confidence:.3f}", f"{one.accuracy:.3f}", str(one.messages))
    results().print(bins)
    classes = len(head.manifest.classes)
    results().print(f"{version}: {head.manifest.examples} examples, {classes} classes", markup=False)
    results().print(f"put it to use with `support-agents intents promote {version}`", markup=False)


def versions() -> None:
    """Print every version; the shipped model stands first."""
    registry = intent_registry(configured())
    active = registry.active()
    table = Table("", "version", "trained", "examples", "classes", "accuracy", "refused", "data", box=None)
    table.add_row("→" if active is None else "", _SHIPPED, "", "", "", "", "", "")
    for one in registry.versions():
        manifest = one.manifest
        table.add_row(
            "→" if one.active else "",
            one.version,
            f"{manifest.created:%Y-%m-%d %H:%M}",
            str(manifest.examples),
            str(len(manifest.classes)),
            f"{manifest.metrics.accuracy:.3f}",
            f"{manifest.metrics.refused:.3f}",
            manifest.data_sha256[:12],
        )
    results().print(table)


def promote(version: str) -> None:
    """Put a version to use."""
    intent_registry(configured()).promote(version)
    _tell(version)


def rollback() -> None:
    """Put what came before to use."""
    _tell(intent_registry(configured()).rollback() or _SHIPPED)


def _tell(version: str) -> None:
    results().print(f"{version} is used from the server's next start on", markup=False)
