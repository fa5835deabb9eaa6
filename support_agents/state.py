"""The sections of one run while it runs: each is written once, by its owner, and never changed."""

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Sections
from support_agents.domain.sections import (
    OWNERS,
    ComplianceSection,
    DraftSection,
    IntentSection,
    PlanSection,
    RetrievalSection,
    ScreeningSection,
    Section,
    SectionName,
    Writer,
)

_NAMES: dict[type[Section], SectionName] = {
    ScreeningSection: SectionName.SCREENING,
    IntentSection: SectionName.INTENT,
    RetrievalSection: SectionName.RETRIEVAL,
    PlanSection: SectionName.PLAN,
    DraftSection: SectionName.DRAFT,
    ComplianceSection: SectionName.COMPLIANCE,
}


class PipelineState:
    """Write-once sections; only the pipeline holds one."""

    def __init__(self) -> None:
        self._sections: dict[SectionName, Section] = {}

    def put(self, section: Section, *, by: Writer) -> None:
        """Keep a section; a wrong owner, an unknown section or a second write is a `SupportError`."""
        name = _NAMES.get(type(section))
        if name is None:
            raise SupportError("unknown_section", f"{type(section).__name__} is not a section of a run")
        if OWNERS[name] is not by:
            raise SupportError("not_owner", f"{by} may not write {name}; {OWNERS[name]} does")
        if name in self._sections:
            raise SupportError("already_written", f"{name} was already written in this run")
        self._sections[name] = section

    def sections(self) -> Sections:
        """What has been written so far, as the record keeps it."""
        return Sections.model_validate({name.value: section for name, section in self._sections.items()})
