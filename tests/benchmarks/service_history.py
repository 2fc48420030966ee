"""Read a history of 10,000 comparisons: `python -m tests.benchmarks.service_history [JOBS]`.

Milliseconds of each read, on SQLite and, where it is installed, on PostgreSQL. The machine should have nothing else to
do. Then the indexes that sorted lists use.
"""

import random
import re
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from sqlalchemy import insert, text

from cli.service.store import history
from cli.service.store.database import open_database
from cli.service.store.history import Search, Sort
from cli.service.store.records import Priority, State
from cli.service.store.tables import JobRow, ModelRow, UserRow
from tests.benchmarks.in_turn import seconds
from tests.support.postgres import PROGRAMS, Server
from tests.support.service import question

RUNS = 30
PAGE = 20
LIST = "SELECT * FROM jobs ORDER BY {column} DESC NULLS LAST, id DESC LIMIT 20"


def fill(database, jobs):
    """Ask questions about 500 models, of which nine in ten were answered."""
    dice, begin = random.Random(0), datetime(2026, 1, 1, tzinfo=UTC)
    rows, models, users = [], [], []
    for number in range(jobs):
        names = [f"team{dice.randrange(20)}/resnet{dice.randrange(500)}-w{part}" for part in "ab"]
        asked = question(*names, key=str(number))
        created, done = begin + timedelta(minutes=number), number % 10 > 0
        rows.append({
            "id": asked.id, "kind": asked.kind, "dataset": asked.dataset, "dataset_ref": asked.dataset_ref,
            "options": {}, "key": asked.key, "search_text": " ".join([asked.id, asked.dataset, *names]),
            "state": State.done if done else State.queued, "priority": Priority.batch, "progress": float(done),
            "phase": "", "attempts": int(done), "created": created, "finished": created if done else None,
            "verdict": "They differ." if done else None, "agreement": dice.random() if done else None,
            "size": 1000 if done else None,
        })  # fmt: skip
        models += [
            {"job_id": asked.id, "position": position, "model": model.name, "accuracy": dice.random(), **asdict(model)}
            for position, model in enumerate(asked.models)
        ]
        users.append({"job_id": asked.id, "user": "me", "waiting": True})
    with database.writing() as session:
        for table, values in ((JobRow, rows), (ModelRow, models), (UserRow, users)):
            session.execute(insert(table), values)


def reads(database, jobs):
    """What is read, by name."""
    search = partial(history.search, database)
    cursor = search(Search(limit=jobs // 2)).next_cursor
    some = search(Search(state=State.done)).jobs[-1]
    ways = {f"list by {sort}": partial(search, Search(sort=sort)) for sort in Sort}
    return ways | {
        "list, page in the middle": partial(search, Search(cursor=cursor)),
        "list of one state": partial(search, Search(state=State.queued)),
        "search of a common word": partial(search, Search(q="resnet")),
        "search of two rare words": partial(search, Search(q="team7 resnet77-")),
        "search of nothing there": partial(search, Search(q="vit")),
        "jobs of a model": partial(history.of_model, database, some.question.models[0].name, PAGE),
        "trend of a model": partial(history.trend, database, some.question.models[0].name),
        "one job": partial(history.find, database, some.id),
        "counts by state": partial(history.counts, database),
        "oldest reports": partial(history.oldest_reports, database, 10**6),
    }


def show(database, jobs):
    """Print a table of times and the plans of sorted lists."""
    name = database.engine.dialect.name
    fill(database, jobs)
    print(f"{f'{name}, {jobs} comparisons, ms':34} median    max")
    for title, way in reads(database, jobs).items():
        times = [1000 * seconds(way) for _ in range(RUNS)]
        print(f"{title:34} {median(times):6.1f} {max(times):6.1f}")
    with database.session() as session:
        for sort in Sort:
            explain = "EXPLAIN QUERY PLAN" if name == "sqlite" else "EXPLAIN"
            plan = session.execute(text(f"{explain} {LIST.format(column=sort)}"))
            steps = " ".join(row[-1] for row in plan)
            print(f"sorted by {sort}: {', '.join(re.findall('jobs_by_[a-z]+|Sort|TEMP B-TREE', steps))}")
    print()


def main(jobs=10_000):
    """Print a table per kind of database."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/service.sqlite")
        show(database, jobs)
        database.close()
    if PROGRAMS is not None:
        server = Server().start()
        database = open_database(server.create())
        show(database, jobs)
        database.close()
        server.remove()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
