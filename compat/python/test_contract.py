"""The checker that every answer to this suite passes through, checked itself."""

import copy

import answers
import contract
import pytest
from alibabacloud_appstream_center20210901 import models

VERSION = "2021-09-01"
LIST = "ListPersistentAppInstances"

LISTING = {
    "PageNumber": 1,
    "PageSize": 20,
    "TotalCount": 1,
    "RequestId": "1CBAFFAB-B697-4049-A9B1-67E1FC5F4A5B",
    "PersistentAppInstanceModels": [
        {
            "AppInstanceGroupId": "aig-1",
            "AppInstancePersistentId": "p-1",
            "AppInstancePersistentStatus": "RUNNING",
            "AuthorizedUsers": ["alice"],
            "GmtCreate": "2025-03-13T03:22:18.000+00:00",
        }
    ],
}


def test_an_answer_as_recorded_passes():
    assert contract.breaches(VERSION, LIST, 200, LISTING) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PageNumber", "1", "PageNumber: '1' is not of type integer"),
        ("PageNumber", True, "PageNumber: True is not of type integer"),
        ("TotalCount", 3_000_000_000, "TotalCount: 3000000000 does not fit its integer type"),
        ("TotalCount", 1.5, "TotalCount: 1.5 is not of type integer"),
        ("RequestId", "1cbaffab-b697-4049-a9b1-67e1fc5f4a5b", "RequestId: is not an upper-case UUID"),
        ("RequestId", None, "RequestId: None is not of type string"),
        ("Colour", "green", "Colour: is not in the contract"),
        ("PersistentAppInstanceModels", {}, "PersistentAppInstanceModels: {} is not of type array"),
    ],
)
def test_a_breach_is_named_with_its_place(name, value, expected):
    assert expected in contract.breaches(VERSION, LIST, 200, LISTING | {name: value})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AuthorizedUsers", [7], "AuthorizedUsers[0]: 7 is not of type string"),
        ("GmtCreate", "2025-03-13T03:22:18Z", "GmtCreate: 2025-03-13T03:22:18Z is not a time as recorded"),
        ("GmtCreate", None, "GmtCreate: None is not of type string"),
        ("AppInstancePersistentStatus", "DOZING", "AppInstancePersistentStatus: DOZING is none of "),
        ("Colour", "green", "Colour: is not in the contract"),
    ],
)
def test_a_breach_within_a_list_is_named_with_its_place(name, value, expected):
    answer = copy.deepcopy(LISTING)
    answer["PersistentAppInstanceModels"][0][name] = value
    (breach,) = contract.breaches(VERSION, LIST, 200, answer)
    assert breach.startswith(f"PersistentAppInstanceModels[0].{expected}")


def test_our_documented_values_pass_and_a_code_that_throws_does_not():
    ident = {"RequestId": LISTING["RequestId"]}
    assert contract.breaches(VERSION, "GetConnectionTicket", 200, ident | {"OsType": "Linux"}) == []
    assert contract.breaches(VERSION, "GetConnectionTicket", 200, ident | {"OsType": "Plan9"})
    assert contract.breaches(VERSION, "ListImage", 200, ident | {"Code": "200"}) == []
    assert contract.breaches(VERSION, "ListImage", 200, ident | {"Code": "0"})
    assert contract.breaches(VERSION, "ListNothing", 200, ident)


def test_a_refusal_has_all_of_its_texts():
    refusal = {"Code": "NoPermission", "Message": "no", "RequestId": "1", "HostId": "here"}
    assert contract.breaches(VERSION, LIST, 403, refusal) == []
    assert contract.breaches(VERSION, LIST, 403, refusal | {"Code": 7}) == ["Code: is no text"]


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_every_answer_is_looked_at(client_with, algorithm):
    client = client_with(signature_algorithm=algorithm)
    before = answers.counted
    client.list_regions(models.ListRegionsRequest())
    assert answers.counted == before + 1


def test_a_wrong_answer_fails_the_test_that_saw_it(client, monkeypatch):
    monkeypatch.setitem(contract.operations()[VERSION, "ListRegions"], "response", {})
    client.list_regions(models.ListRegionsRequest())
    with pytest.raises(AssertionError, match="ListRegions: RegionModels: is not in the contract"):
        answers.raise_wrong()
