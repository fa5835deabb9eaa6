"""Operators, tokens, quarantine and the switch from the command line."""

import re

import pytest

from tests.fixtures.command_line import CommandLine


def test_operators_are_added_listed_and_disabled(run: CommandLine) -> None:
    assert "nobody yet" in run("operators", "list").stdout
    short = run("operators", "add", "a@example.org", "--role", "viewer", "--password-stdin", given="short\n")
    assert (short.returncode, short.stderr.count("\n")) == (1, 1)
    add = ("operators", "add", "a@example.org", "--role", "viewer", "--password-stdin")
    assert run(*add, given="long enough 1\n").returncode == 0
    again = run(*add, given="long enough 1\n")
    assert again.returncode == 1
    assert "exists" in again.stderr
    assert run("operators", "disable", "a@example.org").returncode == 0
    assert re.search(r"a@example\.org .* viewer +disabled", run("operators", "list").stdout)


def test_a_token_is_printed_alone_and_never_decides(run_cold: CommandLine) -> None:
    made = run_cold("tokens", "add", "--scopes", "read,cancel", "--days", "30")
    assert re.fullmatch(r"sat_[\w-]{40,}\n", made.stdout)
    assert "not shown again" in made.stderr
    refused = run_cold("tokens", "add", "--scopes", "read,decide")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "decide is not one" in refused.stderr


def test_a_token_is_ended_once(run: CommandLine) -> None:
    token = run("tokens", "add").stdout
    assert run("tokens", "revoke", given=token).stdout == "the token has ended\n"
    again = run("tokens", "revoke", given=token)
    assert (again.returncode, again.stdout) == (1, "")
    assert token.strip() not in again.stderr


def test_nothing_is_in_doubt_or_in_quarantine_at_first(run: CommandLine) -> None:
    assert run("executions", "list", "--in-doubt").stdout == "nothing is in doubt\n"
    shown = run("quarantine", "show")
    assert (shown.returncode, shown.stdout) == (0, "not in quarantine\n")


@pytest.mark.slow
def test_a_restored_database_is_adopted_by_an_admin_only(run: CommandLine) -> None:
    for name, role in (("ada", "admin"), ("vic", "viewer")):
        added = run(
            "operators", "add", f"{name}@example.org", "--role", role, "--password-stdin", given="long enough 1\n"
        )
        assert added.returncode == 0, added.stderr
    assert run("ask", "Hello?", "--json").returncode == 0
    (run.data / "anchor.json").unlink()
    assert run("ask", "Hello?", "--json").returncode == 0
    shown = run("quarantine", "show")
    assert shown.returncode == 1
    assert "in quarantine since" in shown.stdout
    for who, password in (("vic", "long enough 1"), ("ada", "not the password")):
        refused = run("quarantine", "adopt", "--email", f"{who}@example.org", "--password-stdin", given=f"{password}\n")
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    adopted = run("quarantine", "adopt", "--email", "ada@example.org", "--password-stdin", given="long enough 1\n")
    assert adopted.returncode == 0, adopted.stderr
    assert run("quarantine", "show").returncode == 0


def test_a_desk_says_what_a_person_takes_and_who_stands_in(run: CommandLine) -> None:
    ben, cara = "ben@shop.example", "cara@shop.example"
    for email in (ben, cara):
        run("operators", "add", email, "--role", "approver", "--password-stdin", given="long enough 1\n")
    words = ("--languages", "de, EN", "--skills", "refund_request", "--away-days", "7", "--delegate", cara)
    assert "de en, refund_request" in run("operators", "desk", ben, *words).stdout
    assert run("operators", "desk", "nobody@shop.example").returncode == 1
    assert run("operators", "desk", ben, "--delegate", ben).returncode == 1


def test_stopping_and_going_on_from_the_command_line(run: CommandLine) -> None:
    run("operators", "add", "ada@example.org", "--role", "admin", "--password-stdin", given="a long password\n")
    run("operators", "add", "mia@example.org", "--role", "manager", "--password-stdin", given="a long password\n")
    stopped = run("stop", "--kind", "issue_refund")
    assert (stopped.returncode, stopped.stdout[:21]) == (0, "stopped: issue_refund")
    assert run("stop", "--kind", "everything").returncode == 1
    assert run("stop", "--kind", "issue_refund", "--way", "email").returncode == 1
    done = stopped
    for email, given, code in (
        ("mia", "a long password", 1),
        ("ada", "wrong password", 1),
        ("ada", "a long password", 0),
    ):
        done = run(
            "resume",
            "--kind",
            "issue_refund",
            "--email",
            f"{email}@example.org",
            "--password-stdin",
            given=given + "\n",
        )
        assert done.returncode == code, done.stderr
    assert done.stdout == "goes on: issue_refund\n"


def test_a_factor_is_reset_from_the_machine(run: CommandLine) -> None:
    run("operators", "add", "ada@example.org", "--role", "admin", "--password-stdin", given="a long password\n")
    assert run("operators", "reset-factor", "ada@example.org").returncode == 0
    assert run("operators", "reset-factor", "eve@example.org").returncode == 1
