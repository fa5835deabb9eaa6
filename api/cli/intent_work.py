"""The work of `intents`: embeds, trains, stores and shows figures; the registry decides what may be put to use."""

from pathlib import Path
from uuid import UUID

from rich.table import Table

from api.cli.installation import configured, recorded
from api.cli.output import progress, remarks, results
from api.engines import embedding, intent_registry
from api.settings import Settings
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.intent import Correction
from support_agents.intents import examples, kernel_training, model
from support_agents.intents.export import Shape, line
from support_agents.intents.labelled import Labelled
from support_agents.intents.training import train as fit

_SHIPPED = "the shipped model"
_PAGE = 500


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
    await _train_version(Labelled.read(data), name, valid, configured())


async def train_corrected(data: Path | None, name: str, valid: Path | None) -> None:
    """Train on labelled messages, or on examples of the shipped form, with what people corrected."""
    if data is not None and data.suffix != ".yaml":
        labelled = Labelled.read(data)
    else:
        labelled = Labelled.of(examples.Examples.load(data or examples.PATH))
    settings = configured()
    corrections = await _corrections(settings)
    remarks().print(f"{len(corrections)} corrections by people", markup=False)
    await _train_version(labelled.corrected(corrections), name, valid, settings)


async def export(shape: str, out: Path | None) -> None:
    """Write every correction of the workspace, oldest first, to a file that only its owner may read."""
    if shape not in set(Shape):
        raise SupportError("invalid", f"--format takes {', '.join(Shape)}; {shape} is not one")
    settings = configured()
    corrections, known = await _corrections(settings), _known(settings)
    lines = "".join(line(one, known, Shape(shape)) + "\n" for one in corrections)
    if out is None:
        print(lines, end="")  # noqa: T201 - this is a command line
    else:
        _write(out, lines)
    remarks().print(f"{len(corrections)} corrections by people", markup=False)


def _write(out: Path, lines: str) -> None:
    try:
        out.touch(mode=0o600)
        out.write_text(lines, encoding="utf-8")
    except OSError as error:
        raise SupportError("out_unwritable", f"cannot write {out}: {error.strerror}; check the path") from error


async def _corrections(settings: Settings) -> tuple[Correction, ...]:
    """Read all corrections, a page at a time."""
    found: list[Correction] = []
    after: UUID | None = None
    async with recorded(settings) as records:
        while True:
            async with records.database.read() as uow:
                page = await uow.intent_corrections.page(DEFAULT_WORKSPACE, after=after, limit=_PAGE)
            if not page:
                return tuple(found)
            found += [correction for _, correction in page]
            after = page[-1][0]


def _known(settings: Settings) -> tuple[str, ...]:
    """The intents of the model in use."""
    active = next((one for one in intent_registry(settings).versions() if one.active), None)
    return tuple(examples.Examples.load().descriptions) if active is None else active.manifest.classes


async def _train_version(labelled: Labelled, name: str, valid: Path | None, settings: Settings) -> None:
    checked = Labelled.read(valid) if valid else None
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
