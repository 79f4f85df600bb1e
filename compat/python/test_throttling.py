"""Who calls too often is told so in the way that each SDK looks for."""

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ThrottlingException
from own_server import KEY, own_server


def refused_at(call, limit):
    """How many calls were answered before one was refused, and its exception."""
    for answered in range(limit):
        try:
            call()
        except ThrottlingException as error:
            return answered, error
    pytest.fail(f"{limit} calls at once were all answered")


@pytest.mark.parametrize(
    ("narrow", "code"), [("operation", "Throttling.Api"), ("account", "Throttling.User")]
)
def test_a_caller_who_calls_too_often(client_with, narrow, code):
    settings = {f"throttling_{narrow}_per_second": 1, f"throttling_{narrow}_burst": 3}
    with own_server(**settings) as server:
        client = client_with(endpoint=server.endpoint, access_key_id=KEY[0], access_key_secret=KEY[1])
        answered, error = refused_at(lambda: client.list_regions(models.ListRegionsRequest()), 100)
        assert answered >= 3
        assert (error.code, error.status_code) == (code, 400)
        # The header's milliseconds, which this SDK takes for its next try.
        assert 0 < error.retry_after <= 1000
