"""Who the requests come from: the tokens of a file, each for so many requests as one person may make at once.

A limit of ours must not end the test after a hundred requests, and what one person made must mostly be met by the same person again.
"""

import json
import os
import random
from itertools import count

import schemathesis

REQUESTS_PER_TOKEN = 80

with open(os.environ["CLUSTRAL_TOKENS"], encoding="utf-8") as file:
    tokens = json.load(file)
requests = count()


@schemathesis.auth(refresh_interval=None)
class Person:
    def get(self, case, context):
        return tokens[(next(requests) // REQUESTS_PER_TOKEN) % len(tokens)]

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    # Strangers are counted by address; 100::/64 leads nowhere (RFC 6666).
    address = f"100:{random.randrange(65536):x}:{random.randrange(65536):x}::1"
    case.headers = {**(case.headers or {}), "X-Forwarded-For": address}
    # The audit cannot know that a position is beyond the end of the log: it waits for it, and says so (503).
    if case.path.startswith("/api/v1/audit"):
        case.headers = {name: value for name, value in case.headers.items() if name.lower() != "x-clustral-position"}
