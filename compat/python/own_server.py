"""A server of a test's own, for settings that the shared one does not have, on a database of its own."""

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from queue import Queue
from threading import Thread

import requests

READY_SECONDS = 60
KEY = ("LTAIcompat", "a-secret-of-compat")


class OwnServer:
    def __init__(self, url, data, database):
        self.scheme, self.endpoint = url.split("://")
        self.data = data
        self.database = database

    def execute(self, sql):
        """Runs a statement on its database, past the server."""
        if self.database:
            subprocess.run(["psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--command={sql}", self.database], check=True)
            return
        with closing(sqlite3.connect(self.data / "greenroom.db", timeout=READY_SECONDS)) as database, database:
            database.execute(sql)


@contextmanager
def new_database():
    """The URL of an empty database, where the suites are run on PostgreSQL; else of none, which is a file."""
    if not (program := os.environ.get("NEW_DATABASE")):
        yield ""
        return
    # It ends, and may take the database with it, when its input does.
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as maker:
        yield maker.stdout.readline().strip()


@contextmanager
def own_server(*flags, largest_file=resource.RLIM_INFINITY, **settings):
    """Runs `greenroom serve` on a free port with these flags and GREENROOM_… settings.

    No file that it writes gets larger than so many bytes: it is as if the disk were full then. The database of such
    a server is a file, whatever those of the others are.
    """
    is_limited = largest_file != resource.RLIM_INFINITY
    with nullcontext("") if is_limited else new_database() as url:
        # Short, for the unix sockets below it.
        data = Path(tempfile.mkdtemp(prefix="gr-compat-"))
        environment = dict(os.environ, GREENROOM_ROOT_ACCESS_KEY_ID=KEY[0], GREENROOM_ROOT_ACCESS_KEY_SECRET=KEY[1])
        environment["GREENROOM_DATABASE_URL"] = url
        environment |= {f"GREENROOM_{name.upper()}": str(value) for name, value in settings.items()}
        line = [os.environ["SERVER_PROGRAM"], "serve", "--listen", "127.0.0.1:0", "--data-dir", data, *flags]
        log = (data / "serve.log").open("w")
        process = subprocess.Popen(
            line,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file)),
            # The signal that comes with a write beyond the limit stays ignored: the write fails like any other.
            restore_signals=False,
        )
        try:
            server = OwnServer(url_of(process), data, url)
            yield server
            keep_metrics(server)
            process.terminate()
            assert process.wait(READY_SECONDS) == 0
            shutil.rmtree(data)
        finally:
            process.kill()
            process.wait()
            log.close()


def keep_metrics(server):
    """Leaves what the server counted for whoever wants to know which operations were called."""
    if folder := os.environ.get("METRICS_DIR"):
        certificate = server.data / "tls-certificate.pem"
        trusted = str(certificate) if certificate.exists() else True
        answer = requests.get(f"{server.scheme}://{server.endpoint}/metrics", verify=trusted, timeout=READY_SECONDS)
        (Path(folder) / server.data.name).write_text(answer.text)


def url_of(process):
    """The address that the server says it is ready on; what it says after that is read and dropped."""
    urls = Queue()

    def listen():
        for line in process.stdout:
            if found := re.search(r"API, endpoint\s+(\S+)", line):
                urls.put(found[1])
        # Only of use to somebody who still waits: it ended before it was ready.
        urls.put(None)

    Thread(target=listen, daemon=True).start()
    url = urls.get(timeout=READY_SECONDS)
    assert url, "greenroom serve ended at once; its serve.log is in the folder"
    return url
