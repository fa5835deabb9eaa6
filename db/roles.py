"""Database roles of PostgreSQL, one for each privilege, and what each may do with each table; it makes no login.

Members of a role log in with passwords that this software never sees: `GRANT support_act TO …`.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from db.schema import METADATA

PREFIX = "support"


class DatabaseRole(StrEnum):
    """Who connects."""

    INTAKE = "intake"
    AGENTS = "agents"
    DECIDE = "decide"
    ACT = "act"
    READ = "read"


VERBS = {"s": "SELECT", "i": "INSERT", "u": "UPDATE", "d": "DELETE"}
# What holds a secret of people: whoever reads it could try to be somebody else.
_SIGN_IN = (
    *("operators", "second_factors", "recovery_codes", "sign_in_failures", "sign_in_links", "sessions", "api_tokens"),
)
# Holds nothing that can be used without a key; those without a key have no business there. Only the owner lets go of a
# key, and so says up to where it may have sealed.
_KEYS = "secret_keys"
_ALL = tuple(sorted(METADATA.tables))
_READ = dict.fromkeys((name for name in _ALL if name not in (*_SIGN_IN, _KEYS)), "s")

# Letters: s(elect), i(nsert), u(pdate), d(elete). A row lock needs u. What is not named is refused.
GRANTS: Mapping[DatabaseRole, Mapping[str, str]] = {
    DatabaseRole.INTAKE: {
        **dict.fromkeys(("workspaces", "articles", "passages", "attempts", "executions", _KEYS), "s"),
        **dict.fromkeys(("inbox", "tickets", "messages", "subjects", "subject_identifiers", "outbox"), "siu"),
    },
    DatabaseRole.AGENTS: {
        **_READ,
        **dict.fromkeys(("tickets", "runs", "outbox", "approval_requests", "inside_steps"), "siu"),
        # Whoever fetches what strangers sent may neither decide nor act.
        **dict.fromkeys(("run_sections", "audit", "attachment_texts"), "si"),
    },
    DatabaseRole.DECIDE: {
        **_READ,
        **dict.fromkeys(_SIGN_IN, "siud"),
        **dict.fromkeys(("decisions", "audit", "run_sections", _KEYS), "si"),
        **dict.fromkeys(
            (
                *("tickets", "runs", "outbox", "approval_requests", "executions", "inside_steps"),
                *("operator_money", "money_claims", "money_subjects", "reply_edits", "intent_corrections"),
                "workspaces",
            ),
            "siu",
        ),
        **dict.fromkeys(
            (
                *("unsent_edits", "slack_links", "slack_link_codes", "slack_deliveries", "posted_cards", "card_claims"),
                *("notices", "dispatch_stops", "articles", "passages"),
            ),
            "siud",
        ),
    },
    DatabaseRole.ACT: {
        **_READ,
        **dict.fromkeys(("approval_requests", "attachment_texts"), "su"),  # the scheduler empties old texts
        "operators": "s",  # whether who approved still may
        _KEYS: "si",
        **dict.fromkeys(
            (
                *("tickets", "runs", "outbox", "executions", "attempts", "inside_steps", "inbox"),
                *("order_balances", "refund_entries", "operator_money", "money_claims", "money_subjects", "audit"),
                *("provider_events", "workspaces"),
            ),
            "siu",
        ),
        **dict.fromkeys(("posted_cards", "card_claims", "notices", "slack_deliveries"), "siud"),
    },
    DatabaseRole.READ: _READ,
}


def name_of(role: DatabaseRole, prefix: str = PREFIX) -> str:
    """The role's name on the server; roles belong to all databases of a server."""
    return f"{prefix}_{role}"


def statements(prefix: str = PREFIX) -> Iterator[str]:
    """Yield what makes the roles and gives each exactly its rights; running it again takes back what is not listed."""
    for role in DatabaseRole:
        name = name_of(role, prefix)
        yield (
            f"DO $$ BEGIN CREATE ROLE {name} NOLOGIN NOSUPERUSER NOBYPASSRLS; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        yield f"ALTER ROLE {name} NOBYPASSRLS"
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}"
        yield f"GRANT USAGE ON SCHEMA public TO {name}"
        yield f"GRANT SELECT ON alembic_version TO {name}"
        for table, letters in GRANTS[role].items():
            yield f"GRANT {', '.join(VERBS[letter] for letter in letters)} ON {table} TO {name}"
