"""The program with its imports done, forked for each command; it makes no settings, model, socket or thread before.

What a fork leaves out against a cold start is the imports alone (1.6 of 1.8 processor seconds of `operators list`), so
what is tested this way must not be about them; some tests start cold on purpose. Settings, models, database and threads
are made in the child: a process with descriptors of its own, that is killed alone and ends as any interpreter does.
"""

import atexit
import gc
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

# ruff: noqa: F401 - what is imported here no child has to import
import httpcore
import qdrant_edge
import tokenizers
import uvicorn.protocols.http.auto

import api.app
import api.cli.ask_run
import api.cli.doctor_work
import api.cli.evaluation_work
import api.cli.knowledge_sync
import api.serving
import approvals.adapters.helpdesk.zendesk
import approvals.adapters.mail.smtp
import approvals.adapters.payments.ledger
import approvals.executors.helpdesk_reply
import approvals.executors.refund
import db.schema
import support_agents.adapters.extractive
import support_agents.adapters.orders_csv
import support_agents.adapters.qdrant_edge
import support_agents.intents.kernel_training
from api.cli.main import main

# A call may name as many bytes of words and environment as the kernel takes in one message.
_LONGEST = 200_000
_DESCRIPTORS = 4


def next_call(control: socket.socket) -> None:
    """Return in a child, once for every call, with its words, environment and standard streams in place."""
    minders: set[int] = set()
    while call := socket.recv_fds(control, _LONGEST, _DESCRIPTORS):
        message, descriptors, _, _ = call
        if not message:
            break
        if (minder := os.fork()) == 0:
            control.close()
            return _minded(message, descriptors)
        minders.add(minder)
        for descriptor in descriptors:
            os.close(descriptor)
        minders -= {one for one in minders if os.waitpid(one, os.WNOHANG)[0]}
    for one in minders:
        os.waitpid(one, 0)
    sys.exit()


def _minded(message: bytes, descriptors: list[int]) -> None:
    """Fork the command, tell its id and then its end; return in the command only."""
    telling = socket.socket(fileno=descriptors.pop(0))
    child = os.fork()
    if child == 0:
        telling.close()
        return _become(message, descriptors)
    for descriptor in (*range(len(descriptors)), *descriptors):
        os.close(descriptor)
    telling.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    telling.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(message: bytes, descriptors: list[int]) -> None:
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    call = json.loads(message)
    os.environ.clear()
    os.environ.update(call["environment"])
    os.chdir(call["folder"])
    sys.argv = ["support-agents", *call["words"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(code: int) -> None:
    """End as the interpreter does, without taking its modules apart: that alone costs as much as a short command."""
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads, as `multiprocessing` has it
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        sys.exit("a thread runs already: a fork would lose it")
    # Only who is called is stopped by Ctrl-C; what stays here ends with the control socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    next_call(socket.socket(fileno=int(sys.argv[1])))
    try:
        main()
    except SystemExit as ended:
        _leave(int(ended.code or 0))
