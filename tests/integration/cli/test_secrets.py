"""`support-agents secrets`: a new key in the old one's place on a data folder, and what is said when one is missing."""

import sqlite3
import stat

from api.secret_key import FILE, FILE_OF_OLD
from tests.fixtures.command_line import CommandLine

PASSWORD = "correct horse battery staple"


def states(run: CommandLine) -> list[str]:
    """What `show` says of each key, oldest first."""
    shown = run("secrets", "show")
    assert shown.returncode == 0, shown.stderr
    keys = [path.read_text().split() for path in (run.data / FILE, run.data / FILE_OF_OLD) if path.exists()]
    assert not any(key in shown.stdout for group in keys for key in group)
    return [line.split("+00:00")[1].strip() for line in shown.stdout.splitlines()[1:]]


def add_somebody(run: CommandLine) -> None:
    made = run("operators", "add", "anna@shop.example", "--role", "admin", "--password-stdin", given=PASSWORD)
    assert made.returncode == 0, made.stderr


def test_the_files_key_is_rotated_and_the_old_one_let_go(run: CommandLine) -> None:
    add_somebody(run)
    old = (run.data / FILE).read_text().strip()
    assert states(run) == ["present"]
    assert run("secrets", "rotate").returncode == 0
    assert (run.data / FILE).read_text().strip() != old
    assert (run.data / FILE_OF_OLD).read_text().split() == [old]
    assert {stat.S_IMODE((run.data / name).stat().st_mode) for name in (FILE, FILE_OF_OLD)} == {0o600}
    assert run("operators", "list").returncode == 0
    assert states(run) == ["accepted", "present"]
    done = run("secrets", "reseal")
    assert (done.returncode, "let go of the installation key" in done.stdout) == (0, True), done.stderr
    assert not (run.data / FILE_OF_OLD).exists()
    assert states(run) == ["let go", "present"]
    assert run("operators", "list").returncode == 0
    assert "nothing needs an older key" in run("secrets", "reseal").stdout


def test_a_key_that_is_missing_is_named_by_its_fingerprint_and_may_be_given_up(run: CommandLine) -> None:
    add_somebody(run)
    assert run("secrets", "rotate").returncode == 0
    assert run("operators", "list").returncode == 0
    old = (run.data / FILE_OF_OLD).read_text().strip()
    (run.data / FILE_OF_OLD).unlink()
    assert states(run) == ["needed, but not here", "present"]
    refused = run("operators", "list")
    assert refused.returncode == 1
    assert "SUPPORT_SECRET_KEYS_OLD" in refused.stderr
    assert old not in refused.stderr
    fingerprint = refused.stderr.partition("fingerprint is ")[2][:16]
    assert run("operators", "list", secret_keys_old=old).returncode == 0  # nothing was lost by it
    assert run("secrets", "forget", "0123456789abcdef").returncode == 1
    assert "reseal" in run("secrets", "forget", fingerprint, secret_keys_old=old).stderr
    assert run("secrets", "forget", fingerprint).returncode == 0
    assert run("operators", "list").returncode == 0
    assert states(run) == ["let go", "present"]


def test_i9_a_key_that_no_process_has_noted_yet_is_not_lost_by_rotating_at_once(run: CommandLine) -> None:
    """As after an update from a version that noted none: stopped, updated, rotated, started."""
    add_somebody(run)
    with sqlite3.connect(run.data / "support.db") as database:
        database.execute("DELETE FROM secret_keys")
    old = (run.data / FILE).read_text().strip()
    assert run("secrets", "rotate").returncode == 0
    assert run("operators", "list").returncode == 0
    assert states(run) == ["accepted", "present"], "the older one comes first: people and events are found by it"
    assert "let go of the installation key" in run("secrets", "reseal").stdout
    assert old not in "".join(path.read_text() for path in run.data.glob("secret_key*"))
    assert states(run) == ["let go", "present"]


def test_a_key_that_nobody_noted_and_nobody_has_may_be_given_up(run: CommandLine) -> None:
    add_somebody(run)
    assert run("audit", "verify").returncode == 0
    assert run("secrets", "forget", "unknown").returncode == 1  # there is none
    with sqlite3.connect(run.data / "support.db") as database:
        database.execute("DELETE FROM secret_keys")
        database.execute(
            "INSERT INTO audit (id, workspace_id, at, event, subject, actor, data, sealed_seq, salt, commitment, seal)"
            " SELECT lower(hex(randomblob(16))), id, '2026-01-01 00:00:00.000000', 'x', id, 'x', '{}', 1, 's', 'c', 's'"
            " FROM workspaces"
        )
    refused = run("operators", "list")
    assert refused.returncode == 1
    assert "secrets forget unknown" in refused.stderr
    assert run("secrets", "forget", "unknown").returncode == 0
    assert run("operators", "list").returncode == 0
    assert states(run) == ["let go", "present"]


def test_a_key_of_the_environment_is_not_rotated_in_a_file(run: CommandLine) -> None:
    refused = run("secrets", "rotate", secret_key="k" * 40)
    assert refused.returncode == 1
    assert "SUPPORT_SECRET_KEYS_OLD" in refused.stderr
    assert not (run.data / FILE).exists()


def test_resealing_is_no_work_of_one_privilege(run: CommandLine) -> None:
    refused = run("secrets", "reseal", privilege="decide", secret_key="k" * 40, decision_key="d" * 40)
    assert refused.returncode == 1
    assert "SUPPORT_PRIVILEGE" in refused.stderr
