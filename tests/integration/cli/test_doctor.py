"""`doctor` on folders and files as they may be found: what is wrong has a command beside it."""

from pathlib import Path

from api.demo import shop
from tests.fixtures.command_line import CommandLine


def test_doctor_on_an_empty_folder_says_what_to_do_and_makes_nothing(run_cold: CommandLine) -> None:
    done = run_cold("doctor")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    failed = {line[2:].partition(":")[0]: lines[at + 1].strip() for at, line in enumerate(lines) if line[0] == "✗"}
    assert failed["database"] == "→ support-agents db upgrade"
    assert failed["data folder"] == "→ support-agents db upgrade"
    assert "SUPPORT_STANDARD_WEBHOOK_SECRETS" in failed["webhooks"]
    assert all(line[0] in "✓–✗ " for line in lines)
    assert not run_cold.data.exists()


def test_doctor_names_a_variable_that_is_no_setting(run_cold: CommandLine) -> None:
    lines = run_cold("doctor", dry_runn="all").stdout.splitlines()
    at = next(at for at, line in enumerate(lines) if "SUPPORT_DRY_RUNN" in line)
    assert lines[at] == "✗ settings: SUPPORT_DRY_RUNN is no setting and does nothing"
    assert lines[at + 1].strip() == "→ unset SUPPORT_DRY_RUNN, or write SUPPORT_DRY_RUN"


def test_doctor_is_content_with_a_whole_installation(run: CommandLine) -> None:
    assert run("db", "current").returncode == 1
    assert run("db", "upgrade").returncode == 0
    assert run("db", "current").returncode == 0
    added = run("operators", "add", "ada@example.org", "--role", "admin", "--password-stdin", given="a long password\n")
    assert (added.returncode, added.stdout) == (0, "ada@example.org may sign in as admin\n")
    synced = run("kb", "sync", str(shop.ARTICLES), known_vectors=str(shop.VECTORS))
    assert synced.returncode == 0, synced.stderr
    assert synced.stdout.startswith(
        f"{len(list(shop.ARTICLES.rglob('*.md')))} added, 0 changed, 0 unchanged, 0 removed"
    )
    done = run(
        "doctor",
        standard_webhook_secrets="whsec_" + "c2VjcmV0" * 4,
        port="0",
        policy=str(shop.POLICY),
        orders_csv=str(shop.ORDERS),
        macros=str(shop.MACROS),
    )
    assert "✗" not in done.stdout, done.stdout
    assert done.returncode == 0
    assert "✓ policy" in done.stdout
    assert "– mail: none" in done.stdout
    assert "expired: refund-within-window-14 v2" in done.stdout


def test_doctor_names_the_case_of_a_macro_that_no_article_bears_out(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "article.md").write_text("---\nid: returns\n---\n# Returns\n\nYou can return an item within 30 days.\n")
    folder = tmp_path / "macros"
    folder.mkdir()
    (folder / "returns.md").write_text(
        "---\nid: returning\nlanguage: en\nquestions: [may I, return it, too late, take it back]\n---\n"
        "## late\nYou can return an item within 60 days. [returns]\n"
    )
    assert run("db", "upgrade").returncode == 0
    articles = tmp_path / "articles"
    articles.mkdir()
    (tmp_path / "article.md").rename(articles / "returns.md")
    assert run("kb", "sync", str(articles)).returncode == 0
    done = run("doctor", macros=str(folder))
    assert "✗ macros: 1 with 1 cases; not used: returning, case late: “60" in done.stdout, done.stdout


def test_doctor_finds_what_is_wrong_in_files(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("version: 1\nclauses:\n  - id: x\n")
    (tmp_path / "orders.csv").write_text("order_id,email\n")
    run.data.mkdir(mode=0o755)
    run.data.chmod(0o755)
    shown = run(
        *("doctor",),
        policy=str(tmp_path / "policy.yaml"),
        orders_csv=str(tmp_path / "orders.csv"),
        smtp_host="127.0.0.1",
        smtp_port="9",
        smtp_from_address="us@example.org",
        zendesk_webhook_secrets="x",
        mode="reply",
    ).stdout
    assert f"→ chmod 700 {run.data}" in shown
    for wrong in ("clause x: ", "orders.csv: line 1: column name is missing", "127.0.0.1:9 does not answer"):
        assert wrong in shown
    assert "✗ zendesk" in shown
