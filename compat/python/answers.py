"""Every answer to a client of this suite, held against the contract where all of them pass: in `requests`, which
the newer clients are built on, and in the copy of it that the oldest one brings along."""

import json
from urllib.parse import parse_qs, urlsplit

import aliyunsdkcore.vendored.requests
import contract
import requests

# What was wrong since somebody last looked, and how many answers were looked at.
wrong = []
counted = 0


def watch():
    """Looks at every answer from now on."""
    for session in (requests.Session, aliyunsdkcore.vendored.requests.Session):
        session.send = watched(session.send)


def watched(send):
    def sent(self, request, **settings):
        response = send(self, request, **settings)
        look_at(request, response)
        return response

    return sent


def look_at(request, response):
    global counted
    version, action = (asked_for(request, name) for name in ("version", "action"))
    # What else is asked for is no operation; and answers in XML have no types to be held against.
    if action is None or "json" not in response.headers.get("content-type", ""):
        return
    counted += 1
    found = contract.breaches(version, action, response.status_code, json.loads(response.content))
    wrong.extend(f"{action}: {breach}" for breach in found)


def asked_for(request, name):
    """The request's version or action, which the newer signature has in a header and the older in the query."""
    of_query = parse_qs(urlsplit(request.url).query).get(name.capitalize(), [None])
    return request.headers.get(f"x-acs-{name}", of_query[0])


def raise_wrong():
    """Fails if anything was wrong since the last time, and forgets it."""
    found = wrong.copy()
    wrong.clear()
    assert not found, "\n".join(found)
